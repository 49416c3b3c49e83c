"""What runs leave behind that `rl-emails up` stopped: claims in the sync queue, to be handed back."""

import json

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from rl_emails_assets.db.engine import Databases, make_engine
from rl_emails_assets.sync_queue import queue

GRPC_TAG = ".dagster/grpc_info"
"""What Dagster's default launcher notes on a run: host and port of the code server that runs it."""


def hand_back_runs(databases: Databases, code_server_port: int) -> int:
    """Hand back the claims of runs that this code server ran; to be called when all of them have ended.

    Returns how many mailboxes wait again. A database that does not answer changes nothing: the leases lapse.
    """
    engine = make_engine(databases.product_url, "up")
    try:
        with engine.begin() as connection:
            held = queue.held_runs(connection)
            run_ids = _of_code_server(databases.dagster_url, held, code_server_port) if held else []
            return len(queue.hand_back(connection, run_ids)) if run_ids else 0
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
