"""Promise 1: nothing is lost silently."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text

from rl_emails_assets.db import bulk
from rl_emails_assets.db.tables import raw
from rl_emails_assets.errors import SourceError
from rl_emails_assets.steps import raw_messages
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.flow import run_flow
from tests.small_mailbox import conversation, mail, state


def test_every_item_of_a_source_is_a_row_a_duplicate_or_a_named_gap(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """An item that is none of the three was lost without a word."""
    messages = conversation()
    root = write_folder(messages)
    (root / "inbox" / "9001.eml").write_bytes(messages[0])
    (root / "inbox" / "9002.eml").symlink_to(root / "nowhere.eml")
    (root / "inbox" / "9003.eml").write_bytes(gzip.compress(mail(99, "x@y.example"))[:-12])
    step = steps_on(root)
    result = raw_messages.run(step)
    assert result.counts["imported"] == len(messages)
    assert result.counts["duplicates"] == 1
    with engine.connect() as connection:
        gaps = connection.execute(select(raw.gaps)).mappings().all()
        assert connection.execute(select(func.count()).select_from(raw.messages)).scalar_one() == len(messages)
    assert len(gaps) == result.counts["gaps"] == 2
    assert all(gap["reason"] and gap["attempts"] == 1 for gap in gaps)


def test_a_position_never_passes_an_item_whose_rows_were_not_stored(
    steps_on: Callable[..., StepContext],
    write_folder: Callable[..., Path],
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If the position were saved in another transaction than the rows, a crash between the two would lose a batch."""
    messages = conversation()
    step = steps_on(write_folder(messages))
    copied = bulk.copy_rows
    calls = 0

    def fails_in_the_third_batch(connection: Any, table: Any, rows: Any) -> int:
        nonlocal calls
        calls += table is raw.messages
        written = copied(connection, table, rows)
        if calls == 3:
            raise ConnectionError("the disk is full")
        return written

    monkeypatch.setattr(bulk, "copy_rows", fails_in_the_third_batch)
    with pytest.raises(ConnectionError):
        raw_messages.run(step)
    with engine.connect() as connection:
        stored = connection.execute(select(func.count()).select_from(raw.messages)).scalar_one()
        position = connection.execute(select(raw.cursors.c.position)).scalar_one()
    assert stored == position["items_done"] == 14
    monkeypatch.undo()
    result = raw_messages.run(step)
    assert result.counts == {"imported": len(messages), "duplicates": 0, "gaps": 0}


def test_a_source_that_cannot_be_read_is_an_error_and_not_an_empty_mailbox(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """A failed read that counted as empty would say that all is well while nothing arrives."""
    root = write_folder(conversation())
    step = steps_on(root)
    raw_messages.run(step)
    root.rename(root.with_name("moved"))
    with pytest.raises(SourceError, match="does not exist"):
        raw_messages.run(step)
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(raw.messages)).scalar_one() == len(conversation())


def test_a_gap_that_can_be_read_the_next_time_is_closed_and_one_that_cannot_counts_its_attempts(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """A gap that stayed after the message arrived would keep the completeness check red for ever."""
    root = write_folder(conversation()[:3])
    for name in ("8001.eml", "8002.eml"):
        (root / "inbox" / name).symlink_to(root / "nowhere.eml")
    step = steps_on(root)
    assert raw_messages.run(step).counts["gaps"] == 2
    (root / "inbox" / "8001.eml").unlink()
    (root / "inbox" / "8001.eml").write_bytes(mail(50, "late@y.example"))
    assert raw_messages.run(step).counts == {"imported": 1, "duplicates": 3, "gaps": 1}
    with engine.connect() as connection:
        gap = connection.execute(text("select provider_message_id, attempts from raw.gaps")).one()
    assert "8002.eml" in gap.provider_message_id
    assert gap.attempts == 2


def test_importing_twice_changes_nothing(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """An import that was not idempotent would double the inbox."""
    step = steps_on(write_folder(conversation()))
    run_flow(step)
    before = state(engine)
    again = run_flow(step)
    assert again["raw", "messages"].counts == {"imported": 0, "duplicates": len(conversation()), "gaps": 0}
    assert {key: result.row_count for key, result in again.items() if result.row_count} == {}
    assert state(engine) == before
