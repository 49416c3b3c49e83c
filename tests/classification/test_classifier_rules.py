"""Single rules: which header, sender or date says what, and which rule comes first."""

from datetime import UTC, datetime

import pytest

from rl_emails_assets.classification import lexer, words
from rl_emails_assets.classification.categories import Finding, decide, decide_first, discussion_list
from rl_emails_assets.classification.classifier import Classifier
from rl_emails_assets.classification.cues import IMPERATIVES
from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.lexer import Lexer, sentences
from rl_emails_assets.classification.reading import Reading
from rl_emails_assets.classification.senders import read_sender
from rl_emails_assets.classification.suspicion import _CREDENTIAL_LURES, _LURE_WORDS, borrowed_brand, suspicion
from rl_emails_assets.classification.urgency import urgency_of
from rl_emails_assets.classification.verdict import Verdict

CLASSIFIER = Classifier.load()
WEDNESDAY = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
TEXT = "The harbour office writes a few words here about the quay and the crane that stands on it."


def verdict(**given: object) -> Verdict:
    return CLASSIFIER.classify(ClassifierInput(**given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "category"),
    [
        ({"headers": {"content-class": "urn:content-classes:calendarmessage"}}, "calendar"),
        ({"headers": {"content-type": "multipart/report; report-type=delivery-status"}}, "automatic"),
        ({"headers": {"precedence": "auto_reply"}}, "automatic"),
        ({"headers": {"x-autoreply": "yes"}}, "automatic"),
        ({"headers": {"x-failed-recipients": "a@b.example"}}, "automatic"),
        ({"subject": "Read: Crane plan"}, "automatic"),
        ({"subject": "Cron job backup"}, "automatic"),
        ({"headers": {"x-beenthere": "sailors@sail.example"}}, "mailing_list"),
        ({"headers": {"mailing-list": "list sailors@sail.example"}}, "mailing_list"),
        ({"headers": {"list-id": "<sailors.sail.example>", "precedence": "list"}}, "mailing_list"),
        ({"headers": {"sender": "sailors-bounces@sail.example"}}, "mailing_list"),
        ({"headers": {"list-post": "NO", "list-id": "<n.sail.example>"}, "subject": "News"}, "newsletter"),
        ({"headers": {"auto-submitted": "auto-generated"}, "subject": "Disk alert"}, "notification"),
        ({"headers": {"x-github-reason": "mention"}, "from_address": "notifications@git.example"}, "notification"),
        ({"headers": {"list-id": "<tides.harbor.github.com>"}, "from_address": "lena@x.example"}, "notification"),
        (
            {"from_address": "no-reply@github.com", "subject": "Your receipt", "new_text": "Invoice: $4.00 paid"},
            "receipt",
        ),
        ({"headers": {"x-spam-flag": "YES"}, "subject": "FREE cash prize", "new_text": "Act now! Win $1"}, "promotion"),
        ({"headers": {"auto-submitted": "auto-generated"}, "from_address": "calendar@x.example"}, "calendar"),
        ({"headers": {"list-unsubscribe": "<x>"}, "subject": "Ropes from €9"}, "promotion"),
        (
            {"headers": {"list-post": "<a>", "auto-submitted": "auto-generated"}, "subject": "Disk alert"},
            "notification",
        ),
        ({"from_address": "robert.long@github.com", "from_name": "Robert Long"}, "person"),
        ({"from_address": "e.m@x.com", "from_name": "Emma Moor"}, "person"),
        ({"subject": "Re: [EXTERNAL] Quay", "from_name": "Emma Moor", "from_address": "e@m.example"}, "person"),
        ({"subject": "Quay", "has_calendar": True, "new_text": "See you"}, "calendar"),
        ({"subject": "Your ticket order", "has_calendar": True, "from_address": "orders@t.example"}, "receipt"),
    ],
)
def test_a_sign_decides(given: dict[str, object], category: str) -> None:
    """A header or address whose meaning was lost."""
    found = verdict(**({"new_text": TEXT, "is_owner_in_to": True, "to_count": 1} | given))
    assert found.category == category, found


def first_rule(given: ClassifierInput) -> Finding | None:
    reading = Reading(given, Lexer())
    return decide_first(reading) or decide(reading, 0.0, *suspicion(reading, is_list=discussion_list(reading)[0]))


def test_rules_run_in_their_order() -> None:
    """A later rule taking what an earlier one should: own before calendar part, calendar before list, list last."""
    everything = {
        "headers": {
            "list-post": "<mailto:a@b.example>",
            "auto-submitted": "auto-replied",
            "x-github-reason": "mention",
        },
        "has_calendar": True,
        "calendar_method": "REQUEST",
        "from_address": "a@linkedin.com",
        "from_name": "PayPal",
        "has_mismatched_link": True,
        "attachment_names": ("a.exe",),
    }
    order = []
    for dropped in ("calendar_method", "headers.auto-submitted", "attachment_names", "from_address", "headers.x"):
        found = first_rule(ClassifierInput(**everything))  # type: ignore[arg-type]
        assert found is not None
        order.append(found.rule)
        if dropped == "calendar_method":
            everything |= {"has_calendar": False, "calendar_method": ""}
        elif dropped.startswith("headers.a"):
            everything["headers"] = {"list-post": "<mailto:a@b.example>", "x-github-reason": "mention", "list-id": "a"}
        elif dropped == "attachment_names":
            everything |= {"attachment_names": (), "has_mismatched_link": False}
        elif dropped == "from_address":
            everything["from_address"] = "a@b.example"
        else:
            everything["headers"] = {"list-post": "<mailto:a@b.example>"}
    last = first_rule(ClassifierInput(**everything))  # type: ignore[arg-type]
    assert last is not None
    assert [*order, last.rule] == ["calendar", "automatic", "trap", "social", "service", "list"]


def test_the_owners_own_absence_notice_is_automatic() -> None:
    """An automatic answer of the owner shown as a letter of the owner; it needs nothing either way."""
    found = verdict(is_from_owner=True, subject="Out of Office: quay", new_text="I am away.")
    assert (found.category, found.needs) == ("automatic", "nothing")


def test_spam_over_a_list_is_no_discussion() -> None:
    """A list's header washing mail that sells; a member's answer, or a short note, stays with the list."""
    sells = (
        "Act now! FREE money guaranteed, click here to order today and save 90% on your mortgage! Limited time offer, "
        "no obligation, risk free. Call now, lowest rates, 100% guaranteed income, earn cash from home! To be removed "
        "from our mailing click below. Order now!!!"
    )
    over = {
        "headers": {
            "list-post": "<mailto:a@b.example>",
            "date": "Tue, 3 Mar 2026 10:00:00",
            "content-type": "text/html",
        },
        "subject": "Make money fast!!!",
        "new_text": sells,
        "from_address": "x8812@quick.example",
    }
    assert verdict(**over).category == "promotion"
    assert verdict(**(over | {"subject": "Re: Make money"})).category == "promotion"
    assert verdict(**(over | {"is_reply": True})).category == "mailing_list"
    assert verdict(**(over | {"sender_replied_count": 1, "is_reply_to_owner": True})).category == "mailing_list"


@pytest.mark.parametrize(
    ("given", "quote"),
    [
        ({"attachment_names": ("order.docm",)}, "order.docm"),
        ({"headers": {"authentication-results": "mx; dmarc=fail"}}, "dmarc=fail"),
        ({"new_text": "I recorded you with your webcam. Send bitcoin."}, "bitcoin"),
        ({"from_address": "x@shop.example", "reply_to_address": "x@gmail.com"}, "Reply-To"),
        ({"from_name": "PayPal", "from_address": "x@y.example"}, "paypal"),
        ({"new_text": "Your mailbox is full"}, "mailbox is full"),
    ],
)
def test_signs_of_a_trap(given: dict[str, object], quote: str) -> None:
    """A sign that is no longer seen; alone none of them condemns but blackmail."""
    log_odds, signs = suspicion(Reading(ClassifierInput(**given), Lexer()), is_list=False)  # type: ignore[arg-type]
    assert any(quote in item.quote for item in signs)
    assert (log_odds >= 0) == ("bitcoin" in quote)


def test_known_senders_and_lists_are_trusted_more() -> None:
    """A friend's odd attachment condemned like a stranger's."""
    stranger = ClassifierInput(attachment_names=("tide.jar",))
    friend = ClassifierInput(attachment_names=("tide.jar",), sender_replied_count=3)
    assert suspicion(Reading(stranger, Lexer()), is_list=False)[0] > 0
    assert suspicion(Reading(stranger, Lexer()), is_list=True)[0] < 0
    assert suspicion(Reading(friend, Lexer()), is_list=False)[0] < 0


@pytest.mark.parametrize(
    ("name", "domain", "brand"),
    [
        ("PayPal", "paypal.com", ""),
        ("PayPal", "mail.paypal.co.uk", ""),
        ("Billing", "paypa1.com", "paypal"),
        ("Wells Fargo", "secure.example", "wellsfargo"),
        ("Support", "amazon-refund.example", "amazon"),
        ("Support", "my-netflix.example", "netflix"),
        ("Anna Berg", "berg.example", ""),
        ("PayPal", "", ""),
    ],
)
def test_borrowed_names(name: str, domain: str, brand: str) -> None:
    """A look-alike taken for the brand, or the brand's own domains for a look-alike."""
    assert borrowed_brand(name, domain) == brand


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("Please send it on 3/6.", "this_week"),
        ("Please send it by 3/4/2026.", "today"),
        ("Please send it by 3/4/26.", "today"),
        ("Please send it by 25/3.", "whenever"),
        ("Please send it by 13/13.", "whenever"),
        ("Please send it by 6.3.", "this_week"),
        ("Please send it by 2026-03-09.", "this_week"),
        ("Please send it by 2026-13-40.", "whenever"),
        ("Please send it by March 5.", "this_week"),
        ("Please send it by the 5th of March.", "this_week"),
        ("Please send it by room 5.", "whenever"),
        ("Please send it, we met on 1/3.", "whenever"),
        ("Please send it by Wednesday.", "today"),
        ("Please send it by Thursday.", "this_week"),
        ("Please send it next Thursday.", "whenever"),
        ("Please send it as soon as possible.", "today"),
        ("Please send it. It must be there by noon.", "today"),
        ("Please send it within 48 hours.", "this_week"),
    ],
)
def test_dates_against_the_day_it_came(text: str, urgency: str) -> None:
    """A day read against the wrong day, month or year, or a past day that hurries."""
    found = verdict(new_text=text, received_at=WEDNESDAY, to_count=1, is_owner_in_to=True, is_owner_only_recipient=True)
    assert found.needs != "read"
    assert found.urgency == urgency, found


def test_without_a_time_of_arrival_no_date_is_read() -> None:
    """A date compared with the clock of the machine: the verdict would change from day to day."""
    assert verdict(new_text="Please send it by 3/4.", is_owner_only_recipient=True).urgency == "whenever"


def test_january_in_december_is_next_month() -> None:
    """A date without a year taken for one of eleven months ago."""
    december = datetime(2026, 12, 30, tzinfo=UTC)
    found = verdict(new_text="Please send it by January 3.", received_at=december, is_owner_only_recipient=True)
    assert found.urgency == "this_week"


@pytest.mark.parametrize(
    ("hours", "urgency"), [(1, "now"), (20, "today"), (100, "this_week"), (400, "whenever"), (-5, "whenever")]
)
def test_a_meeting_is_as_near_as_its_start(hours: int, urgency: str) -> None:
    """A meeting that has begun or is far off shown as urgent."""
    starts = datetime.fromtimestamp(WEDNESDAY.timestamp() + hours * 3600, tz=UTC)
    given = {"has_calendar": True, "calendar_method": "REQUEST", "calendar_starts_at": starts}
    assert verdict(received_at=WEDNESDAY, **given).urgency == urgency


def test_a_start_without_a_zone_counts_as_utc() -> None:
    """A naive start compared with an aware arrival: a TypeError in the middle of a run."""
    starts = datetime(2026, 3, 4, 10, 0)  # noqa: DTZ001 - what a broken calendar part gives
    given = {"has_calendar": True, "calendar_method": "REQUEST", "calendar_starts_at": starts}
    assert verdict(received_at=WEDNESDAY, **given).urgency == "now"


@pytest.mark.parametrize(
    "header", ["importance:high", "priority:urgent", "x-priority:1 (Highest)", "x-msmail-priority:High"]
)
def test_marked_important(header: str) -> None:
    """A mark of importance that some mailer writes in its own header."""
    name, _, value = header.partition(":")
    reading = Reading(ClassifierInput(subject="Quay", headers={name: value}), Lexer())
    assert urgency_of(reading, "person", "reply", ())[0] == "today"
    assert urgency_of(reading, "person", "read", ())[0] == "whenever"


def test_every_lure_holds_a_word_of_the_cheap_look() -> None:
    """A lure added to the list that the look before it never lets through."""
    lexer_ = Lexer()
    assert all(not _LURE_WORDS.isdisjoint(lexer_.tokens(lure)) for lure in _CREDENTIAL_LURES)


def test_no_payment_due_is_no_task() -> None:
    """A receipt that says nothing is owed, filed as a bill."""
    found = verdict(
        from_address="billing@rope.example",
        subject="Your receipt",
        new_text="Amount due: $0.00. No payment is due. Total: $12.00 was paid for your order.",
    )
    assert (found.category, found.needs) == ("receipt", "nothing")


@pytest.mark.parametrize(("opening", "needs"), [("You paid", "nothing"), ("Your last payment was declined:", "task")])
def test_a_standing_line_about_payment_is_no_task(opening: str, needs: str) -> None:
    """Every receipt of a subscription filed as a problem with the card."""
    text = f"{opening} $12.00. You can update your payment information here. Your receipt, order 12. Total: $12.00"
    found = verdict(from_address="billing@rope.example", subject="Your receipt", new_text=text)
    assert (found.category, found.needs) == ("receipt", needs)


def test_a_task_for_others_can_be_delegated() -> None:
    """Work asked of others, the owner only copied, shown as the owner's own."""
    text = "Tom, please prepare the crane. You must also fix the gate and clean the pump."
    found = verdict(new_text=text, from_name="Mira Holt", from_address="m@harbor.example", to_count=1, cc_count=1,
                    is_owner_in_cc=True)  # fmt: skip
    assert (found.needs, found.handler) == ("task", "delegate")


@pytest.mark.parametrize(
    ("name", "address", "kind", "is_person"),
    [
        ("Anna Berg", "ab12@x.example", "", True),
        ("", "anna.berg@x.example", "", True),
        ("", "a..howard@x.example", "", True),
        ("", "anna2.berg@x.example", "", False),
        ("Rope Weekly", "hello@x.example", "role", False),
        ("Anna", "anna@x.example", "", False),
        ("Mail Delivery Subsystem", "x@x.example", "daemon", False),
        ("", "news4@x.example", "news", False),
    ],
)
def test_sender_shapes(name: str, address: str, kind: str, is_person: bool) -> None:
    """A person taken for a department, or a program for a person."""
    sender = read_sender(name, address)
    assert (sender.kind, sender.has_person_name) == (kind, is_person)


def test_sentences_are_unwrapped_and_cut() -> None:
    """A request cut in two by a wrapped line, glued to a list item, or lost behind an abbreviation."""
    text = (
        "Dear Ida,\n\n"
        "please ask Mr. Holm about the crane that stands at the\nsouthern quay, e.g. its age. Is it ours?\n"
        "> an older line?\n- the first\n- the second\n你好。请回复。\n"
        "A line that is long enough to go on and on and on."
    )
    assert sentences(text) == [
        "Dear Ida,",
        "please ask Mr. Holm about the crane that stands at the southern quay, e.g. its age.",
        "Is it ours?",
        "- the first",
        "- the second",
        "你好。",
        "请回复。",
        "A line that is long enough to go on and on and on.",
    ]


def test_quotes_and_bullets_end_a_paragraph() -> None:
    """A long line glued to the quoted line or the bullet below it."""
    long = "This line is long enough that the next one would be taken for its rest"
    assert sentences(f"{long}\n> quoted\n{long}\n* item\n> again") == [long, long, "* item"]


def test_only_so_many_sentences_are_read() -> None:
    """Work that grows with the mail."""
    assert len(sentences("Go. " * 5000)) == lexer.MAX_SENTENCES


def test_tokens_are_classes_where_words_would_identify() -> None:
    """A model that learns hosts, addresses, dates or amounts."""
    tokens = Lexer().tokens("Mail anna@b.example or www.b.example by Friday, March 12: $3.50 isn’t much？")
    assert tokens == ["mail", "<address>", "or", "<url>", "by", "<weekday>", "<month>", "<number>", "$", "<number>",
                      "isn't", "much", "?"]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("the cat and the dog", "en"),
        ("und die Katze ist nicht da", "de"),
        ("le chat est dans la maison", "fr"),
        ("el gato está en la casa del", "es"),
        ("het is een kat", "nl"),
        ("猫", ""),
        ("xyz", "en"),
    ],
)
def test_languages(text: str, language: str) -> None:
    """The English model asked about another language."""
    assert Reading(ClassifierInput(new_text=text), Lexer()).language == language


def test_every_listed_word_is_one_token() -> None:
    """A word in a list that no text can match, because the lexer cuts it in two."""
    cutter = Lexer()
    sets = [value for value in vars(words).values() if isinstance(value, frozenset)]
    listed = {word for found in [*sets, *words.STOPWORDS.values(), IMPERATIVES] for word in found}
    assert [word for word in sorted(listed) if cutter.tokens(word) != [word]] == []


@pytest.mark.parametrize("count", [0, 5, 40])
def test_a_sender_never_answered_is_less_of_a_person(count: int) -> None:
    """Years of mail that the owner never answered counting like a friend's first letter."""
    given = {"new_text": TEXT, "from_address": "crane@office.example", "to_count": 1, "is_owner_in_to": True}
    never, answered = verdict(**given, sender_sent_count=count), verdict(**given, sender_replied_count=1 + count)
    assert answered.category == "person"
    assert answered.confidence > never.confidence or never.category != "person"
