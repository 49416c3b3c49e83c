"""What runs leave behind that `rl-emails up` stopped: claims in the sync queue, to be handed back."""

import json
import socket
from collections.abc import Sequence

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from rl_emails_assets.db.engine import Databases, make_engine
from rl_emails_assets.sync_queue import queue

_HANDED_BACK = """
select count(distinct mailbox_id) from sync_queue.ended_requests where run_id = any(:run_ids) and state = 'cancelled'
"""
GRPC_TAG = ".dagster/grpc_info"
"""What Dagster's default launcher notes on a run: host and port of the code server that runs it."""


def runs_at_workers_here(databases: Databases) -> list[str]:
    """The runs that workers of this machine execute; none when the database does not answer."""
    query = "select run_id from sync_queue.handovers join sync_queue.workers using (worker_id) where host = %s"
    try:
        with psycopg.connect(databases.product_url, connect_timeout=5) as connection:
            return [row[0] for row in connection.execute(query, [socket.gethostname()])]
    except psycopg.Error:
        return []


def hand_back_runs(databases: Databases, code_server_port: int, at_workers: Sequence[str] = ()) -> int:
    """Hand back the claims of runs that this code server ran, and of those that were at its workers when they were
    asked to stop; to be called when all of them have ended.

    Returns how many mailboxes wait again, also by the workers' own doing. A database that does not answer changes
    nothing: the leases lapse.
    """
    engine = make_engine(databases.product_url, "up")
    try:
        with engine.begin() as connection:
            held = queue.held_runs(connection)
            run_ids = _of_code_server(databases.dagster_url, held, code_server_port) if held else []
            run_ids += [run_id for run_id in held if run_id in at_workers]
            handed_back = len(queue.hand_back(connection, run_ids)) if run_ids else 0
            parameters = {"run_ids": [run_id for run_id in at_workers if run_id not in run_ids]}
            return handed_back + int(connection.execute(text(_HANDED_BACK), parameters).scalar_one())
    except (SQLAlchemyError, psycopg.Error):
        return 0
    finally:
        engine.dispose()


def _of_code_server(dagster_url: str, run_ids: list[str], port: int) -> list[str]:
    """Those of the runs that were launched through the code server on this port, not in a process of their own."""
    query = "select run_id, value from run_tags where key = %s and run_id = any(%s)"
    with psycopg.connect(dagster_url, connect_timeout=5) as connection:
        rows = connection.execute(query, [GRPC_TAG, run_ids]).fetchall()
    return [run_id for run_id, value in rows if json.loads(value).get("port") == port]
