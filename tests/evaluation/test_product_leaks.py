"""The same for the product: what is served of a message depends neither on later mail nor on where it was filed."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.flow import run_flow
from tests.small_mailbox import OWNER, conversation, mail

# Bookkeeping (where a row lies, which run wrote it) is each mailbox's own, and so is its owner's address.
_SERVED = text(
    """
    select m.rfc822_message_id,
           to_jsonb(s) - array['message_id', 'mailbox_id', 'thread_id', 'run_id', 'computed_at', 'place_hash'] as told,
           c.category, c.needs, c.urgency, c.confidence, replace(c.evidence::text, :owner, 'owner') as evidence,
           p.score, p.contributions, p.reasons
    from mail.messages m
    join signals.messages s using (message_id)
    join classifications.messages c using (message_id)
    join priorities.messages p using (message_id)
    where m.mailbox_id = :mailbox
    """
)


@pytest.fixture
def served(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> Callable[..., dict[str, Any]]:
    """Imports messages as one mailbox of its own, and says what is served of each: `served(messages, folder=...)`."""
    count = 0

    def run(messages: list[bytes], folder: str = "inbox") -> dict[str, Any]:
        nonlocal count
        count += 1
        owner = f"owner{count}@example.org"
        own = [message.replace(OWNER.encode(), owner.encode()) for message in messages]
        step = steps_on(write_folder(own, root=f"mail{count}", name=folder), owner, run_id=f"run-{count}")
        run_flow(step)
        with engine.connect() as connection:
            rows = connection.execute(_SERVED, {"mailbox": step.mailbox_id, "owner": owner}).all()
        return {row[0]: tuple(row[1:]) for row in rows}

    return run


def future(seed: int) -> list[bytes]:
    """Later mail of the same people and of strangers, at shuffled times, with answers to what was asked before."""
    chance = random.Random(seed)  # noqa: S311 - chance, no secret
    hours = [5000 + 10.0 * at for at in range(12)]
    chance.shuffle(hours)
    later = [
        mail(
            500 + week, OWNER, to="ada@one.example", subject=f"Re: Plan {week}", hours=hours[week], in_reply_to=5 * week
        )
        for week in range(6)
    ]
    later += [
        mail(600 + at, chance.choice(("Bo <bo@two.example>", "x@else.example")), subject=f"Re: Numbers {at}",
             hours=hours[6 + at], in_reply_to=5 * at + 3, body="Can you decide by tomorrow?")
        for at in range(6)
    ]  # fmt: skip
    chance.shuffle(later)
    return later


def test_what_is_served_is_the_same_whatever_comes_later(served: Callable[..., dict[str, Any]]) -> None:
    """Figures measured on a whole history would not hold on the first day of the same mailbox."""
    told = served(conversation())
    assert len(told) == 30
    for seed in (1, 2):
        mixed = [*conversation(), *future(seed)]
        random.Random(seed).shuffle(mixed)  # noqa: S311 - chance, no secret
        found = served(mixed)
        assert len(found) == 42
        assert {key: found[key] for key in told} == told


def test_what_is_served_is_the_same_in_whatever_folder_it_lies(served: Callable[..., dict[str, Any]]) -> None:
    """Where its reader filed a message is the answer to what the ranker is asked; only a provider's own sorting (spam,
    promotions, ...) may be read, and that only by the classifier."""
    assert served(conversation(), "Projects") == served(conversation(), "deleted items") == served(conversation())
