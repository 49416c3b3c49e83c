"""What corrections teach: the next mail of that sender moves, others hardly, a trap never."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_emails_assets.classification.classifier import Classifier
from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.learned import MAX_WEIGHT, Corrected, LearnedSigns
from rl_emails_assets.classification.verdict import CATEGORIES, Category

CLASSIFIER = Classifier.load()
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
LETTER = ClassifierInput(
    subject="What the tide brought in",
    new_text="In this issue: three shells and a shoe. Read more on our site.",
    text="In this issue: three shells and a shoe. Read more on our site.",
    from_name="Shoreline Notes",
    from_address="notes@shoreline.example",
    headers={"list-unsubscribe": "<https://shoreline.example/u>"},
    is_owner_in_to=True,
)


def corrected(
    now: Category, was: Category = "newsletter", sender: str = "notes@shoreline.example", hours: int = 0, **more: str
) -> Corrected:
    fields = {"list_id": "", "subject": "Something"} | more
    return Corrected(from_address=sender, was=was, now=now, at=NOON + timedelta(hours=hours), **fields)


def category_after(mail: ClassifierInput, *rows: Corrected) -> Category:
    signs = LearnedSigns.from_corrections(rows)
    learned = signs.signs_for(mail.from_address, mail.headers.get("list-id", ""), mail.subject)
    return CLASSIFIER.classify(replace(mail, learned=learned)).category


def test_one_correction_moves_the_next_mail_of_the_sender() -> None:
    """A correction that changes nothing: the person would make it again, and then no more."""
    assert category_after(LETTER) == "newsletter"
    assert category_after(LETTER, corrected("promotion")) == "promotion"
    assert category_after(LETTER, corrected("person")) == "person"


def test_it_stands_in_the_evidence() -> None:
    """A verdict moved by the owner's own word that names other reasons."""
    learned = LearnedSigns.from_corrections([corrected("promotion")]).signs_for("notes@shoreline.example", "", "x y")
    verdict = CLASSIFIER.classify(replace(LETTER, learned=learned))
    said = [item for item in verdict.evidence if item.source == "learned"]
    assert [(item.supports, item.weight) for item in said] == [("category", pytest.approx(4.4))]
    against = CLASSIFIER.classify(replace(LETTER, learned={"newsletter": -9.0}))
    assert against.category != "newsletter"
    assert "no newsletter" in next(item.quote for item in against.evidence if item.source == "learned")
    # Where the winner's own signs stand, they are kept and nothing is added.
    slight = CLASSIFIER.classify(replace(LETTER, learned={"person": -0.5}))
    assert not [item for item in slight.evidence if item.source == "learned"]


def test_a_rule_moves_too_unless_it_is_overwhelming() -> None:
    """A build server that a list's header makes a list for ever; or an invitation that one slip turns into a letter."""
    over = replace(LETTER, headers={"list-id": "<shore.example>", "list-post": "<mailto:a@shore.example>"})
    assert category_after(over) == "mailing_list"
    assert category_after(over, corrected("newsletter", "mailing_list")) == "newsletter"
    invitation = replace(LETTER, has_calendar=True, calendar_method="REQUEST")
    assert category_after(invitation, corrected("person", "calendar")) == "calendar"


def test_a_trap_stays_a_trap() -> None:
    """A forged sender whom the owner once called a person opens the door to every lure in that name."""
    trap = ClassifierInput(
        from_address="notes@shoreline.example", new_text="See the file.", attachment_names=("a.exe",)
    )
    rows = [corrected("person", "suspicious", hours=hour) for hour in range(5)]
    assert category_after(trap, *rows) == "suspicious"
    assert category_after(LETTER, corrected("suspicious")) == "suspicious"


def test_the_owners_own_mail_is_the_owners() -> None:
    """A correction of the owner's address that turns what the owner writes into newsletters."""
    own = replace(LETTER, is_from_owner=True)
    assert category_after(own, corrected("promotion", "person")) == "person"


def test_it_fades_for_other_senders() -> None:
    """One word about one sender that recolours the whole mailbox."""
    signs = LearnedSigns.from_corrections([corrected("promotion")])
    own = signs.signs_for("notes@shoreline.example", "", "anything else")
    colleague = signs.signs_for("desk@shoreline.example", "", "anything else")
    assert signs.signs_for("someone@elsewhere.example", "", "anything else") == {}
    assert own["promotion"] > 4 * colleague["promotion"] > 0
    other = replace(LETTER, from_address="desk@shoreline.example")
    assert category_after(other, corrected("promotion")) == "newsletter"
    free = LearnedSigns.from_corrections([corrected("promotion", sender="a@gmail.com")])
    assert free.signs_for("b@gmail.com", "", "anything else") == {}


def test_many_senders_agreeing_move_another() -> None:
    """Ten corrected addresses of one shop, and the eleventh begins anew."""
    rows = [corrected("promotion", sender=f"n{number}@shoreline.example") for number in range(10)]
    assert LearnedSigns.from_corrections(rows).signs_for("new@shoreline.example", "", "x y")["promotion"] == 2.0
    one_busy = [corrected("promotion", hours=number) for number in range(10)]
    assert LearnedSigns.from_corrections(one_busy).signs_for("new@shoreline.example", "", "x y")["promotion"] < 1.0


def test_the_list_and_the_subject_teach() -> None:
    """A list's mail comes from a hundred senders, a system's from ever new addresses."""
    rows = [corrected("notification", "mailing_list", list_id="Tides <tides.harbor.example>", subject="Gauge 4 failed")]
    signs = LearnedSigns.from_corrections(rows)
    assert signs.signs_for("x@y.example", "<TIDES.harbor.example>", "")["notification"] == 4.4
    assert signs.signs_for("x@y.example", "", "Re: gauge 7 failed")["notification"] == pytest.approx(0.8)
    assert signs.signs_for("x@y.example", "", "gauge") == {}


def test_the_last_word_counts() -> None:
    """A slip of the finger that cannot be taken back."""
    rows = [corrected("promotion"), corrected("newsletter", "promotion", hours=1)]
    signs = LearnedSigns.from_corrections(reversed(rows)).signs_for("notes@shoreline.example", "", "x y")
    assert signs["newsletter"] > 3
    assert signs["promotion"] < 0
    assert category_after(LETTER, *rows) == "newsletter"
    firm = [corrected("promotion", hours=hour) for hour in range(3)]
    assert LearnedSigns.from_corrections(firm).signs_for("notes@shoreline.example", "", "x y")["promotion"] > 6


_ROWS = st.lists(
    st.builds(
        Corrected,
        from_address=st.sampled_from(["", "a@b.example", "c@b.example", "d@gmail.com", "A@B.example"]),
        list_id=st.sampled_from(["", "<l.example>", "List <l.example>"]),
        subject=st.text(max_size=20),
        was=st.sampled_from(CATEGORIES),
        now=st.sampled_from(CATEGORIES),
        at=st.datetimes(min_value=datetime(2020, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - naive bounds wanted
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(_ROWS, st.randoms(use_true_random=False))
def test_it_is_the_same_in_any_order_and_after_storing(rows: list[Corrected], shuffler: object) -> None:
    """Two workers that learned different things from the same corrections; a stored version that reads otherwise."""
    signs = LearnedSigns.from_corrections(rows)
    again = list(rows)
    shuffler.shuffle(again)  # type: ignore[attr-defined]
    assert LearnedSigns.from_corrections(again).version == signs.version
    stored = LearnedSigns.from_json(json.loads(json.dumps(signs.to_json())))
    assert stored.version == signs.version
    for row in rows:
        found = stored.signs_for(row.from_address, row.list_id, row.subject)
        assert found == signs.signs_for(row.from_address, row.list_id, row.subject)
        assert all(category in CATEGORIES and abs(weight) <= MAX_WEIGHT for category, weight in found.items())


def test_nothing_of_the_mail_is_kept() -> None:
    """Addresses and subjects inside a model."""
    row = corrected("promotion", list_id="<tides.example>", subject="Gauge four failed")
    content = json.dumps(LearnedSigns.from_corrections([row]).to_json())
    assert not any(word in content for word in ("shoreline", "notes", "tides", "gauge"))
    assert LearnedSigns.from_json({"weights": {"s0": {"unheard_of": 1.0}}}).signs_for("a@b.example", "", "") == {}
