"""Promise 5: a score depends on the message and its past only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.flow import run_flow
from rl_emails_assets.steps.removal import change_labels
from tests.small_mailbox import OWNER, conversation, mail


def _scores(engine: Engine) -> dict[str, tuple[Any, ...]]:
    query = text(
        "select m.rfc822_message_id, p.score, p.contributions::text, p.reasons, p.inputs_hash, p.run_id, c.category, "
        "c.needs, c.urgency, c.confidence "
        "from priorities.messages p join mail.messages m using (message_id) join classifications.messages c "
        "using (message_id)"
    )
    with engine.connect() as connection:
        return {row[0]: tuple(row[1:]) for row in connection.execute(query)}


def test_unrelated_mail_changes_no_score_and_writes_no_row_again(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """If strangers' mail moved the scores, nobody could say why a message stands where it stands."""
    run_flow(steps_on(write_folder(conversation()), run_id="first"))
    before = _scores(engine)
    strangers = [mail(900 + index, f"s{index}@else{index}.example", hours=50.0 * index) for index in range(8)]
    run_flow(steps_on(write_folder(strangers, root="strangers"), run_id="second"))
    after = _scores(engine)
    assert len(after) == len(before) + len(strangers)
    assert {key: after[key] for key in before} == before


def test_later_mail_of_the_same_people_changes_no_earlier_score(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """A score that knew how the owner answered later would be a leak, and would never be right on new mail."""
    run_flow(steps_on(write_folder(conversation()), run_id="first"))
    before = _scores(engine)
    later = [
        mail(800, "Ada <ada@one.example>", subject="Another plan", hours=5000, body="Can you send it again?"),
        mail(801, OWNER, to="ada@one.example", subject="Re: Another plan", hours=5001, in_reply_to=800),
        mail(802, "Bo <bo@two.example>", subject="Re: Numbers 5", hours=5002, in_reply_to=28),
    ]
    run_flow(steps_on(write_folder(later, root="later"), run_id="second"))
    after = _scores(engine)
    assert len(after) == len(before) + 3
    assert {key: after[key] for key in before} == before


def test_a_forged_references_header_joins_no_two_conversations(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """One hostile message that names everybody's ids would put the whole mailbox into one conversation."""
    messages = [
        mail(1, "ada@one.example", subject="Alpha"),
        mail(2, "bo@two.example", subject="Beta"),
        mail(3, "cy@three.example", subject="Gamma"),
        mail(4, "evil@four.example", subject="Delta", references="<m1@example.org> <m2@example.org> <m3@example.org>"),
        mail(5, "loop@five.example", subject="Loop", in_reply_to=6, references="<m6@example.org> <m5@example.org>"),
        mail(6, "loop@five.example", subject="Loop", in_reply_to=5, references="<m5@example.org> <m6@example.org>"),
        mail(7, "long@six.example", subject="Long",
             references=" ".join(f"<x{index}@six.example>" for index in range(3000))),
    ]  # fmt: skip
    run_flow(steps_on(write_folder(messages)))
    with engine.connect() as connection:
        rows = connection.execute(text("select rfc822_message_id, thread_id from mail.messages")).all()
        nodes = connection.execute(text("select count(*) from mail.thread_nodes")).scalar_one()
    thread_of = {row[0].partition("@")[0]: row[1] for row in rows}
    assert len({thread_of[name] for name in ("m1", "m2", "m3")}) == 3
    assert thread_of["m4"] == thread_of["m3"]
    assert thread_of["m5"] == thread_of["m6"]
    assert nodes < 200


def test_filing_a_message_changes_no_verdict_even_computed_again(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """What the owner does with a message after reading it would come back as the engine's own opinion of it."""
    step = steps_on(write_folder(conversation()), run_id="first")
    run_flow(step)
    query = text(
        "select message_id, category, needs, urgency, confidence, evidence::text, inputs_hash "
        "from classifications.messages order by message_id"
    )
    with engine.begin() as connection:
        before = connection.execute(query).all()
        filed = frozenset({"SPAM", "CATEGORY_PROMOTIONS", "CATEGORY_SOCIAL", "Newsletters"})
        assert change_labels(connection, step.mailbox_id, {row.message_id: filed for row in before}) == len(before)
        connection.execute(text("update classifications.messages set is_stale = true"))
    run_flow(step)
    with engine.connect() as connection:
        stale = connection.execute(text("select count(*) from classifications.messages where is_stale")).scalar_one()
        assert (stale, connection.execute(query).all()) == (0, before)
