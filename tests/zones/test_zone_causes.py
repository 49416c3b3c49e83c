"""Zones of mail that programs and people have made hard to read, one cause a test."""

import pytest

from rl_emails_assets.mail.html_text import html_to_text
from rl_emails_assets.mail.parse import parse
from rl_emails_assets.mail.zones import Zone, lines_of, split_zones, zone_spans


@pytest.mark.parametrize("name", ["-Ann", "- Ann Example", "--Ann", "—Ann", "-ann", "- ann"])
def test_a_name_behind_a_dash_ends_the_mail(name: str) -> None:
    """It would count as content, or as an item of a list."""
    zones = split_zones(f"I will be there.\n\n{name}\n\n____\nplans mailing list\nplans@x.test")
    assert zones.new_text == "I will be there."
    assert zones.signature.startswith(name)


@pytest.mark.parametrize(
    "text",
    [
        "Bring these:\n\n-Milk",
        "Bring these\n-milk\n\n-Bread",
        "Bring milk,\n\n-Bread",
        "The plan is here.\n\n- plan2031.pdf",
        "The plan is here.\n\n- come in time",
        "We sell it\n-cheap",
        "-Ann",
    ],
)
def test_an_item_of_a_list_is_no_name(text: str) -> None:
    """The last item would be hidden."""
    assert split_zones(text).signature == ""


def test_a_short_rule_above_a_list_footer() -> None:
    """Some lists set two underscores; their footer would count as content."""
    assert split_zones("I agree.\n\n__\nplans mailing list\nplans@x.test").new_text == "I agree."
    assert split_zones("I agree.\n\n__\nplans for monday").signature == ""


def test_a_card_below_a_rule() -> None:
    """A visiting card with blank lines would count as content, and the thanks above it as signature."""
    card = "----------------\n\nAnn Example\n\nPlans and more\n\nt. 555-010-0100\n\nhttps://x.test/"
    zones = split_zones(f"It is done.\n\nThank you very much.\n\n{card}")
    assert (zones.new_text, zones.signature) == ("It is done.\n\nThank you very much.", card)
    many = "\n".join(f"Name{n} 555-010-01{n:02}" for n in range(16))
    long = f"Call 555-010-0100 or write to ann@x.test {'and so on ' * 9}"
    for below in (many, f"{long}\n{long}", "Ann\n555-010-0100"):
        assert split_zones(f"It is done.\n\n----------------\n{below}\n\nThe end of it all is near.").signature == ""


@pytest.mark.parametrize(
    ("line", "sender"),
    [
        ("Ann Example - 555-010-0100.", "Example, Ann"),
        ("AE   3-1587.", "Ann Example"),
        ("Ann Example\nvia mobile", "Ann Example <ann@x.test>"),
        ("AnnExample", "Example, Ann"),
        ("Ed", "Example Ed <ed@x.test>"),
    ],
)
def test_the_senders_name_begins_a_signature(line: str, sender: str) -> None:
    """A name with a telephone number behind it would count as content."""
    text = f"I will be there at nine.\n\n{line}"
    assert split_zones(text, sender=sender).signature == line
    assert split_zones(text.replace("\n\n", "\n"), sender=sender).signature == line


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("Ann Example - 555-010-0100.", "Ann Example"),
        ("It is done.\n\nAnn will call you, so please wait for it at home.", "Ann Example"),
        ("It is done.\n\nZZ   3-1587.", "Ann Example"),
        ("It is done.\n\nAnn Example: yes", "Ann Example"),
        ("It is done.\n\nBob Other wrote it down for you.", "Ann Example"),
    ],
)
def test_the_senders_name_in_a_sentence_is_content(text: str, sender: str) -> None:
    """A sentence that begins with the sender's name, or the only line there is, would be hidden."""
    assert split_zones(text, sender=sender).signature == ""


def test_one_number_below_a_rule_is_content() -> None:
    """A short note with a telephone number in it would be hidden."""
    text = "It is done.\n\n----------\nwhat we need\nroom seven\n555-010-0100"
    assert split_zones(text).signature == ""


def test_signature_above_a_quote_that_is_answered_below() -> None:
    """Only what stands at the end of all would be looked at."""
    zones = split_zones("Yes.\n\nRegards,\nAnn\n\nBob wrote:\n> When?\n\nAt nine, as I said to you before.")
    assert zones.new_text.split("\n\n\n") == ["Yes.", "At nine, as I said to you before."]
    assert zones.signature == "Regards,\nAnn"


def test_a_rule_above_a_name() -> None:
    """The rule would be the last that the sender says."""
    for name in ("Ann Example\n555-010-0100", "Regards,\nAnn"):
        zones = split_zones(f"It is done.\n\n----------\n{name}")
        assert (zones.new_text, zones.signature) == ("It is done.", f"----------\n{name}")


def test_an_office_with_its_number() -> None:
    """The name of a desk above its extension would count as content."""
    assert split_zones("It is done.\n\nPlans & Parking Desk\n3-7060").signature == "Plans & Parking Desk\n3-7060"
    assert split_zones("It is done.\nPlans & Parking Desk\n3-7060").signature == ""
    assert split_zones("It is done.\n\nhq\n3-7060").signature == ""


def test_a_quoted_line_that_was_wrapped() -> None:
    """The end of a long quoted line, which a program wrapped without a mark, would be the sender's."""
    first = "> This line of the quoted mail was so long that a program had to wrap it"
    text = f"Yes.\n\nAnn wrote:\n{first}\nin the middle\n> and goes on here."
    assert split_zones(text).new_text == "Yes."
    for answer in ("In the middle", "in the middle\n", "in the middle " * 6):
        assert answer.strip() in split_zones(text.replace("in the middle", answer)).new_text
    assert "in the middle" in split_zones(text.replace(first, "> Short?")).new_text
    assert "in the middle" in split_zones(f"Ann wrote:\n{first}\nin the middle").new_text


@pytest.mark.parametrize(
    "attribution",
    [
        "tir. 1. apr. 2031 kl. 13:09 skrev Anna Eksempel <anna@x.test\n>:",
        "On Tue, Apr 1, 2031 at 1:09 PM Ann Example <ann@x.test\n> wrote:",
        "On Wed, 14 Nov 2031 08:14:43 -0200 Ann Example <ann@x.test> wrote",
        "On 11-Apr-2031, at 6:54 PM, Ann Example <ann@x.test> sent:",
        "2031/4/7 Ann Example <ann@x.test>",
        "====\n\nMessage du : 12/12/2031 13:20\nDe : Ann <ann@x.test>\nA : Bob\nCopie à : \nSujet : Plan",
        "From: Ann Example \n<ann@x.test> \nSent: Monday, August 26, 2031 4:37 PM\nTo: Bob\nSubject: Plan",
        "De : Ann <ann@x.test>\nDate : 23/06/31\nÀ : bob@x.test Objet : Plan",
    ],
)
def test_attribution_that_a_program_broke(attribution: str) -> None:
    """A bracket on a line of its own, a colon left out or two headers in a line would hide the boundary."""
    text = f"I agree with it.\n\n{attribution}\n\n> Please send the plan.\n"
    assert split_zones(text).new_text == "I agree with it."


@pytest.mark.parametrize(
    "text",
    [
        "> On Monday Ann <ann@x.test\n> wrote:\n\nYes.",
        "> nothing here\n> :\n\nYes.",
        "> a line that is too long for it:\n\nYes.",
    ],
)
def test_a_quoted_line_with_a_colon_stays_quoted(text: str) -> None:
    """It would be taken for the end of an attribution, and be nobody's."""
    assert split_zones(text).new_text == "Yes."


@pytest.mark.parametrize(
    "text",
    [
        "On Wed, 14 Nov 2031 at 10:30 we saw what ann@x.test wrote",
        "On Wed, 14 Nov 2031 at 10:30 we saw what Ann Example wrote",
        "We saw on 14 Nov 2031 what Ann Example <ann@x.test> wrote",
        "Ann Example wrote on 03/03/2031:\nthat all is well.",
        "2031/4/7 Ann Example <ann@x.test>\nis the next to come.",
        "On Monday we sent:\nthe plan.",
    ],
)
def test_a_sentence_about_writing_is_content(text: str) -> None:
    """What the sender says about a mail would be taken for its attribution."""
    assert split_zones(text).new_text == text


def test_forwarded_by_the_subject() -> None:
    """A header block looks the same above an answered and a forwarded mail."""
    text = "For you.\n\nFrom: Ann <ann@x.test>\nSent: Monday\nTo: Me\nSubject: Plan\n\nPlease send the plan."
    assert split_zones(text).forwarded == ""
    zones = split_zones(text, is_forward=True)
    assert zones.forwarded == zones.quoted_text == text[len("For you.\n\n") :]
    mail = "From: Me <me@x.test>\r\nSubject: {}: Plan\r\n\r\n" + text.replace("\n", "\r\n")
    assert parse(mail.format("FW").encode()).forwarded == zones.forwarded
    assert parse(mail.format("Re").encode()).forwarded == ""


def test_all_zones_of_one_mail() -> None:
    """One of them would swallow another."""
    text = (
        "Hi Bob,\n\nI will be there at nine.\n\nBest regards,\nAnn\n\n"
        "CONFIDENTIALITY NOTICE: This message is for the addressee.\n\n"
        "On Mon, Mar 3, 2031 at 9:30 AM Bob <bob@x.test> wrote:\n> When will you come?\n"
        "---------- Forwarded message ---------\nFrom: Cid\n\nThe plan."
    )
    zones = [(zone, text.split("\n")[start]) for start, _, zone in zone_spans(lines_of(text))]
    assert zones == [
        (Zone.GREETING, "Hi Bob,"),
        (Zone.NEW, ""),
        (Zone.SIGNATURE, "Best regards,"),
        (Zone.DISCLAIMER, "CONFIDENTIALITY NOTICE: This message is for the addressee."),
        (Zone.QUOTED, "On Mon, Mar 3, 2031 at 9:30 AM Bob <bob@x.test> wrote:"),
        (Zone.FORWARDED, "---------- Forwarded message ---------"),
    ]
    parsed = parse(b"From: Ann <ann@x.test>\n\n" + text.encode())
    assert (parsed.greeting, parsed.disclaimer) == ("Hi Bob,", zones[3][1])
    assert parsed.forwarded.endswith("The plan.")
    assert parsed.new_text == "Hi Bob,\n\nI will be there at nine."


@pytest.mark.parametrize(
    "text",
    [
        "Hello from the other side of the town",
        "Dear me, what a day it was for us",
        "Hi. I will be there at nine.",
        "Thanks,\nthat is all.",
        "Yes -\nI will.",
        "Please note:\nthe plan is late.",
        "ann,\nthis is small.",
        "Dear " + "Ann " * 20,
        "The plan is late.\n\nIt is long, and it goes on for many words and more than that.\n\nHi Bob,\nyes.",
        "It is March\nBob,\nyes.",
        "Hello from all of us here,\nyes.",
        "One.\n\nTwo.\n\nThree.\n\nHi Bob,\nyes.",
        "Dear Mr. Example has left the building. Come on, Bob",
    ],
)
def test_a_first_line_that_says_something_is_no_greeting(text: str) -> None:
    """What the sender says would be left out of what the sender says."""
    assert split_zones(text).greeting == ""


@pytest.mark.parametrize("text", ["March 3\n\nHi Bob,\n\nYes.", "\n\nHi Bob,\nYes.", "Hi Bob and all,\nYes."])
def test_a_greeting_below_a_date_is_found(text: str) -> None:
    """It would be missed in a letter."""
    zones = split_zones(text)
    assert zones.greeting.startswith("Hi Bob")
    assert zones.new_text == text.strip()


def test_an_address_in_html_that_was_not_escaped() -> None:
    """An address in angle brackets would vanish as an unknown element, and the attribution with it."""
    html = (
        "<div>Sounds good.</div><div>On Sep 4, 2031, at 11:30 AM, Ann Example <ann.example@x.test> wrote:</div>"
        "<div>Can we meet?</div><custom@element attribute=1>shown</custom>"
    )
    text = html_to_text(html)
    assert "Ann Example <ann.example@x.test> wrote:" in text
    assert text.endswith("shown")
    assert "attribute" not in text
    assert split_zones(text).new_text == "Sounds good."
    assert html_to_text("a <b>bold</b> <i>x</i> <font size=1>y</font>") == "a bold x y"
