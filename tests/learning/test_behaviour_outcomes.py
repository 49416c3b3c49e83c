"""What became of a message: the rule, and the rows that follow it whatever happens to the mail."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.ranking.personal import CORRECTION_WEIGHT
from rl_emails_assets.steps import models_behaviour
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.models_behaviour import Facts, Outcome, outcome_of
from rl_emails_assets.steps.removal import remove_messages
from tests.learning.conftest import Say, decide, rows
from tests.small_mailbox import OWNER, mail

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = AT + timedelta(days=60)
SILENCE = AT + timedelta(days=models_behaviour.SILENCE_DAYS)
NEW = Facts(received_at=AT)


@pytest.mark.parametrize(
    ("facts", "now", "outcome"),
    [
        (NEW, AT + timedelta(hours=3), None),
        (NEW, SILENCE - timedelta(seconds=1), None),
        (NEW, SILENCE, Outcome(0.0, 1.0, SILENCE)),
        (replace(NEW, was_owner_there=False), LATER, None),
        (replace(NEW, is_filed=True), LATER, Outcome(0.0, models_behaviour.FILED_WEIGHT, SILENCE)),
        (replace(NEW, is_read=True), LATER, Outcome(0.0, 1.0, SILENCE)),
        (replace(NEW, reply_hours=2.0), AT + timedelta(hours=3), Outcome(1.0, 1.0, AT + timedelta(hours=2))),
        (
            replace(NEW, reply_hours=240.0),
            LATER,
            Outcome(1.0, models_behaviour.SLOW_REPLY_WEIGHT, AT + timedelta(days=10)),
        ),
        (replace(NEW, reply_hours=24.0 * 31), LATER, Outcome(0.0, 1.0, SILENCE)),
        (replace(NEW, reply_hours=2.0, is_deleted=True), LATER, Outcome(1.0, 1.0, AT + timedelta(hours=2))),
        (replace(NEW, is_starred=True), AT + timedelta(hours=3), Outcome(1.0, 1.0, AT + timedelta(hours=3))),
        (replace(NEW, is_done=True), LATER, Outcome(1.0, 1.0, SILENCE)),
        (replace(NEW, is_deleted=True, was_owner_there=False), AT, Outcome(0.0, 1.0, AT)),
        (
            replace(NEW, reply_hours=2.0, correction="not_important", corrected_at=LATER),
            LATER,
            Outcome(0.0, CORRECTION_WEIGHT, LATER),
        ),
        (replace(NEW, correction="important", corrected_at=AT), AT, Outcome(1.0, CORRECTION_WEIGHT, AT)),
    ],
)
def test_an_outcome_is_settled_by_a_word_an_action_or_silence(
    facts: Facts, now: datetime, outcome: Outcome | None
) -> None:
    """Mail of this morning is not mail that was ignored; a word outweighs what was done."""
    assert outcome_of(facts, now) == outcome


def _outcomes(engine: Engine) -> dict[str, tuple[float, float, str | None]]:
    query = "select m.rfc822_message_id, b.* from models.behaviour b join mail.messages m using (message_id)"
    return {
        row.rfc822_message_id.partition("@")[0]: (row.acted, row.weight, row.correction) for row in rows(engine, query)
    }


def test_rows_follow_what_was_done_and_said_and_are_written_once(
    mailbox: StepContext, engine: Engine, say: Say
) -> None:
    """A table that is written anew each time, or keeps what is not so any more."""
    first = models_behaviour.run(mailbox)
    found = _outcomes(engine)
    assert {name for name, row in found.items() if row[0] == 1.0} == {f"m{5 * week}" for week in range(6)}
    assert len(found) == first.row_count == 21
    assert models_behaviour.run(mailbox).row_count == 0
    say(mailbox, "m3", "important")
    with engine.begin() as connection:
        ids = dict(connection.execute(text("select rfc822_message_id, message_id from mail.messages")).all())
        for name, label in (("m8", "STARRED"), ("m13", "TRASH"), ("m18", "Projects")):
            connection.execute(
                text(
                    "insert into raw.labels (mailbox_id, message_id, label) values (:mailbox_id, :message_id, :label)"
                ),
                {"mailbox_id": mailbox.mailbox_id, "message_id": ids[f"{name}@example.org"], "label": label},
            )
        connection.execute(text("delete from raw.labels where label in ('inbox', 'INBOX')"))
        connection.execute(
            text("insert into app.message_states (message_id, mailbox_id, read_at) values (:id, :mailbox_id, now())"),
            {"id": ids["m23@example.org"], "mailbox_id": mailbox.mailbox_id},
        )
        for value, at in (("done", "2026-05-01"), ("open", "2026-05-02"), ("done", "2026-05-03")):
            connection.execute(
                text(
                    "insert into app.feedback (feedback_id, mailbox_id, message_id, kind, value, task_id, was, "
                    "created_at) values "
                    "(gen_random_uuid(), :mailbox_id, :id, 'task_status', :value, :task_id, '{}', :at)"
                ),
                {"id": ids["m2@example.org"], "mailbox_id": mailbox.mailbox_id, "value": value, "at": at,
                 "task_id": uuid.UUID(int=7)},
            )  # fmt: skip
    assert models_behaviour.run(mailbox).row_count == 6
    found = _outcomes(engine)
    assert found["m3"] == (1.0, CORRECTION_WEIGHT, "important")
    assert found["m8"][:2] == found["m2"][:2] == (1.0, 1.0)
    assert found["m13"][:2] == found["m23"][:2] == (0.0, 1.0)
    assert found["m18"][:2] == (0.0, models_behaviour.FILED_WEIGHT)


def test_what_a_label_settled_keeps_its_time(mailbox: StepContext, engine: Engine) -> None:
    """A time that moved with every run would put an old outcome after the split that it belongs before."""
    with engine.begin() as connection:
        newest = "(select message_id from mail.messages where rfc822_message_id like 'm29@%')"
        for table in ("mail.messages", "signals.messages"):
            connection.execute(
                text(f"update {table} set received_at = now() - interval '1 day' where message_id = {newest}")  # noqa: S608
            )
        connection.execute(
            text(
                "insert into raw.labels (mailbox_id, message_id, label) select mailbox_id, message_id, 'STARRED' "
                "from mail.messages where rfc822_message_id like 'm29@%'"
            )
        )
    models_behaviour.run(mailbox)
    before = rows(engine, "select settled_at from models.behaviour where is_starred")
    models_behaviour.run(mailbox)
    assert rows(engine, "select settled_at from models.behaviour where is_starred") == before
    assert len(before) == 1


def test_a_removed_answer_is_forgotten_and_removed_mail_has_no_row(mailbox: StepContext, engine: Engine) -> None:
    """An outcome that nothing proves any more would be learned from for ever."""
    models_behaviour.run(mailbox)
    with engine.begin() as connection:
        gone = connection.execute(
            text("select message_id from mail.messages where rfc822_message_id in ('m1@example.org', 'm8@example.org')")
        ).scalars()
        remove_messages(connection, mailbox.mailbox_id, list(gone))
    decide(mailbox, is_read=False)
    models_behaviour.run(mailbox)
    found = _outcomes(engine)
    assert "m8" not in found
    # Who had not written yet when it came, as far as can be seen now, was not there to answer.
    assert "m0" not in found
    assert found["m5"][0] == 1.0


def test_a_mailbox_without_own_mail_teaches_nothing_by_silence(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """An export of the inbox alone has no answers; taken for silence it would teach that nothing matters."""
    step = steps_on(write_folder([mail(index, f"a{index}@one.example", to=OWNER) for index in range(4)]))
    decide(step)
    models_behaviour.run(step)
    assert _outcomes(engine) == {}
