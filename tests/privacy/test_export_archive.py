"""An export holds everything, opens elsewhere, comes back as it was, and needs no memory for its size."""

import hashlib
import io
import json
import mailbox as python_mailbox
import random
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from rl_emails_assets.db.mailbox_rows import Mailbox
from rl_emails_assets.db.schema import metadata
from rl_emails_assets.privacy import export
from rl_emails_assets.privacy.archive import PIECE_BYTES, Member, zipped
from rl_emails_assets.privacy.export import LEFT_OUT, Subject, exported, mailbox_tables
from rl_emails_assets.privacy.mbox import mbox_entry
from rl_emails_assets.steps import raw_messages
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.flow import run_flow
from tests.small_mailbox import OWNER, conversation, mail

NOW = datetime(2026, 5, 4, tzinfo=UTC)
AWKWARD = [
    mail(80, "Cy <cy@three.example>", body="From here on it is yours.\n>From is quoted.\nfrom there not.\n"),
    mail(81, "Cy <cy@three.example>", body="No line end").rstrip(b"\n"),
    mail(82, "Cy <cy@three.example>", body="Line ends of the wire.\nFrom the sea.\n").replace(b"\n", b"\r\n"),
    mail(83, "Cy <cy@three.example>", body="Bytes of no charset.").replace(b"no charset", b"\xff\xfe"),
]


def opened(pieces: Iterator[bytes]) -> dict[str, bytes]:
    """The files of an archive."""
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def lines(content: bytes) -> list[dict[str, Any]]:
    """The documents of a JSON lines file."""
    return [json.loads(line) for line in content.splitlines()]


@pytest.fixture
def step(steps_on: Callable[..., StepContext], write_folder: Callable[..., Path]) -> StepContext:
    """A mailbox with mail that is hard to put into an mbox, worked out to its end."""
    made = steps_on(write_folder([*conversation(), *AWKWARD]))
    run_flow(made)
    return made


def test_an_export_of_a_mailbox_has_everything_and_proves_it(
    step: StepContext, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A table that is missing, a message that is lost between two pages, or a download whose end nobody can tell."""
    monkeypatch.setattr(export, "PAGE_ROWS", 4)
    monkeypatch.setattr(export, "PAGE_BYTES", 1500)
    files = opened(exported(engine.connect, Subject([Mailbox(step.mailbox_id, OWNER)]), NOW))
    manifest = json.loads(files["manifest.json"])["files"]
    assert {each["name"] for each in manifest} == set(files) - {"manifest.json"}
    for each in manifest:
        content = files[each["name"]]
        assert (each["size_bytes"], each["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    counted = {each["name"]: each.get("record_count") for each in manifest}
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            if "mailbox_id" in table.c:
                name = f"tables/{table.fullname}.jsonl"
                count = connection.execute(text(f"select count(*) from {table.fullname}")).scalar_one()  # noqa: S608
                assert counted.get(name) == (None if table.fullname in LEFT_OUT else count), table.fullname
    total = len(conversation()) + len(AWKWARD)
    assert counted["mail.mbox"] == counted["messages.jsonl"] == total
    assert len({line["message_id"] for line in lines(files["messages.jsonl"])}) == total
    assert b"rfc822" not in files["tables/raw.messages.jsonl"].replace(b"rfc822_message_id", b"")
    assert "2026-05-04" in files["README.txt"].decode()
    for name, why in LEFT_OUT.items():
        assert f"{name}, {why}" in files["README.txt"].decode()
    path = tmp_path / "mail.mbox"
    path.write_bytes(files["mail.mbox"])
    read = python_mailbox.mbox(path)
    assert sorted(str(message["Subject"]) for message in read) == sorted(
        line["subject"] for line in lines(files["messages.jsonl"])
    )
    read.close()


def test_an_exported_mailbox_can_be_imported_again_byte_for_byte(
    step: StepContext, engine: Engine, steps_on: Callable[..., StepContext], tmp_path: Path
) -> None:
    """An export that only looks like the mail: changed bytes break signatures, and nobody notices for years."""
    files = opened(exported(engine.connect, Subject([Mailbox(step.mailbox_id, OWNER)]), NOW))
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "mail.mbox").write_bytes(files["mail.mbox"])
    again = steps_on(tmp_path / "again" / "mail.mbox", "again@example.org")
    raw_messages.run(again)
    with engine.connect() as connection:
        query = text("select rfc822 from raw.messages where mailbox_id = :id order by seq")
        before, after = (
            [bytes(each).rstrip(b"\r\n") for each in connection.execute(query, {"id": each_step.mailbox_id}).scalars()]
            for each_step in (step, again)
        )
    assert sorted(after) == sorted(before)


def test_an_export_of_a_person_has_what_is_about_them_and_nothing_else(step: StepContext, engine: Engine) -> None:
    """Somebody else's mail in the hands of whoever asked for their own."""
    files = opened(exported(engine.connect, Subject([Mailbox(step.mailbox_id, OWNER)], "CY@three.example"), NOW))
    folder = f"mailboxes/{step.mailbox_id}/"
    messages = lines(files[f"{folder}messages.jsonl"])
    assert len(messages) == len(AWKWARD)
    assert {message["from"]["address"] for message in messages} == {"cy@three.example"}
    (contact,) = lines(files[f"{folder}tables/mail.contacts.jsonl"])
    assert contact["address"] == "cy@three.example"
    (person,) = lines(files[f"{folder}tables/entities.people.jsonl"])
    assert person["addresses"] == ["cy@three.example"]
    assert b"ada@one.example" not in b"".join(files.values())
    assert lines(files[f"{folder}tables/mailboxes.connections.jsonl"]) == []


def test_tokens_are_in_no_export() -> None:
    """A file that is mailed around and lets whoever has it into the mailbox."""
    names = {table.fullname for table in mailbox_tables()}
    assert "mailboxes.credentials" not in names
    secret = {"token_hash", "key_hash", "sealed", "sealed_secret", "sealed_answer"}
    for table in [*mailbox_tables(), *export.member_tables()]:
        shown = {column.name for column in table.c} - set(export.LEFT_OUT_COLUMNS.get(table.fullname, ()))
        assert not shown & secret, table.fullname


def test_an_archive_is_handed_on_while_it_is_made() -> None:
    """A mailbox of 100,000 messages that is put together in memory first."""
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        for number in range(200):
            taken = number
            yield random.Random(number).randbytes(64 * 512)  # noqa: S311 - a test's content

    received = []
    for piece in zipped([Member("large", pieces()), Member("empty", [])]):
        if not received:
            assert taken < 199, "nothing came before the end"
        received.append(piece)
    assert all(len(piece) < PIECE_BYTES + 200_000 for piece in received)
    assert len(opened(iter(received))["large"]) == 200 * 64 * 512


@given(st.binary(max_size=200) | st.lists(st.sampled_from([b"From ", b">", b"\n", b"\r\n", b"x"])).map(b"".join))
def test_quoting_can_be_undone_and_no_line_of_a_message_begins_another(content: bytes) -> None:
    """A mail that says "From " at the start of a line would end there in every mail program."""
    entry = mbox_entry(content, NOW)
    first, _, rest = entry.partition(b"\n")
    assert first == b"From MAILER-DAEMON Mon May  4 00:00:00 2026"
    assert not any(line.startswith(b"From ") for line in rest.split(b"\n"))
    undone = b"\n".join(
        line[1:] if line.lstrip(b">").startswith(b"From ") and line.startswith(b">") else line
        for line in rest.split(b"\n")
    )
    assert undone.removesuffix(b"\n").removesuffix(b"" if content.endswith(b"\n") else b"\n") == content
