"""`rl-emails queue`: what an administrator sees of the queue at a terminal, and can do about it."""

import json
import uuid

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from rl_emails_assets.cli import app
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue
from tests.queue.conftest import MakeMailbox
from tests.queue.conftest import make_mailbox as make_mailbox

NAMES = ("dead", "gone", "waits", "runs")


@pytest.fixture
def filled(
    engine: Engine, settings: Settings, make_mailbox: MakeMailbox, monkeypatch: pytest.MonkeyPatch
) -> dict[str, uuid.UUID]:
    """A queue with one mailbox of each fate; request ids by mailbox name."""
    monkeypatch.setenv("RL_EMAILS_HOME", str(settings.home))
    monkeypatch.setenv("RL_EMAILS_CACHE", str(settings.cache_dir))
    monkeypatch.setenv("RL_EMAILS_DATABASE_URL", str(settings.database_url))
    ids: dict[str, uuid.UUID] = {}
    with engine.begin() as connection:
        for name, mailbox_id in {name: make_mailbox(name) for name in NAMES}.items():
            request_id = queue.enqueue(connection, mailbox_id, asked_by="poll")
            assert request_id is not None
            ids[name] = request_id
            if name != "waits":
                queue.claim(connection, mailbox_id, f"run of {name}")
            if name in {"dead", "gone"}:
                queue.fail(connection, mailbox_id, f"run of {name}", error=f"[{name}] damaged", is_permanent=True)
        connection.exec_driver_sql(
            "update mailboxes.connections set state = 'reconnect_needed' where address = 'gone@example.org'"
        )
    return ids


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["queue", *arguments])
    return result.exit_code, result.output


def test_the_queue_shows_what_waits_what_runs_and_why_what_was_given_up(filled: dict[str, uuid.UUID]) -> None:
    """An administrator who sees only counts has to search three tables for the reason."""
    code, text = _run()
    assert code == 0
    assert "waits@example.org" in text
    assert "run run of runs" in text
    assert str(filled["dead"]) in text
    assert "[dead] damaged" in text
    assert "Mend what the reason names" in text
    assert "Connect the mailbox again" in text
    code, text = _run("--json")
    shown = json.loads(text)
    assert {item["address"] for item in shown["requests"]} == {"waits@example.org", "runs@example.org"}
    assert {item["request_id"] for item in shown["dead_letters"]} == {str(filled["dead"]), str(filled["gone"])}
    assert all(item["next_step"] for item in shown["dead_letters"])


def test_one_dead_letter_is_redriven_by_its_id(filled: dict[str, uuid.UUID], engine: Engine) -> None:
    """A redrive that takes the wrong one, or says nothing, is not dared a second time."""
    code, text = _run("redrive", str(filled["dead"]))
    assert code == 0
    with engine.connect() as connection:
        waiting = {item.address: str(item.request_id) for item in queue.live(connection)}
    assert waiting["dead@example.org"] in text
    assert _run("redrive", str(filled["dead"]))[0] == 3, "it is no dead letter any more"
    assert _run("redrive", "nonsense")[0] == 3
    code, text = _run("redrive", str(filled["gone"]))
    assert code == 1
    assert "Connect it again" in text


def test_all_are_redriven_but_those_that_cannot_be_and_that_is_said(filled: dict[str, uuid.UUID]) -> None:
    """ "All" that silently leaves some behind leaves an administrator in a false belief."""
    code, text = _run("redrive", "--all", "--mailbox", "waits@example.org")
    assert (code, text.strip()) == (0, "No sync request was given up.")
    code, text = _run("redrive", "--all")
    assert code == 0
    assert text.count(" waits\n") == 1
    assert f"left: {filled['gone']}" in text


def test_a_command_line_that_makes_no_sense_is_refused(filled: dict[str, uuid.UUID]) -> None:
    """Guessing which one is meant would redrive what nobody asked for."""
    for arguments in (("drop",), ("redrive",), ("redrive", str(filled["dead"]), "--all")):
        code, text = _run(*arguments)
        assert code == 2, text


def test_an_empty_queue_says_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing at all looks like a command that failed."""
    monkeypatch.setenv("RL_EMAILS_HOME", str(settings.home))
    monkeypatch.setenv("RL_EMAILS_CACHE", str(settings.cache_dir))
    monkeypatch.setenv("RL_EMAILS_DATABASE_URL", str(settings.database_url))
    assert _run() == (0, "No sync request waits or runs.\n")
