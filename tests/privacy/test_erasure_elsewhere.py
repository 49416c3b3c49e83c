"""A mailbox or a person is erased from Dagster's tables and from log files as well, by the command and by the job."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from rl_emails_assets.cli import app
from rl_emails_assets.commands.output import ExitCode
from rl_emails_assets.connections import lifecycle
from rl_emails_assets.db import receipts
from rl_emails_assets.db.engine import make_engine, open_databases
from rl_emails_assets.db.mailbox_rows import find_mailbox
from rl_emails_assets.definitions import defs
from rl_emails_assets.defs.automation.dagster_traces import DagsterTraces
from rl_emails_assets.errors import TransientError
from rl_emails_assets.privacy import erasure
from rl_emails_assets.privacy.log_files import mask_in_logs
from rl_emails_assets.privacy.naming import Needle, count_naming, text_tables
from rl_emails_assets.settings import Settings
from tests.graph.conftest import environment as environment
from tests.graph.conftest import instance as instance
from tests.small_mailbox import OWNER, mail

ADA = "ada@one.example"


def run(*arguments: str) -> Any:
    """The command, as from a terminal."""
    return CliRunner().invoke(app, list(arguments))


def named_in_dagster(settings: Settings, *words: str) -> dict[str, int]:
    """Rows of any of Dagster's tables that hold one of the words."""
    engine = make_engine(open_databases(settings).dagster_url, "test")
    try:
        with engine.connect() as connection:
            return count_naming(connection, text_tables(connection), [Needle(word) for word in words])
    finally:
        engine.dispose()


@pytest.fixture
def imported(environment: Settings, write_folder: Any, engine: Engine) -> str:
    """A mailbox that was imported by a real run, and a tick, a backfill and a log that name it; its id."""
    root = write_folder(
        [
            mail(1, f"Ada <{ADA}>", body="Can you send me the plan by Friday?"),
            mail(2, "Bo <bo@two.example>", body="Is the budget final?"),
        ]
    )
    done = run("import", str(root), "--mailbox", OWNER, "--quiet")
    assert done.exit_code == ExitCode.OK, done.output
    with engine.connect() as connection:
        mailbox_id = str(find_mailbox(connection, OWNER).mailbox_id)
    logs = environment.home / "logs"
    logs.mkdir()
    (logs / "api.log").write_text(f"a line\nan error of a library: {ADA.upper()} and {OWNER}\n")
    dagster = make_engine(open_databases(environment).dagster_url, "test")
    told = {"body": json.dumps({"run_key": f"{mailbox_id}:1", "error": f"at a message of {ADA}"})}
    with dagster.begin() as connection:
        for statement in (
            "insert into job_ticks (job_origin_id, status, type, tick_body) values ('o', 'FAILURE', 'SENSOR', :body)",
            "insert into bulk_actions (key, status, timestamp, body) values ('k', 'DONE', now(), :body)",
            (
                "insert into instigators (selector_id, status, instigator_type, instigator_body) "
                "values ('s', 'RUNNING', 'SENSOR', :body)"
            ),
            "insert into kvs (key, value) values ('k', :body)",
        ):
            connection.execute(text(statement), told)
    dagster.dispose()
    return mailbox_id


def test_the_command_erases_a_mailbox_everywhere_and_prints_its_receipt(
    imported: str, environment: Settings, engine: Engine
) -> None:
    """Mail that is gone from the tables and still told of by a run, a tick, a log or a compute log."""
    tables = {"runs", "run_tags", "event_logs", "job_ticks", "dynamic_partitions"}
    assert {f"public.{name}" for name in tables} <= set(named_in_dagster(environment, imported))
    done = run("erase", "mailbox", OWNER, "--yes", "--json")
    assert done.exit_code == ExitCode.OK, done.output
    (receipt,) = json.loads(done.stdout)
    assert (receipt["state"], receipt["left"]) == ("done", {})
    assert receipt["removed"]["raw.messages"] == 2
    assert receipt["removed"]["dagster.runs"] >= 1
    assert receipt["removed"]["log files"] == 1
    assert OWNER not in done.stdout
    assert named_in_dagster(environment, imported, OWNER) == {}
    with engine.connect() as connection:
        left = count_naming(connection, text_tables(connection), [Needle(OWNER), Needle(imported)])
    assert left == {}
    assert OWNER not in (environment.home / "logs" / "api.log").read_text()
    assert run("erase", "mailbox", OWNER, "--yes").exit_code == ExitCode.NOT_FOUND


def test_the_commands_export_and_erase_a_person_and_leave_the_mailbox(
    imported: str, environment: Settings, engine: Engine
) -> None:
    """Half an archive that looks like one; a person whose mail is gone and who is still named by a tick or a log."""
    out = environment.home / "ada.zip"
    done = run("export", "person", ADA, "--out", str(out), "--json")
    assert done.exit_code == ExitCode.OK, done.output
    assert json.loads(done.stdout)["size_bytes"] == out.stat().st_size > 0
    assert out.stat().st_mode & 0o077 == 0
    again = run("export", "mailbox", OWNER, "--out", str(out))
    assert again.exit_code == ExitCode.FAILED
    assert "is there already" in again.stderr
    whole = run("export", "mailbox", OWNER, "--out", str(environment.home / "all.zip"))
    assert (whole.exit_code, whole.stdout.count("README.txt")) == (ExitCode.OK, 1)
    assert run("export", "mailbox", OWNER).exit_code == ExitCode.USAGE
    assert run("export", "mailbox", "no@one.example", "--out", "x.zip").exit_code == ExitCode.NOT_FOUND
    assert run("export", "mailbox", OWNER, "--out", "/nowhere/x.zip").exit_code == ExitCode.FAILED
    assert not [path for path in environment.home.iterdir() if path.name.endswith(".part")]
    done = run("erase", "person", ADA, "--yes")
    assert done.exit_code == ExitCode.OK, done.output
    assert "rows of raw.messages" in done.stdout
    assert "stays   backups" in done.stdout
    assert named_in_dagster(environment, ADA) == {}
    assert (environment.home / "logs" / "api.log").read_text() == (
        f"a line\nan error of a library: {'*' * len(ADA)} and {OWNER}\n"
    )
    with engine.connect() as connection:
        assert count_naming(connection, text_tables(connection), [Needle(ADA)]) == {}
        assert connection.execute(text("select count(*) from priorities.messages")).scalar_one() == 1
    assert run("erase", "person", OWNER, "--yes").exit_code == ExitCode.NOT_FOUND
    assert run("erase", "everybody", ADA).exit_code == run("erase", "person", "ada").exit_code == ExitCode.USAGE


def test_the_job_goes_on_with_what_was_asked_for_or_interrupted(
    imported: str, instance: dg.DagsterInstance, environment: Settings, engine: Engine
) -> None:
    """An erasure that was asked for through the API and that nothing carries out; one whose run names it for ever."""
    with engine.begin() as connection:
        mailbox_id = find_mailbox(connection, OWNER).mailbox_id
        person = receipts.ask(connection, "person", ADA)
        mailbox = receipts.ask(connection, "mailbox", OWNER, mailbox_ids=[mailbox_id])
        lifecycle.ask_to_disconnect(connection, mailbox_id, asked_by="button")
        assert [order.receipt_id for order in receipts.due_orders(connection)] == [person]
    done = defs.resolve_job_def("disconnect").execute_in_process(
        instance=instance, run_config={"ops": {"disconnect_mailbox": {"config": {"mailbox_id": imported}}}}
    )
    assert done.success
    assert defs.resolve_job_def("erasures").execute_in_process(instance=instance).success
    with engine.connect() as connection:
        found = {each: receipts.receipt(connection, each) for each in (person, mailbox)}
        assert {row.state for row in found.values() if row is not None} == {"done"}
        ended = found[mailbox]
        assert ended is not None
        assert ended.removed["raw.messages"] == 2
        assert (ended.outcome["grant"], ended.error) == ("there was none", None)
        assert connection.execute(text("select counts from sync_queue.upkeep_runs")).scalar_one() == {"erased": 2}
        assert connection.execute(
            text("select array_agg(action order by action) from identity.audit_events where action like '%.erased'")
        ).scalar_one() == ["mailbox.erased", "person.erased"]
    assert named_in_dagster(environment, imported, ADA, OWNER) == {}


def test_what_cannot_be_finished_is_said_without_a_name_and_tried_again(
    imported: str, instance: dg.DagsterInstance, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An erasure that fails in silence; or whose error names in Dagster's tables who was to be erased."""
    with engine.begin() as connection:
        receipt_id = receipts.ask(connection, "person", ADA)

    def busy(*_: object) -> None:
        raise TransientError(f"Mail of {ADA} is being computed.")

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "remove_messages", busy)
        assert defs.resolve_job_def("erasures").execute_in_process(instance=instance).success
    with engine.connect() as connection:
        row = receipts.receipt(connection, receipt_id)
        error = connection.execute(text("select error from sync_queue.upkeep_runs")).scalar_one()
    assert row is not None
    assert (row.state, row.error) == ("running", "TransientError")
    assert str(receipt_id) in error
    assert ADA not in error
    with engine.begin() as connection:
        assert connection.execute(text("update privacy.orders set tried_at = now() - interval '2 minutes'")).rowcount
        assert [order.receipt_id for order in receipts.due_orders(connection)] == [receipt_id]


def test_a_run_that_goes_on_is_waited_for(
    imported: str, instance: dg.DagsterInstance, environment: Settings, engine: Engine
) -> None:
    """A run that is deleted under its own feet, or one that names the person after the receipt said "done"."""
    run_id = instance.create_run_for_job(defs.resolve_job_def("poll"), tags={"note": ADA}).run_id
    with engine.begin() as connection:
        receipt_id = receipts.ask(connection, "person", ADA)
    forget = DagsterTraces(instance, environment)
    with pytest.raises(TransientError, match="goes on"):
        erasure.carry_out(engine, environment, receipt_id, forget_elsewhere=forget)
    instance.report_run_canceled(instance.get_run_by_id(run_id))  # type: ignore[arg-type]
    assert erasure.carry_out(engine, environment, receipt_id, forget_elsewhere=forget)
    assert named_in_dagster(environment, ADA) == {}


def test_logs_are_masked_in_place(tmp_path: Path) -> None:
    """A log that is replaced under a process that appends to it loses what comes next."""
    logs = tmp_path / "logs" / "old"
    logs.mkdir(parents=True)
    log, other, empty = logs / "api.log", tmp_path / "mail.txt", logs / "empty.log"
    content = f"ab {ADA}, {ADA.title()}\x00\xff".encode("latin-1")
    for path in (log, other):
        path.write_bytes(content)
    empty.touch()
    inode = log.stat().st_ino
    assert mask_in_logs(tmp_path, [ADA, ""]) == 2
    assert (log.stat().st_ino, log.stat().st_size) == (inode, len(content))
    assert log.read_bytes() == f"ab {'*' * 15}, {'*' * 15}\x00\xff".encode("latin-1")
    assert other.read_bytes() == content, "not a log of ours"
    assert mask_in_logs(tmp_path / "nowhere", [ADA]) == 0
