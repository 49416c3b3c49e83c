"""What the engines make of the sample mailbox, against what its author wrote down."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.commands.demo import ADDRESS, ALIAS, NAME
from rl_emails_assets.db.mailbox_rows import connect_files
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.flow import run_flow

SAMPLE = resources.files("rl_emails_assets.sample")
ACTIONABLE = {"reply", "decision", "task"}
LEAST_CATEGORY = 0.85
LEAST_ACTIONABLE = 0.80
LEAST_TASKS = 0.60


@pytest.fixture
def judged(engine: Engine, settings: Settings) -> dict[str, dict[str, Any]]:
    """What was decided about each message of the sample, by Message-ID."""
    with resources.as_file(SAMPLE.joinpath("mailbox.mbox")) as path, engine.begin() as connection:
        source = {"path": str(Path(path)), "kind": "mbox"}
        mailbox = connect_files(connection, ADDRESS, source, aliases=[ALIAS], display_name=NAME)
    run_flow(StepContext(engine, mailbox.mailbox_id, "sample", settings.model_copy(update={"batch_size": 200})))
    query = text(
        "select m.rfc822_message_id, c.category, c.needs, p.score, "
        "  array(select t.owner from entities.tasks t where t.message_id = m.message_id) as owners "
        "from mail.messages m join classifications.messages c using (message_id) "
        "join priorities.messages p using (message_id)"
    )
    with engine.connect() as connection:
        return {row["rfc822_message_id"]: dict(row) for row in connection.execute(query).mappings()}


def _expected() -> dict[str, dict[str, Any]]:
    messages: dict[str, dict[str, Any]] = json.loads(SAMPLE.joinpath("expected.json").read_text())["messages"]
    return {key.strip("<>"): value for key, value in messages.items()}


def _share(pairs: list[tuple[Any, Any]]) -> float:
    return sum(1 for one, other in pairs if one == other) / len(pairs)


def test_the_first_thing_people_see_is_mostly_right(judged: dict[str, dict[str, Any]]) -> None:
    """A demo whose newsletters are people and whose deadlines are news would send everybody away."""
    expected = {key: value for key, value in _expected().items() if key in judged}
    assert len(expected) >= 120
    categories = [(value["category"], judged[key]["category"]) for key, value in expected.items()]
    # Which of reply, decision and task, or of read and nothing, two people would not agree on either.
    actionable = [(value["needs"] in ACTIONABLE, judged[key]["needs"] in ACTIONABLE) for key, value in expected.items()]
    tasks = [
        (task["owner"] in judged[key]["owners"], True) for key, value in expected.items() for task in value["tasks"]
    ]
    assert _share(categories) >= LEAST_CATEGORY
    assert _share(actionable) >= LEAST_ACTIONABLE
    assert _share(tasks) >= LEAST_TASKS


def test_what_needs_the_owner_stands_above_what_does_not(judged: dict[str, dict[str, Any]]) -> None:
    """An order that chance would give is no priority inbox (the share of pairs in the right order, as AUC)."""
    expected = {key: value for key, value in _expected().items() if key in judged}
    high = [judged[key]["score"] for key, value in expected.items() if value["needs"] in ACTIONABLE]
    low = [judged[key]["score"] for key, value in expected.items() if value["needs"] not in ACTIONABLE]
    assert sum(one > other for one in high for other in low) / (len(high) * len(low)) >= 0.84
