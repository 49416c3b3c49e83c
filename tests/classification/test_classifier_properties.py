"""What holds for any mail whatever: no error, known values, no influence of other mail, bounded work."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_emails_assets.classification import lexer
from rl_emails_assets.classification.classifier import VERSION, Classifier
from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.shape import MARKUP_COUNTS
from rl_emails_assets.classification.verdict import CATEGORIES, HANDLERS, NEEDS, URGENCIES

CLASSIFIER = Classifier.load()

_WORDS = st.sampled_from(
    [
        *[
            "please",
            "can",
            "you",
            "send",
            "the",
            "report",
            "by",
            "tomorrow",
            "?",
            "!",
            "thanks",
            "order",
            "$12.50",
            "invoice",
            "sale",
            "%",
            "off",
            "unsubscribe",
        ],
        *[
            "newsletter",
            "password",
            "verify",
            "your",
            "account",
            "bitte",
            "könnten",
            "Sie",
            "3/12",
            "12.03.",
            "2026-03-05",
            "March",
            "5",
            "friday",
        ],
        *[
            "urgent",
            "http://a.example",
            "a@b.c",
            "re:",
            "[tag]",
            ">",
            "when:",
            "million",
            "beneficiary",
            "你好。",
            "-",
            "déjà",
        ],
        *("\n", "\n\n"),
    ]
)
_TEXT = st.one_of(st.text(max_size=200), st.lists(_WORDS, max_size=60).map(" ".join))
_ADDRESS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "a@b.c", "no-reply@shop.example", "mailer-daemon@x.y", "anna.berg@harbor.example", "@", "x@"]),
)
_HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *("list-id", "list-unsubscribe", "list-post", "precedence", "auto-submitted", "feedback-id", "sender"),
            *("content-type", "importance", "x-priority", "authentication-results", "x-spam-flag", "content-class"),
            "x-failed-recipients",
        ]
    ),
    st.one_of(st.text(max_size=60), st.sampled_from(["bulk", "list", "auto-generated", "High", "1", "dmarc=fail"])),
    max_size=5,
)
_MOMENTS = st.one_of(
    st.none(),
    st.datetimes(
        min_value=datetime(1, 1, 2),  # noqa: DTZ001 - the strategy wants naive bounds and adds the zone
        max_value=datetime(9999, 12, 30),  # noqa: DTZ001
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9)), None]),  # type: ignore[list-item]
    ),
)
INPUTS = st.builds(
    ClassifierInput,
    subject=_TEXT,
    new_text=_TEXT,
    text=_TEXT,
    from_name=st.text(max_size=30),
    from_address=_ADDRESS,
    reply_to_address=_ADDRESS,
    to_count=st.integers(0, 200),
    cc_count=st.integers(0, 200),
    is_owner_in_to=st.booleans(),
    is_owner_in_cc=st.booleans(),
    is_owner_only_recipient=st.booleans(),
    is_from_owner=st.booleans(),
    is_reply_to_owner=st.booleans(),
    owner_domain=st.sampled_from(["", "harbor.example"]),
    sender_replied_count=st.integers(0, 10_000),
    sender_sent_count=st.integers(0, 10_000),
    headers=_HEADERS,
    has_calendar=st.booleans(),
    calendar_method=st.sampled_from(["", "REQUEST", "CANCEL", "REPLY", "PUBLISH", "ODD"]),
    calendar_starts_at=_MOMENTS,
    attachment_names=st.lists(st.text(max_size=20), max_size=3).map(tuple),
    is_html_only=st.booleans(),
    link_count=st.integers(0, 100),
    has_mismatched_link=st.booleans(),
    received_at=_MOMENTS,
    rfc822_message_id=st.text(max_size=30),
    is_reply=st.booleans(),
    markup=st.dictionaries(st.sampled_from(MARKUP_COUNTS), st.integers(0, 10**9), max_size=5),
    learned=st.dictionaries(st.sampled_from(CATEGORIES), st.floats(-7, 7), max_size=3),
)


@settings(max_examples=150, deadline=None)
@given(INPUTS)
def test_any_mail_gets_a_verdict_in_the_vocabulary(inputs: ClassifierInput) -> None:
    """An exception, an unknown value or a confidence that the database would refuse."""
    verdict = CLASSIFIER.classify(inputs)
    assert verdict.category in CATEGORIES
    assert verdict.needs in NEEDS
    assert verdict.urgency in URGENCIES
    assert verdict.handler in HANDLERS
    assert 0.0 <= verdict.confidence <= 1.0
    assert {item.supports for item in verdict.evidence} == {"category", "needs", "urgency", "handler"}
    assert all(len(item.quote) <= 300 for item in verdict.evidence)


@settings(max_examples=30, deadline=None)
@given(st.lists(INPUTS, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_a_verdict_does_not_depend_on_its_neighbours(batch: list[ClassifierInput], shuffler: object) -> None:
    """Promise 5: other mail in the batch, another order, or a warm memory changes a bit of a verdict."""
    order = list(range(len(batch)))
    shuffler.shuffle(order)  # type: ignore[attr-defined]
    together = CLASSIFIER.classify_many([batch[position] for position in order])
    for place, position in enumerate(order):
        assert repr(together[place]) == repr(Classifier(CLASSIFIER._model).classify(batch[position]))


@pytest.mark.parametrize(
    "trigger", [*" \n.,!?>-_*[]()@:/'\"$0aÀ你🙂\t=%&;<", "a@", "re: ", "1/", "www.", ". ", "[a", "- ", "a.b."]
)
@pytest.mark.parametrize("place", ["subject", "new_text", "from_name", "from_address", "header", "attachment"])
def test_a_hundred_kilobytes_of_one_character(trigger: str, place: str) -> None:
    """A pattern that backtracks: the test run would stand still here."""
    long = trigger * (100_000 // len(trigger))
    inputs = {
        "subject": ClassifierInput(subject=long),
        "new_text": ClassifierInput(new_text=long, text=long, received_at=datetime(2026, 3, 4, tzinfo=UTC)),
        "from_name": ClassifierInput(from_name=long, new_text="Hello"),
        "from_address": ClassifierInput(from_address=long, reply_to_address=long, new_text="Hello"),
        "header": ClassifierInput(headers={"list-id": long, "sender": long, "auto-submitted": long}),
        "attachment": ClassifierInput(attachment_names=(long,) * 100, rfc822_message_id=long),
    }
    verdict = CLASSIFIER.classify(inputs[place])
    assert verdict.category in CATEGORIES
    assert all(len(item.quote) <= 300 for item in verdict.evidence)


def test_memories_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail of random words would fill the memory of chunks and hashes for ever."""
    from rl_emails_assets.classification import model  # noqa: PLC0415

    monkeypatch.setattr(lexer, "_MAX_MEMORY", 50)
    monkeypatch.setattr(model, "_MAX_MEMORY", 50)
    classifier = Classifier.load()
    mails = [
        ClassifierInput(new_text=f"Can you send me the {letter * count} please? the of and")
        for letter in "abcdefghij"
        for count in range(3, 20)
    ]
    small = classifier.classify_many(mails)
    assert len(classifier._lexer._seen) <= 60
    assert len(classifier._model._hashes) <= 60
    monkeypatch.undo()
    assert small == Classifier.load().classify_many(mails)


def test_the_empty_message() -> None:
    """Mail without a word, a name or a header is still somebody's row."""
    verdict = CLASSIFIER.classify(ClassifierInput())
    assert (verdict.category, verdict.needs, verdict.urgency) == ("person", "nothing", "whenever")
    assert verdict.confidence < 0.5


def test_versions_are_named() -> None:
    """A stored verdict that cannot be told from one of other rules or another model."""
    assert VERSION
    assert len(CLASSIFIER.model_version) == 12
