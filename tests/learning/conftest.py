"""Mailboxes that learn."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.steps import models_behaviour, models_classifier, models_ranker, models_serving
from rl_emails_assets.steps.claim_end import end_claim
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.flow import STEPS
from tests.small_mailbox import conversation

Say = Callable[..., None]
Learned = Callable[..., StepContext]


@pytest.fixture
def mailbox(steps_on: Callable[..., StepContext], write_folder: Callable[..., Path]) -> StepContext:
    """A mailbox of thirty messages, read and ranked."""
    step = steps_on(write_folder(conversation()))
    decide(step)
    return step


@pytest.fixture
def say(engine: Engine) -> Say:
    """Corrects a message: `say(step, "m3", "not_important")`, by the start of its Message-ID."""

    def corrected(step: StepContext, name: str, value: str, *, kind: str = "importance") -> None:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "insert into app.feedback (feedback_id, mailbox_id, message_id, kind, value, was, created_at) "
                    "select :feedback_id, mailbox_id, message_id, :kind, :value, "
                    "(select jsonb_build_object('category', c.category) from classifications.messages c "
                    "where c.message_id = m.message_id), clock_timestamp() "
                    "from mail.messages m where mailbox_id = :mailbox_id and rfc822_message_id = :name"
                ),
                {
                    "feedback_id": uuid.uuid4(),
                    "mailbox_id": step.mailbox_id,
                    "name": f"{name}@example.org",
                    "kind": kind,
                    "value": value,
                },
            )

    return corrected


def decide(step: StepContext, *, is_read: bool = True) -> None:
    """What a sync run does, up to the scores; without reading the source where it is to stay unread."""
    for key, run in STEPS.items():
        if (
            (is_read or key[0] != "raw")
            and key[0] not in {"mailboxes", "embeddings"}
            and key[1] not in {"projects", "people"}
        ):
            run(step)
    end_claim(step)


def learn(step: StepContext, *, promote: bool = True) -> None:
    """What a `learn` run does."""
    models_behaviour.run(step)
    models_ranker.run(step)
    models_classifier.run(step)
    if promote:
        models_serving.run(step)


def scores(engine: Engine) -> dict[str, float]:
    """By Message-ID, in short."""
    query = "select m.rfc822_message_id, p.score from priorities.messages p join mail.messages m using (message_id)"
    with engine.connect() as connection:
        return {row[0].partition("@")[0]: row[1] for row in connection.execute(text(query))}


def rows(engine: Engine, query: str, **parameters: Any) -> list[Any]:
    """The rows of a query."""
    with engine.connect() as connection:
        return list(connection.execute(text(query), parameters).all())
