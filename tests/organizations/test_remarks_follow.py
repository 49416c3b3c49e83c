"""Assignments and notes when conversations merge, fall apart or end: nothing that people wrote is lost on the way."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables.identity import LOCAL_USER
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.flow import STEPS
from rl_emails_assets.steps.removal import remove_messages
from tests.small_mailbox import mail

NOTE = (
    "insert into app.thread_notes (note_id, mailbox_id, thread_id, author_user_id, text) "
    "values (gen_random_uuid(), :mailbox, :thread, :user, :text)"
)
ASSIGNMENT = "insert into app.thread_assignments (thread_id, mailbox_id, user_id) values (:thread, :mailbox, :user)"


@pytest.fixture
def threaded(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> Callable[..., tuple[StepContext, dict[str, tuple[uuid.UUID, uuid.UUID]]]]:
    """Imports and threads messages; returns the step and, by subject, each message's id and its conversation's."""

    def run(messages: list[bytes], root: str) -> tuple[StepContext, dict[str, tuple[uuid.UUID, uuid.UUID]]]:
        step = steps_on(write_folder(messages, root=root))
        for key in (keys.RAW_MESSAGES, keys.MAIL_MESSAGES, keys.MAIL_THREADS):
            STEPS[key](step)
        with engine.connect() as connection:
            rows = connection.execute(text("select subject, message_id, thread_id from mail.messages")).all()
        return step, {row.subject: (row.message_id, row.thread_id) for row in rows}

    return run


def _say(engine: Engine, step: StepContext, thread: uuid.UUID, words: str, *, is_assigned: bool = True) -> None:
    with engine.begin() as connection:
        values = {"mailbox": step.mailbox_id, "thread": thread, "user": LOCAL_USER}
        connection.execute(text(NOTE), {**values, "text": words})
        if is_assigned:
            connection.execute(text(ASSIGNMENT), values)


def _said(engine: Engine) -> tuple[dict[str, uuid.UUID], list[uuid.UUID]]:
    with engine.connect() as connection:
        notes = connection.execute(text("select text, thread_id from app.thread_notes")).all()
        assigned = connection.execute(text("select thread_id from app.thread_assignments")).scalars().all()
    return {row.text: row.thread_id for row in notes}, list(assigned)


@pytest.mark.parametrize("is_assigned", [(True, False), (False, True), (True, True), (False, False)])
def test_notes_of_two_conversations_that_become_one_are_all_there(
    threaded: Callable[..., tuple[StepContext, dict[str, tuple[uuid.UUID, uuid.UUID]]]],
    engine: Engine,
    is_assigned: tuple[bool, bool],
) -> None:
    """The message that joins two conversations arrives, and what colleagues wrote about one of them is gone."""
    first = [mail(1, "ada@one.example", subject="Alpha"), mail(3, "cy@three.example", subject="Gamma", in_reply_to=2)]
    step, placed = threaded(first, "first")
    _say(engine, step, placed["Alpha"][1], "about Alpha", is_assigned=is_assigned[0])
    _say(engine, step, placed["Gamma"][1], "about Gamma", is_assigned=is_assigned[1])
    _, placed = threaded([mail(2, "bo@two.example", subject="Beta", in_reply_to=1)], "second")
    (thread,) = {each[1] for each in placed.values()}
    notes, assigned = _said(engine)
    assert notes == {"about Alpha": thread, "about Gamma": thread}
    assert assigned == [thread] * any(is_assigned)


def test_notes_follow_a_conversation_whose_first_message_is_removed(
    threaded: Callable[..., tuple[StepContext, dict[str, tuple[uuid.UUID, uuid.UUID]]]], engine: Engine
) -> None:
    """A conversation is named after its first message; when that is deleted at the provider, so are its notes. When all
    of it is deleted they must be."""
    messages = [
        mail(1, "ada@one.example", subject="Alpha"),
        mail(2, "bo@two.example", subject="Beta", in_reply_to=1),
        mail(3, "cy@three.example", subject="Gamma", in_reply_to=2),
        mail(9, "di@four.example", subject="Other"),
    ]
    step, placed = threaded(messages, "first")
    old = placed["Alpha"][1]
    _say(engine, step, old, "about it")
    _say(engine, step, placed["Other"][1], "about another")
    with engine.begin() as connection:
        remove_messages(connection, step.mailbox_id, [placed["Alpha"][0]])
        now = connection.execute(
            text("select distinct thread_id from mail.messages where subject in ('Beta', 'Gamma')")
        ).scalar_one()
    assert now != old
    notes, assigned = _said(engine)
    assert notes == {"about it": now, "about another": placed["Other"][1]}
    assert set(assigned) == {now, placed["Other"][1]}
    with engine.begin() as connection:
        remove_messages(connection, step.mailbox_id, [placed["Gamma"][0]])
    assert _said(engine)[0]["about it"] == now, "what still has messages keeps its notes"
    with engine.begin() as connection:
        remove_messages(connection, step.mailbox_id, [placed["Beta"][0]])
    assert _said(engine) == ({"about another": placed["Other"][1]}, [placed["Other"][1]])
