"""The command line as people and scripts meet it: what it prints, and its exit codes."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from rl_emails_assets.cli import app
from rl_emails_assets.commands.output import ExitCode
from rl_emails_assets.settings import Settings
from tests.small_mailbox import OWNER, conversation, mail

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command on the test's own database and home: `run("inbox", "--json")`."""
    monkeypatch.setenv("RL_EMAILS_HOME", str(settings.home))
    monkeypatch.setenv("RL_EMAILS_CACHE", str(settings.cache_dir))
    monkeypatch.setenv("RL_EMAILS_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("DAGSTER_HOME", str(settings.home))
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(argument) for argument in arguments])


def _imported(run: Run, path: Path, *more: str) -> dict[str, Any]:
    done = run("import", path, "--mailbox", OWNER, "--json", *more)
    assert done.exit_code in {ExitCode.OK, ExitCode.INCOMPLETE}, done.output
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def test_an_import_counts_everything_and_a_second_one_changes_nothing(
    run: Run, write_folder: Callable[..., Path], engine: Engine
) -> None:
    """A summary that does not add up hides what was lost."""
    messages = conversation()
    root = write_folder(messages)
    summary = _imported(run, root, "--alias", "me@elsewhere.example", "--name", "The Owner")
    assert (summary["imported"], summary["duplicate"], summary["gap"]) == (len(messages), 0, 0)
    again = run("import", root, "--mailbox", OWNER, "--quiet")
    assert again.exit_code == ExitCode.OK
    assert again.stdout.strip() == f"imported 0, duplicate {len(messages)}, gap 0"
    with engine.connect() as connection:
        aliases = connection.execute(text("select address, found_by from mailboxes.aliases order by 1")).all()
    assert [tuple(alias) for alias in aliases] == [("me@elsewhere.example", "option"), (OWNER, "mailbox")]


def test_gaps_and_copies_are_said_and_the_exit_code_tells(run: Run, write_folder: Callable[..., Path]) -> None:
    """A script that reads 0 believes that everything arrived."""
    original = mail(1, "ada@one.example", subject="Plan", body="The plan.")
    write_folder([original], name="inbox")
    root = write_folder([original.replace(b"<m1@", b"<copy1@")], name="archive")
    (root / "inbox" / "broken.eml").symlink_to(root / "nowhere")
    done = run("import", root, "--mailbox", OWNER, "--quiet")
    assert done.exit_code == ExitCode.INCOMPLETE
    assert "imported 2, duplicate 0, gap 1" in done.stdout
    assert "1 of them are copies" in done.stdout
    assert "gap: " in done.stdout
    status = run("status")
    assert "broken.eml" in status.stdout
    assert len(json.loads(run("status", "--json").stdout)["gaps"]) == 1


def test_what_cannot_be_imported_fails_with_what_to_do_next(run: Run, tmp_path: Path) -> None:
    """A traceback tells a person nothing, and an exit code of 0 tells a script a lie."""
    missing = run("import", tmp_path / "nowhere", "--mailbox", OWNER, "--quiet")
    assert missing.exit_code == ExitCode.FAILED
    assert "does not exist" in missing.output
    wrong = run("import", tmp_path, "--mailbox", "nobody", "--quiet")
    assert wrong.exit_code == ExitCode.USAGE
    assert "is not an address" in wrong.output


def test_people_read_the_inbox_a_search_the_status_and_the_reasons(run: Run, write_folder: Callable[..., Path]) -> None:
    """The text forms are what people see; they must hold what the JSON forms hold."""
    _imported(run, write_folder(conversation()))
    inbox = run("inbox", "--limit", 3)
    assert inbox.exit_code == ExitCode.OK
    first = json.loads(run("inbox", "--limit", 1, "--json").stdout)["items"][0]
    assert f"{first['priority']:.2f}" in inbox.stdout
    assert len(json.loads(run("inbox", "--limit", 0, "--unread", "--json").stdout)["items"]) == 0
    people = json.loads(run("inbox", "--limit", 0, "--category", "person", "--json").stdout)["items"]
    assert {item["category"] for item in people} == {"person"}
    explained = run("explain", first["message_id"])
    assert f"{first['priority']:.3f}" in explained.stdout
    assert "where every message starts" in explained.stdout
    assert first["reasons"][0] in explained.stdout
    assert "Numbers" in run("search", "budget").stdout
    assert OWNER in run("status").stdout


def test_a_backfill_says_what_it_wrote(run: Run, write_folder: Callable[..., Path]) -> None:
    """A backfill that silently did nothing would be run again and again."""
    _imported(run, write_folder(conversation()))
    nothing = json.loads(run("backfill", "--json").stdout)
    assert nothing["is_success"]
    assert set(nothing["rows_written"].values()) == {0}
    forced = run("backfill", "--force", "--quiet")
    assert forced.exit_code == ExitCode.OK
    assert f"priorities/messages: {len(conversation())} rows" in forced.stdout


def test_names_that_are_not_there_are_said_to_be_missing(run: Run, write_folder: Callable[..., Path]) -> None:
    """Another mailbox's answer to a mistyped name would be worse than none."""
    assert "No mailbox is connected" in run("inbox").output
    assert "No mailbox is connected" in run("status").output
    for address in (OWNER, "second@example.org"):
        run("import", write_folder(conversation()[:5]), "--mailbox", address, "--quiet")
    for arguments in (("inbox",), ("inbox", "--mailbox", "x@y.example"), ("explain", "nothing"), ("search", "plan")):
        done = run(*arguments)
        assert done.exit_code == ExitCode.NOT_FOUND, done.output
    assert run("inbox", "--needs", "sleep").exit_code == ExitCode.USAGE
    assert run("export", "contacts").exit_code == ExitCode.USAGE
    assert run("export", "messages", "--format", "xml").exit_code == ExitCode.USAGE
    exported = run("export", "messages", "--mailbox", "second@example.org", "--copies")
    assert len(exported.stdout.splitlines()) == 5


def test_parse_prints_what_the_parser_sees_and_no_control_characters(run: Run, tmp_path: Path) -> None:
    """Mail that is printed raw can move the cursor, set the title, or hide what came before."""
    path = tmp_path / "one.eml"
    path.write_bytes(mail(1, "Ada <ada@one.example>", subject="Plan", body="Text \x1b]0;owned\x07 here.\n> quoted\n"))
    seen = json.loads(run("parse", path, "--json").stdout)
    assert seen["from"] == {"name": "Ada", "address": "ada@one.example"}
    assert {"to", "text", "html_as_text", "new_text", "quoted_text", "signature", "attachments", "defects"} <= set(seen)
    shown = run("parse", path).stdout
    assert "Plan" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert run("parse", tmp_path / "none.eml").exit_code == ExitCode.FAILED


def test_down_leaves_a_postgres_that_is_not_ours_alone(run: Run) -> None:
    """Stopping somebody's server because a variable named it would be an outage."""
    done = run("down")
    assert done.exit_code == ExitCode.OK
    assert "not ours to stop" in done.output
