"""Questions: what somebody waits to have answered, and nothing that only ends in a question mark."""

from datetime import UTC, datetime

import pytest

from rl_emails_assets.extraction.questions import MAX_QUESTIONS, find_questions
from rl_emails_assets.extraction.task_input import TaskInput
from rl_emails_assets.extraction.tasks import Task, find_tasks
from rl_emails_assets.mail.message import Address

OWNER, ANN, BEN = (
    Address("Nina Berg", "nina@x.example"),
    Address("Ann Lind", "ann@y.example"),
    Address("Ben", "b@z.example"),
)


def _questions(
    text: str,
    *,
    sender: Address = ANN,
    to: tuple[Address, ...] = (OWNER,),
    cc: tuple[Address, ...] = (),
    category: str = "person",
    needs: str = "",
) -> tuple[Task, ...]:
    message = TaskInput(
        new_text=text,
        subject="",
        from_name=sender.name,
        from_address=sender.address,
        to=to,
        cc=cc,
        owner_names=(OWNER.name,),
        owner_addresses=(OWNER.address,),
        is_from_owner=sender == OWNER,
        written_at=datetime(2026, 5, 6, tzinfo=UTC),
        category=category,
        needs=needs,
    )
    return find_questions(message, find_tasks(message))


@pytest.mark.parametrize(
    "text",
    ["Is the budget final?", "What is the status of the permit?", "Hi Nina,\nwhere is the key?", "Do you have it ?",
     "So, which room do we take?", "Why not on Monday?"],
)  # fmt: skip
def test_a_question_to_the_owner_waits_for_them(text: str) -> None:
    (found,) = _questions(text)
    assert (found.kind, found.owner, found.owner_address) == ("question", "me", OWNER.address)
    assert found.description.startswith("Answer: ")
    assert text[found.evidence_start : found.evidence_end] == found.evidence


@pytest.mark.parametrize(
    "text",
    ["How are you?", "Hi Nina, how is it going?", "That is great, isn't it?", "Really?", "Any questions?", "Why not?",
     "See https://x.example/a?", "> Is the budget final?", "You OK?", "Did you know that delivery is free?",
     "Can you send the plan?", "It is final.", "a" * 400 + " b?", "What?", "Guess what?"],
)  # fmt: skip
def test_what_asks_nothing_is_no_question(text: str) -> None:
    """A list of questions to answer that is full of courtesies, or has every request twice."""
    assert _questions(text) == ()


def test_a_question_of_the_owner_is_waited_for() -> None:
    (found,) = _questions("Which room are we in?", sender=OWNER, to=(ANN,))
    assert (found.owner, found.owner_address) == ("them", ANN.address)


def test_who_is_asked_nothing_is_not_asked() -> None:
    crowd = tuple(Address("", f"p{number}@x.example") for number in range(8))
    text = "Which room are we in?"
    assert _questions(text, to=(OWNER, *crowd)) == ()
    assert _questions(text, to=(BEN,), cc=(OWNER,)) == ()
    assert _questions(text, sender=OWNER, to=(OWNER,)) == ()
    assert _questions("Ben, which room are we in?", to=(OWNER, BEN)) == ()
    for category in ("newsletter", "suspicious", "notification"):
        assert _questions(text, category=category) == ()
    assert _questions(text, needs="nothing") == ()


def test_questions_are_few_and_each_once() -> None:
    assert len(_questions("Is it red?\nIs it blue?\nIs it green?\nIs it black?")) == MAX_QUESTIONS
    assert len(_questions("Is it red?\nIs it red?")) == 1


def test_a_question_may_have_a_deadline() -> None:
    (found,) = _questions("Who takes the minutes on Friday?")
    assert found.deadline is not None
    assert found.deadline.at.date().isoformat() == "2026-05-08"
