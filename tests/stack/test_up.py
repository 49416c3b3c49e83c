"""`rl-emails up` with real processes: ready, killed, stopped, and never anything left behind."""

import os
import signal
import stat
from collections.abc import Callable

import psycopg
import pytest

from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.db.engine import make_engine, open_databases
from rl_emails_assets.db.mailbox_rows import connect_files
from rl_emails_assets.db.migrate import migrate
from rl_emails_assets.instance import probes
from rl_emails_assets.instance.up_file import status_path
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue
from tests.stack.up_process import REAL, SLOW, UpProcess, eventually, http_status, survivors

pytestmark = pytest.mark.stack

STOP_SECONDS = 60


def test_one_command_serves_survives_kills_and_stops_clean(
    settings: Settings, start_up: Callable[[str], UpProcess]
) -> None:
    """The whole life of one `up`: any process that is killed comes back, and a stop leaves nothing running."""
    up = start_up(REAL).wait_ready()
    first = up.running()

    # Only the link that was printed opens the page.
    assert first.links.page in up.said()
    token = first.links.page.partition("token=")[2]
    assert http_status(f"{first.links.api}/") == 401
    assert http_status(f"{first.links.api}/?token={token}x") == 401
    assert http_status(f"{first.links.api}/v1/admin/status") == 401
    assert http_status(f"{first.links.api}/", token) == 200
    assert http_status(f"{first.links.api}/v1/admin/status", token) == 200
    assert probes.is_dagster_ui(first.ports["dagster"])
    for secret in (status_path(settings.home), settings.home / "token"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600

    # A second one on the same home says where the first is.
    second = start_up(REAL)
    assert second.process.wait(STOP_SECONDS) == 1
    assert "already up" in second.said()
    assert first.links.page in second.said().replace("\n", "")

    # kill -9 of every child and of Postgres: all are back, under new pids, on the same ports.
    server = EmbeddedPostgres(settings.home, settings.cache_dir)
    old_postmaster = server.pid()
    assert old_postmaster is not None
    os.kill(old_postmaster, signal.SIGKILL)
    for pid in up.groups():
        os.kill(pid, signal.SIGKILL)

    def is_whole_again() -> bool:
        now = up.running()
        return now.is_ready and all(now.pids[name] != pid for name, pid in first.pids.items())

    eventually(is_whole_again, "every killed process ready again")
    assert server.pid() not in {None, old_postmaster}
    assert up.running().ports == first.ports
    assert http_status(f"{first.links.api}/readyz") == 200
    assert probes.is_dagster_ui(first.ports["dagster"])

    # SIGTERM: all of it ends, with success.
    groups = up.groups()
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(STOP_SECONDS) == 0, up.said()
    assert survivors(groups) == []
    assert server.pid() is None
    assert not status_path(settings.home).exists()
    assert "had not ended" not in up.said()


def test_a_stopped_run_goes_on_at_the_next_start_and_a_killed_supervisor_takes_all_with_it(
    settings: Settings, start_up: Callable[[str], UpProcess]
) -> None:
    """A stop in the middle of a sync must not lose its request, nor leave a run that works on unseen."""
    databases = open_databases(settings)
    assert databases.embedded is not None
    engine = make_engine(databases.product_url, "test")
    migrate(engine)
    with engine.begin() as connection:
        source = {"path": "/nowhere.mbox", "kind": "mbox"}
        mailbox = connect_files(connection, "owner@example.org", source, aliases=[], display_name="")
        queue.enqueue(connection, mailbox.mailbox_id, asked_by="test")
    engine.dispose()

    def working() -> str:
        """The run that holds the request."""
        with psycopg.connect(databases.product_url) as connection:
            row = connection.execute("select run_id from sync_queue.requests where state = 'doing'").fetchone()
        return row[0] if row is not None else ""

    up = start_up(SLOW)
    eventually(working, "a run holds the request")
    stopped_run, groups = working(), up.groups()
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(STOP_SECONDS) == 0, up.said()
    assert survivors(groups) == []
    assert "go on at the next start" in up.said()
    with psycopg.connect(databases.dagster_url) as connection:
        status = connection.execute("select status from runs where run_id = %s", [stopped_run]).fetchone()
    assert status in {("CANCELED",), ("FAILURE",)}

    again = start_up(SLOW)
    eventually(working, "another run holds the request")
    assert working() != stopped_run
    groups = again.groups()
    assert len(survivors(groups)) > len(groups), "the run has a process of its own"
    again.process.send_signal(signal.SIGKILL)
    again.process.wait()
    eventually(lambda: not survivors(groups), "no child outlives a killed supervisor", seconds=30)
    databases.embedded.detach()
