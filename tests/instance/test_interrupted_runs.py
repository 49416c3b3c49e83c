"""A sync that was stopped on purpose waits again at once; what others hold is left alone."""

import json
import uuid

import psycopg
import pytest
from sqlalchemy import Engine

from rl_emails_assets.db.engine import Databases
from rl_emails_assets.db.mailbox_rows import connect_files
from rl_emails_assets.instance.interrupted_runs import GRPC_TAG, hand_back_runs
from rl_emails_assets.sync_queue import queue

OURS, OTHERS = 4001, 4002


def waiting(engine: Engine, name: str) -> uuid.UUID:
    """A mailbox with a sync request."""
    with engine.begin() as connection:
        source = {"path": f"/{name}", "kind": "mbox"}
        mailbox = connect_files(connection, f"{name}@example.org", source, aliases=[], display_name="")
        queue.enqueue(connection, mailbox.mailbox_id, asked_by="test", kind="full")
    return mailbox.mailbox_id


def states(engine: Engine, mailbox_id: uuid.UUID) -> list[tuple[str, int, str]]:
    query = """
        select state, attempts, coalesce(error, '') from (
            select mailbox_id, state, attempts, error, created_at from sync_queue.requests
            union all select mailbox_id, state, attempts, error, created_at from sync_queue.ended_requests
        ) as known where mailbox_id = %s order by created_at
    """
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query, (mailbox_id,))]


@pytest.fixture
def databases(database_url: str) -> Databases:
    """Dagster's table of tags beside ours, with three runs: through our code server, another one, and none."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("create table run_tags (run_id text, key text, value text)")
        for run_id, port in (("ours", OURS), ("other", OTHERS)):
            tag = json.dumps({"host": "127.0.0.1", "port": port})
            connection.execute("insert into run_tags values (%s, %s, %s)", [run_id, GRPC_TAG, tag])
    return Databases(database_url, database_url, None)


def test_only_the_stopped_code_servers_claims_are_handed_back(databases: Databases, engine: Engine) -> None:
    """An import in another terminal holds a claim too, and goes on."""
    mailboxes = {run_id: waiting(engine, run_id) for run_id in ("ours", "other", "import")}
    for run_id, mailbox_id in mailboxes.items():
        with engine.begin() as connection:
            assert queue.claim(connection, mailbox_id, run_id) is not None
    assert hand_back_runs(databases, OURS) == 1
    assert [(state, attempts) for state, attempts, _ in states(engine, mailboxes["ours"])] == [
        ("cancelled", 1),
        ("todo", 0),
    ]
    assert states(engine, mailboxes["other"]) == [("doing", 1, "")]
    assert states(engine, mailboxes["import"]) == [("doing", 1, "")]
    with engine.begin() as connection:
        assert [due.mailbox_id for due in queue.due(connection)] == [mailboxes["ours"]]
    assert hand_back_runs(databases, OURS) == 0, "the second time nothing is left to do"


def test_a_request_that_waits_already_does_the_work(databases: Databases, engine: Engine) -> None:
    """One request waits for a mailbox at most; the stop must not break on that."""
    mailbox_id = waiting(engine, "ours")
    with engine.begin() as connection:
        queue.claim(connection, mailbox_id, "ours")
        queue.enqueue(connection, mailbox_id, asked_by="button")
    assert hand_back_runs(databases, OURS) == 1
    assert [state for state, _, _ in states(engine, mailbox_id)] == ["cancelled", "todo"]


def test_with_nothing_held_dagsters_database_is_not_asked(database_url: str) -> None:
    """At most stops there is nothing to do, and Dagster's tables may not even be there."""
    assert hand_back_runs(Databases(database_url, "postgresql://nobody@127.0.0.1:1/none", None), OURS) == 0
