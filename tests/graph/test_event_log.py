"""Dagster's event log on our Postgres: what it remembers, and what it must not."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import pytest
from sqlalchemy import event

from rl_emails_assets.instance.event_log import PARTITION_MEMORY_SECONDS, RememberingEventLogStorage


@pytest.fixture
def storage(instance: dg.DagsterInstance) -> RememberingEventLogStorage:
    found = instance.event_log_storage
    assert isinstance(found, RememberingEventLogStorage), "the instance uses another one, and this tests nothing"
    return found


@contextmanager
def _statements(storage: RememberingEventLogStorage) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(storage._engine, "before_cursor_execute", note)
    yield said
    event.remove(storage._engine, "before_cursor_execute", note)


def test_what_is_there_is_asked_for_once(storage: RememberingEventLogStorage) -> None:
    """Asked for every event, these questions took a third of a run's time."""
    storage.add_dynamic_partitions("mailboxes", ["a"])
    for _ in range(2):
        assert storage.has_table("event_logs")
        assert storage.has_asset_key_col("last_materialization")
        assert storage.has_dynamic_partition("mailboxes", "a")
    with _statements(storage) as said:
        storage.has_table("event_logs")
        storage.has_asset_key_col("last_materialization")
        storage.has_dynamic_partition("mailboxes", "a")
    assert said == []


def test_what_is_not_there_may_come(storage: RememberingEventLogStorage) -> None:
    """A no that was remembered would hide a table made by a migration, or a mailbox that was connected since."""
    assert not storage.has_table("made_later")
    assert not storage.has_dynamic_partition("mailboxes", "b")
    storage.add_dynamic_partitions("mailboxes", ["b"])
    assert storage.has_dynamic_partition("mailboxes", "b")
    with _statements(storage) as said:
        assert not storage.has_table("made_later")
        assert not storage.has_asset_key_col("made_later")
    assert said


def test_a_partition_that_was_deleted_is_gone_at_once_here_and_soon_elsewhere(
    storage: RememberingEventLogStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mailbox that was erased must not be offered for ever by a process that had seen it."""
    storage.add_dynamic_partitions("mailboxes", ["c", "d"])
    assert storage.has_dynamic_partition("mailboxes", "c")
    assert storage.has_dynamic_partition("mailboxes", "d")
    storage.delete_dynamic_partition("mailboxes", "c")
    assert not storage.has_dynamic_partition("mailboxes", "c")
    super(RememberingEventLogStorage, storage).delete_dynamic_partition("mailboxes", "d")
    until = storage._partitions["mailboxes", "d"]
    monkeypatch.setattr("rl_emails_assets.instance.event_log.time.monotonic", lambda: until + PARTITION_MEMORY_SECONDS)
    assert not storage.has_dynamic_partition("mailboxes", "d")
