"""New text, quoted text and signature of a reply: the ordinary forms, and what only looks like them."""

import pytest

from rl_emails_assets.mail.zones import Zones, split_zones

ATTRIBUTIONS = [
    "On Sat, Mar 1, 2031 at 9:30 AM Ann Example <ann@x.test> wrote:",
    "On 1 Mar 2031, at 09:30, Ann Example wrote:",
    "On Sat, Mar 1, 2031 at 9:30 AM Ann Example\n<ann@x.test> wrote:",
    "On Sat, Mar 1, 2031 at 9:30 AM Ann Example <ann@x.test>\nwrote:",
    "On Sat,\nat 09:30,\nAnn Example <ann@x.test> wrote:",
    "On Sat, Mar 1, Ann Example <ann@x.test> wrote:",
    "Am 01.03.2031 um 09:30 schrieb Ann Beispiel <ann@x.test>:",
    "Am Sa., 1. März 2031 um 09:30 Uhr schrieb Ann Beispiel\n<ann@x.test>:",
    "Le sam. 1 mars 2031 à 09:30, Ann Exemple <ann@x.test> a écrit :",
    "El sáb, 1 mar 2031 a las 9:30, Ana Ejemplo (<ana@x.test>) escribió:",
    "Il giorno sab 1 mar 2031 alle ore 09:30 Anna Esempio <anna@x.test> ha scritto:",
    "Em sáb., 1 de mar. de 2031 às 09:30, Ana Exemplo <ana@x.test> escreveu:",
    "Op za 1 mrt 2031 om 09:30 schreef Anna Voorbeeld <anna@x.test>:",
    "Den lör 1 mars 2031 kl 09:30 skrev Anna Exempel <anna@x.test>:",
    "Den lør. 1. mar. 2031 kl. 09.30 skrev Anna Eksempel <anna@x.test>:",
    "lør. 1. mar. 2031 kl. 09:30 skrev Anna Eksempel <anna@x.test>:",
    "la 1. maalisk. 2031 klo 9.30 Anna Esimerkki (anna@x.test) kirjoitti:",
    "sob., 1 mar 2031 o 09:30 Anna Przykład <anna@x.test> napisał(a):",
    "W dniu 01.03.2031 o 09:30, Anna Przykład pisze:",
    "сб, 1 мар. 2031 г. в 09:30, Анна Пример <anna@x.test>:",
    "1 марта 2031 г., 9:30 Анна Пример <anna@x.test> написала:",
    '01.03.2031 9:30 пользователь "ann@x.test" <\nann@x.test> написал:',
    "2031年3月1日(土) 9:30 例 安 <ann@x.test>:",
    "例安 <ann@x.test> 于2031年3月1日周六 09:30写道：",
    "---- On Sat, 01 Mar 2031 09:30:00 +0000 ann@x.test wrote ----",
]

BOUNDARIES = [
    "-----Original Message-----\nFrom: Ann Example\nSent: Saturday, March 1, 2031 9:30 AM\nTo: Me\nSubject: Plan",
    "----- Ursprüngliche Nachricht -----",
    "-------- Message d'origine --------",
    "---------- Forwarded message ---------\nFrom: Ann <ann@x.test>\nDate: Sat, 1 Mar 2031\nSubject: Plan\nTo: me",
    "Begin forwarded message:\n\nFrom: Ann\nSubject: Plan",
    "________________________________\nFrom: Ann <ann@x.test>\nSent: Saturday\nTo: Me\nSubject: Plan",
    "From: Ann <ann@x.test>\nDate: Saturday, 1 March 2031\nTo: Me\nSubject: Plan",
    "*From:* Ann [mailto:ann@x.test]\n*Sent:* Saturday\n*To:* Me\n*Subject:* Plan",
    "From: Ann\nSent: now\nTo: Me\nCc: Bob\nSubject: Plan\nImportance: High",
    "Von: Ann <ann@x.test>\nGesendet: Samstag, 1. März 2031\nAn: Me\nBetreff: Plan",
    "De : Ann <ann@x.test>\nEnvoyé : samedi 1 mars 2031\nÀ : Me\nObjet : Plan",
    "发件人：安 <ann@x.test>\n发送时间：2031年3月1日\n收件人：我\n主题：计划",
    "Ann Example@X on 03/01/2031 09:30:00 AM\nTo: Me/HOU/X@X\ncc: \nSubject: Plan",
    "\tAnn Example\n\t03/01/2031 09:30 AM\n\t\t \n\t\t To: Me/HOU/X@X\n\t\t cc: \n\t\t Subject: Plan",
    "Ann Example\n03/01/2031 09:30 AM\nTo: Me/HOU/X@X,\n" + "Bob/HOU/X@X,\n" * 30 + "cc: \nSubject: Plan",
    "Ann Example\n\n03/01/2031 09:30 AM\nTo: Me/HOU/X@X\nSubject: Plan",
    "03/01/2031 09:30 AM\n\n\n\nTo: Me/HOU/X@X\nSubject: Plan",
    "From: Ann\nTo: Me\nSubject: Plan\nTo: is the first word",
    "---------------------- Forwarded by Ann Example/HOU/X on 03/01/2031 09:30 \nAM ---------------------------",
    "To: Me\nDate: today\nSubject: Plan",
]


def said(zones: Zones) -> tuple[str, str, str]:
    """The three texts that each line is in one of."""
    return zones.new_text, zones.quoted_text, zones.signature


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
@pytest.mark.parametrize("prefix", ["> ", ""])
def test_reply_above_an_attribution(attribution: str, prefix: str) -> None:
    """Quoted requests would be read as the sender's own."""
    text = f"I agree with it.\n\n{attribution}\n\n{prefix}Please send the plan.\n{prefix}Today"
    zones = split_zones(text)
    assert zones.new_text == "I agree with it."
    assert zones.quoted_text == f"{attribution}\n\n{prefix}Please send the plan.\n{prefix}Today"


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_reply_above_a_header_block(boundary: str) -> None:
    """The mail below an Outlook or Lotus Notes header would be read as the sender's own."""
    zones = split_zones(f"Fine for me, go on.\n\n{boundary}\n\nPlease send the plan.\n\nAnn\n")
    assert zones.new_text == "Fine for me, go on."
    assert zones.quoted_text == f"{boundary}\n\nPlease send the plan.\n\nAnn".strip()


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_pure_forward_has_no_new_text(boundary: str) -> None:
    """A forwarded request would count as the forwarder's."""
    zones = split_zones(f"{boundary}\n\nPlease send the plan.")
    assert zones.new_text == ""
    assert "Please send the plan." in zones.quoted_text


def test_replies_between_the_lines_stay_the_senders() -> None:
    """Answers below each question would be lost."""
    text = (
        "Hello,\n\nOn Sat, Mar 1, 2031 at 9:30 AM Ann <ann@x.test> wrote:\n> First question?\nFirst answer.\n"
        "> Second?\n>\n> > older\n\nSecond answer.\n\n> Third?\nThird answer."
    )
    zones = split_zones(text)
    assert [line for line in zones.new_text.split("\n") if line] == [
        "Hello,",
        "First answer.",
        "Second answer.",
        "Third answer.",
    ]
    assert "older" in zones.quoted_text


def test_reply_below_the_quote_stays_the_senders() -> None:
    """Everything would be lost of those who write below."""
    zones = split_zones("Ann wrote:\n> Can you come?\n\nYes, I can come.\n-- \nMe\n")
    assert said(zones) == ("Yes, I can come.", "Ann wrote:\n> Can you come?", "-- \nMe")


def test_quoted_original_message_with_marks() -> None:
    """What stands below a marked Outlook quote would be lost."""
    text = "-----Original Message-----\nFrom: Ann\nSent: now\nTo: me\nSubject: x\n\n> Can you?\n\nI can do that."
    assert split_zones(text).new_text == "I can do that."


@pytest.mark.parametrize(
    "text",
    [
        "On the other hand, we wrote:\nnothing at all.",
        "On Monday we meet at 10:30.\nI wrote that down.",
        "Please note:\nthe plan is late.",
        "From: the desk of Ann, a story.",
        "To: do\nbuy milk",
        "Date: tomorrow\nplace: here",
        "Subject: verbs\nObject: nouns",
        "The numbers:\n1) one\n2) two",
        "- first item\n- second item",
        "See https://x.test/on/2031/wrote: it is there.",
        "It said:\nthe end.",
        "Many thanks for what you wrote at 10:30:\nI agree with it.",
        "So he wrote at 10:30:\nthat it is done.",
        "On the other hand, what you wrote to us on 3/3/2031:\nit is not true.",
        "The numbers of 2031, from Ann (ann@x.test):\n1) one",
        "Please send it by 10:30 to Ann <ann@x.test>:\nthe plan.",
        "Ann said that:\n\nall is well.",
        "x" * 3000 + " wrote:\nafter",
    ],
)
def test_ordinary_text_is_not_cut(text: str) -> None:
    """The sender's own words would be hidden."""
    assert split_zones(text) == Zones(text, "", "")


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        ("See you there.", "-- \nAnn Example\nTel. 555-0100"),
        ("See you there.", "Best regards,\nAnn Example\nDirector of Plans\n555-010-0100"),
        ("See you there.", "Thanks,\n\nAnn"),
        ("See you there.", "Thanks, Ann"),
        ("See you there.", "Many thanks and kind regards\nAnn Example"),
        ("See you there.", "Mit freundlichen Grüßen\nAnn Beispiel"),
        ("See you there.", "Cordialement,\nAnn"),
        ("See you there.", "С уважением,\nАнна"),
        ("See you there.", "此致\n安"),
        ("See you there.", "Sent from my iPhone"),
        ("See you there.", "Von meinem iPhone gesendet"),
        ("See you there.", "Envoyé de mon iPhone"),
        ("See you there.", "iPhoneから送信"),
        ("See you there.", "Get Outlook for iOS"),
        ("See you there.", "Thanks,\nAnn\n\nSent from my iPad"),
        ("See you there.", "Ann Example\n555-010-0100 (cell)\nann@x.test"),
        ("See you there.", "Ann Example\nSenior Analyst\nx-37059"),
        ("See you there.", "Ann"),
        (
            "See you there.",
            "_______________________________________________\nSome mailing list\nhttps://x.test/listinfo",
        ),
        ("See you there.", "**********\nThis e-mail is confidential.\n**********"),
        ("See you there.", "CONFIDENTIALITY NOTICE: This message is for the addressee."),
        ("See you there.", "The information in this e-mail is confidential and may be privileged."),
        ("See you there.", "----------\nSent from my BlackBerry"),
        ("See you there.", "To unsubscribe, write to the list."),
    ],
)
def test_signatures_are_cut(body: str, signature: str) -> None:
    """Telephone numbers, titles and disclaimers would count as content."""
    assert said(split_zones(f"{body}\n\n{signature}")) == (body, "", signature)
    replied = split_zones(f"{body}\n\n{signature}\n\n-----Original Message-----\nFrom: Bob\nSent: now\nTo: Ann\n\nx")
    assert (replied.new_text, replied.signature) == (body, signature)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks!",
        "Thank you",
        "Thanks,\nAnn",
        "Please call Bob.\n\nThanks",
        "The answer is no.\n\nWith the best of plans we still fail, and I think that we should wait for Bob.",
        "Thanks for the plan.\nI will read it and tell you what I think of it tomorrow.",
        "Call me at 555-010-0100 when you are there.",
        "One thing.\n\nSent from my desk, it was the better one.",
        "The page is here.\nhttps://x.test/page",
        "--\nno text above",
        "One thing.\n\nWe are sent from the other office to help.",
        "Numbers for you all:\n555-010-0100\n555-010-0101",
        "A question. Where is Bob?\nBest in the office?",
        "Agenda\n\nKind of work: review the plan, then ask the others about it.",
    ],
)
def test_words_like_a_signature_stay(text: str) -> None:
    """What the sender wants to say would be hidden."""
    assert split_zones(text) == Zones(text, "", "")


def test_sender_name_is_a_signature() -> None:
    """The name below a mail would count as content."""
    text = "I will be late.\nAnn Mary Example"
    assert split_zones(text).signature == ""
    assert split_zones(text, sender="Ann Example <ann@x.test>") == Zones("I will be late.", "", "Ann Mary Example")
    assert split_zones("I was there.\nX Test", sender="ann@x.test").signature == ""
    assert split_zones("I was there.\n" + "Ann " * 15, sender="ann@x.test").signature == ""


def test_long_block_or_footer_is_content() -> None:
    """A long list below a sign-off or a rule would be hidden."""
    names = "\n".join(f"Name{n} Example" for n in range(30))
    assert "Name0 Example" in split_zones(f"The list.\n\nThanks,\n{names}").new_text
    lines = "\n".join(f"line {n} of the text is here." for n in range(60))
    assert split_zones(f"Intro.\n-- \n{lines}").signature == ""


def test_line_ends_of_every_kind() -> None:
    """A text with CR LF would be one line."""
    assert (
        split_zones("a b\r\n> q\r\n") == split_zones("a b\n> q\n") == split_zones("a b\r> q") == Zones("a b", "> q", "")
    )
    assert split_zones("") == split_zones(" \n\n") == Zones("", "", "")
    assert split_zones("> only") == Zones("", "> only", "")


def test_session_with_a_prompt_is_new() -> None:
    """The code that somebody asks about would be taken for a quote."""
    text = "What is wrong here?\n> x <- read.table(file)\n> summary(x)\nError\n> \n\nThanks a lot for looking"
    assert split_zones(text) == Zones(text, "", "")
    assert split_zones("Yes.\n> Is (x) right?\n> f(x)\n> Or not?").quoted_text == "> Is (x) right?\n> f(x)\n> Or not?"


def test_html_that_is_only_indented_is_new() -> None:
    """An invitation that somebody set in an indented block would be empty."""
    html = "<blockquote>Come to the party.<br>On Monday</blockquote>"
    assert split_zones("> Come to the party.\n>\n> On Monday", html=html).new_text.startswith("> Come to the party.")
    assert split_zones("> Come to the party.\n\nNo.", html=html).new_text == "No."
