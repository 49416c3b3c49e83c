"""The audit log: what it takes, what it leaves out, and that its reference lists every action there is."""

import ast
import itertools
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

import rl_emails_api
import rl_emails_assets
from rl_emails_assets.db import audit
from rl_emails_assets.db.tables.identity import audit_events

ROOT = Path(__file__).parents[2]
ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
RECORDERS = {"record", "viewed"}


def recorded(engine: Engine, **named: Any) -> Any:
    """The row that one event makes."""
    event_id = uuid.uuid4()
    with engine.begin() as connection:
        audit.record(connection, "mailbox.shared", event_id=event_id, **named)
        return connection.execute(select(audit_events).where(audit_events.c.audit_event_id == event_id)).one()


def test_what_an_event_keeps(engine: Engine) -> None:
    """A detail that is lost makes an event worthless when somebody asks."""
    some = uuid.uuid4()
    row = recorded(
        engine,
        target=some,
        client="2001:db8::1",
        request_id="r-1",
        details={"count": 3, "share": 0.5, "is_it": True, "none": None, "who": some, "scopes": {"mail:read", "a"},
                 "at": datetime(2026, 5, 4, tzinfo=UTC), "day": date(2026, 5, 4), "ids": [some, 1]},
    )  # fmt: skip
    assert (row.target, row.client, row.request_id, row.credential) == (str(some), "2001:db8::1", "r-1", "system")
    assert row.details == {
        "count": 3, "share": 0.5, "is_it": True, "none": None, "who": str(some), "scopes": ["a", "mail:read"],
        "at": "2026-05-04T00:00:00+00:00", "day": "2026-05-04", "ids": [str(some), 1],
    }  # fmt: skip


@pytest.mark.parametrize(
    "text_",
    ["ada@example.org", "Dear Ada", "x" * 41, "line\nline", "rle_" + "A" * 43, "привет", "a,b", "1//0secret=="],
)
def test_addresses_sentences_and_secrets_are_left_out(engine: Engine, text_: str) -> None:
    """A log that outlives an erased person and still names them; or one that hands out keys."""
    row = recorded(engine, target=text_, client=text_, request_id=text_, details={"text": text_, "more": [text_, "ok"]})
    assert {row.target, row.client, row.request_id, row.details["text"]} == {audit.LEFT_OUT}
    assert row.details["more"] == [audit.LEFT_OUT, "ok"]


@given(st.text())
def test_nothing_that_is_kept_is_an_address_a_sentence_or_long(text_: str) -> None:
    """Whatever somebody calls their key."""
    kept = audit._word(text_)
    assert kept == audit.LEFT_OUT or (len(kept) <= audit.MAX_WORD and not set(kept) & set("@ \n\t,;\"'"))


@pytest.mark.parametrize(
    ("action", "details", "error"),
    [
        ("shared", {}, ValueError),
        ("Mailbox.shared", {}, ValueError),
        ("mailbox.shared", {"a": {}}, TypeError),
        ("mailbox.shared", {"a": b"x"}, TypeError),
        ("mailbox.shared", {"a b": 1}, ValueError),
        ("mailbox.shared", {f"n{number}": 1 for number in range(21)}, ValueError),
    ],
)
def test_what_no_caller_should_try_is_an_error(
    engine: Engine, action: str, details: dict[str, Any], error: type[Exception]
) -> None:
    """A whole object that is put into the log, with whatever it will hold one day."""
    with engine.begin() as connection, pytest.raises(error):
        audit.record(connection, action, details=details)


def test_the_same_event_is_there_once(engine: Engine) -> None:
    """Two processes that record one view."""
    event_id = audit.event_id_of("status.viewed", "ada", "12")
    assert (
        event_id == audit.event_id_of("status.viewed", "ada", "12") != audit.event_id_of("status.viewed", "ada", "13")
    )
    with engine.begin() as connection:
        for _ in range(2):
            audit.record(connection, "status.viewed", event_id=event_id)
        assert len(connection.execute(select(audit_events)).all()) == 1


def _words(node: ast.AST) -> Iterator[str]:
    """The texts that an expression can be; a place in an f-string is a kind of what is exported and erased."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from itertools.chain(_words(node.body), _words(node.orelse))
    elif isinstance(node, ast.JoinedStr):
        for kind in ("mailbox", "person"):
            yield "".join(each.value if isinstance(each, ast.Constant) else kind for each in node.values)


def _actions(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in RECORDERS:
                for argument in node.args[:2]:
                    yield from (word for word in _words(argument) if ACTION.fullmatch(word))


def test_the_reference_lists_every_action_there_is() -> None:
    """An action that nobody can look up, or a reference to one that is never recorded."""
    found: set[str] = set()
    for package in (rl_emails_api, rl_emails_assets):
        for path in Path(str(package.__file__)).parent.rglob("*.py"):
            found.update(_actions(ast.parse(path.read_text())))
    listed = re.findall(r"^\| `([a-z_.]+)` \|", (ROOT / "docs/reference/audit.md").read_text(), re.MULTILINE)
    actions = [word for word in listed if "." in word]
    assert len(actions) == len(set(actions))
    assert sorted(actions) == sorted(found)
