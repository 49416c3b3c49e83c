"""Promises 3 (raw first), 4 (one record of a decision), 6 (private and free) and what of 8 (tenants) there is."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.settings import Settings
from rl_emails_assets.steps import mail_messages
from rl_emails_assets.steps.context import Scope, StepContext
from rl_emails_assets.steps.flow import run_flow
from tests.small_mailbox import conversation, mail, state


def test_the_bytes_are_stored_even_when_nothing_can_read_them(
    steps_on: Callable[..., StepContext],
    write_folder: Callable[..., Path],
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Mail that breaks the parser must be there, byte for byte, when the parser is mended."""
    messages = conversation()

    def broken(_: bytes) -> None:
        raise RuntimeError("a parser bug")

    monkeypatch.setattr(mail_messages, "parse", broken)
    step = steps_on(write_folder(messages))
    with pytest.raises(RuntimeError, match="a parser bug"):
        run_flow(step)
    with engine.connect() as connection:
        stored = connection.execute(text("select rfc822 from raw.messages order by seq")).scalars().all()
    assert stored == messages
    monkeypatch.undo()
    run_flow(step)
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from priorities.messages")).scalar_one() == len(messages)


def test_every_decision_is_one_row_with_its_inputs_model_version_run_and_cost(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """A reason that is worked out again when it is shown may not be the reason for the score that is shown."""
    step = steps_on(write_folder(conversation()), run_id="the-run")
    run_flow(step)
    tables = ("classifications.messages", "entities.messages", "priorities.messages")
    with engine.connect() as connection:
        for table in tables:
            rows = connection.execute(text(f"select * from {table}")).mappings().all()  # noqa: S608 - a constant
            assert len({row["message_id"] for row in rows}) == len(rows) == len(conversation())
            for row in rows:
                assert len(row["inputs_hash"]) == 32
                assert row["model_version"]
                assert row["version"]
                assert row["run_id"] == "the-run"
                assert row["cost_usd"] == 0
        verdicts = connection.execute(text("select evidence from classifications.messages")).scalars().all()
        priorities = connection.execute(text("select * from priorities.messages")).mappings().all()
    assert all({item["supports"] for item in evidence} >= {"category", "needs"} for evidence in verdicts)
    for row in priorities:
        assert row["reasons"]
        total = row["base_log_odds"] + sum(part["log_odds"] for part in row["contributions"])
        assert row["score"] == pytest.approx(1 / (1 + 2.718281828459045**-total), abs=1e-9)


@pytest.mark.parametrize("command", [["explain"], ["inbox"], ["export"], ["search"], ["status"]])
def test_commands_show_what_is_stored(
    steps_on: Callable[..., StepContext],
    write_folder: Callable[..., Path],
    engine: Engine,
    settings: Settings,
    database_url: str,
    command: list[str],
) -> None:
    """A command that computed or dropped something would disagree with the inbox that people see."""
    run_flow(steps_on(write_folder(conversation()), run_id="the-run"))
    before = state(engine)
    arguments = {
        "explain": ["explain", "<m2@example.org>", "--json"],
        "inbox": ["inbox", "--json", "--limit", "0"],
        "export": ["export", "messages", "--mailbox", "owner@example.org", "--format", "jsonl"],
        "search": ["search", "budget", "--json"],
        "status": ["status", "--json"],
    }[command[0]]
    done = _command(arguments, settings, database_url)
    assert done.returncode == 0, done.stderr
    _CHECKS[command[0]](done.stdout, engine)
    assert state(engine) == before


def _check_explain(output: str, engine: Engine) -> None:
    record = json.loads(output)
    with engine.connect() as connection:
        row = (
            connection.execute(
                text(
                    "select p.* from priorities.messages p join mail.messages m using (message_id) "
                    "where rfc822_message_id = 'm2@example.org'"
                )
            )
            .mappings()
            .one()
        )
    assert record["priority"]["score"] == row["score"]
    assert record["priority"]["contributions"] == row["contributions"]
    assert record["priority"]["inputs_hash"] == row["inputs_hash"].hex()
    assert record["verdict"]["run_id"] == "the-run"


def _check_inbox(output: str, engine: Engine) -> None:
    items = json.loads(output)["items"]
    scores = [item["priority"] for item in items]
    assert scores == sorted(scores, reverse=True)
    assert len(items) == 24
    assert all(item["from_address"] != "owner@example.org" for item in items)


def _check_export(output: str, engine: Engine) -> None:
    items = [json.loads(line) for line in output.splitlines()]
    assert len(items) == len(conversation())
    promised = {
        "mailbox", "rfc822_message_id", "thread_id", "labels", "received_at", "from", "to", "subject", "category",
        "needs", "urgency", "priority", "reasons", "tasks",
    }  # fmt: skip
    assert all(promised <= item.keys() for item in items)
    assert all(0 <= item["priority"] <= 1 for item in items)
    tasks = [task for item in items for task in item["tasks"]]
    assert tasks
    assert all({"description", "deadline", "owner", "evidence"} <= task.keys() for task in tasks)


def _check_search(output: str, engine: Engine) -> None:
    assert json.loads(output)["items"][0]["subject"].startswith("Numbers")


def _check_status(output: str, engine: Engine) -> None:
    (mailbox,) = json.loads(output)["mailboxes"]
    assert mailbox["stored_count"] == mailbox["ranked_count"] == len(conversation())
    assert mailbox["pending_count"] == 0


_CHECKS: dict[str, Callable[[str, Engine], None]] = {
    "explain": _check_explain,
    "inbox": _check_inbox,
    "export": _check_export,
    "search": _check_search,
    "status": _check_status,
}


def _command(arguments: list[str], settings: Settings, database_url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from rl_emails_assets.cli import main; main()", *arguments],
        env={
            "PATH": "/usr/bin:/bin",
            "RL_EMAILS_DATABASE_URL": database_url,
            "RL_EMAILS_HOME": str(settings.home),
            "RL_EMAILS_CACHE": str(settings.cache_dir),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_no_connection_leaves_this_machine(
    steps_on: Callable[..., StepContext],
    write_folder: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With no key configured, no word of anybody's mail may go anywhere."""
    asked: list[Any] = []
    resolve = socket.getaddrinfo

    def local_only(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in {"127.0.0.1", "localhost", None}:
            asked.append(host)
            raise OSError(f"{host} is not on this machine")
        return resolve(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", local_only)
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
    run_flow(steps_on(write_folder(conversation())))
    assert asked == []


def test_recomputing_one_mailbox_leaves_the_others_alone(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """A step that wiped by table instead of by mailbox would delete other tenants' rows."""
    refit = [
        mail(100 + index, "Ada <ada@one.example>", subject=f"Harbour lighthouse refit: {what}", hours=700 + index)
        for index, what in enumerate(("crane hire", "paint order", "scaffold dates"))
    ]
    root = write_folder(conversation() + refit)
    run_flow(steps_on(root, "first@example.org", run_id="of-the-first"))
    before = _rows_of_run(engine, "of-the-first")
    assert all(before.values()), before
    run_flow(steps_on(root, "second@example.org", run_id="of-the-second"))
    assert _rows_of_run(engine, "of-the-first") == before
    run_flow(steps_on(root, "second@example.org", run_id="forced", scope=Scope(force=True)))
    assert _rows_of_run(engine, "of-the-first") == before
    assert not any(_rows_of_run(engine, "of-the-second")[name] for name in ("priorities.messages", "mail.messages"))


def _rows_of_run(engine: Engine, run_id: str) -> dict[str, int]:
    tables = (
        "raw.messages", "mail.messages", "mail.threads", "mail.contacts", "signals.messages", "signals.contacts",
        "embeddings.messages", "classifications.messages", "entities.messages", "entities.tasks", "entities.projects",
        "entities.people", "priorities.messages", "priorities.threads",
    )  # fmt: skip
    with engine.connect() as connection:
        return {
            table: connection.execute(
                text(f"select count(*) from {table} where run_id = :run_id"),  # noqa: S608 - constants
                {"run_id": run_id},
            ).scalar_one()
            for table in tables
        }
