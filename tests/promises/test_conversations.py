"""Conversations that are found to be one, and mail without usable dates."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, text

from rl_emails_assets.steps.context import Scope, StepContext
from rl_emails_assets.steps.flow import run_flow
from tests.small_mailbox import mail


def test_two_conversations_become_one_when_what_joins_them_arrives(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """A merge that forgot a table would leave rows of a conversation that no longer exists."""
    first = [
        mail(1, "ada@one.example", subject="Alpha"),
        mail(3, "cy@three.example", subject="Gamma", in_reply_to=2),
    ]
    run_flow(steps_on(write_folder(first, root="first")))
    joining = [mail(2, "bo@two.example", subject="Beta", in_reply_to=1)]
    run_flow(steps_on(write_folder(joining, root="second")))
    with engine.connect() as connection:
        for table in ("mail.messages", "mail.threads", "mail.thread_nodes", "signals.messages", "priorities.threads"):
            query = text(f"select count(distinct thread_id) from {table}")  # noqa: S608 - a constant
            assert connection.execute(query).scalar_one() == 1, table
        earlier = connection.execute(
            text("select array_agg(thread_earlier_count order by received_at) from signals.messages")
        ).scalar_one()
    assert earlier == [0, 1, 2]


def test_parsing_again_keeps_every_message_in_its_conversation(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """After an upgrade of the parser, links to conversations and what was done in them must hold."""
    messages = [
        mail(1, "ada@one.example", subject="Alpha"),
        mail(2, "owner@example.org", to="ada@one.example", subject="Re: Alpha"),
        mail(3, "ada@one.example", subject="Re: Alpha"),
    ]
    root = write_folder(messages)
    run_flow(steps_on(root))
    query = text("select message_id, thread_id from mail.messages order by 1")
    with engine.connect() as connection:
        before = connection.execute(query).all()
    run_flow(steps_on(root, run_id="again", scope=Scope(force=True)))
    with engine.connect() as connection:
        assert connection.execute(query).all() == before
    assert len({row.thread_id for row in before}) == 1


def test_a_date_in_the_future_or_none_at_all_does_not_put_mail_at_the_top_for_ever(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """A sender who writes 2199 into the Date header would stay the newest mail of all."""
    future = mail(1, "ada@one.example").replace(b"2026", b"2199")
    dateless = b"\n".join(line for line in mail(2, "bo@two.example").split(b"\n") if not line.startswith(b"Date:"))
    run_flow(steps_on(write_folder([future, dateless])))
    with engine.connect() as connection:
        rows = connection.execute(
            text("select received_at <= now() as is_past, defects::text as defects from mail.messages")
        ).all()
    assert all(row.is_past for row in rows)
    assert all("received-at" in row.defects for row in rows)
