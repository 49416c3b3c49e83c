"""A person is erased from a mailbox: nothing names them any more, and the rest is as if they had never written."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text

from rl_emails_assets.db import receipts
from rl_emails_assets.db.receipts import Order
from rl_emails_assets.db.suppression import suppressed_among
from rl_emails_assets.db.tables import identity
from rl_emails_assets.db.tables.identity import LOCAL_ORGANIZATION
from rl_emails_assets.errors import NotFoundError
from rl_emails_assets.privacy import erasure, person
from rl_emails_assets.privacy.naming import Needle, count_naming, text_tables
from rl_emails_assets.steps import raw_gmail_backlog, raw_messages
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.flow import run_flow
from tests.learning.conftest import learn
from tests.promises.test_removal import know_aliases
from tests.small_mailbox import OWNER, conversation, mail, state

EVE = "eve@gone.example"
MARKER = "xylophonic"
LINE = f"The {MARKER} shipment leaves the harbour at dawn on Thursday"
GRAPH = erasure.GRAPH_SCHEMAS - {"models"}


class KilledError(Exception):
    """The process ends here."""


def nothing(_order: Order, _needles: Sequence[str]) -> Mapping[str, int]:
    """What Dagster would forget, where there is none."""
    return {}


def hers() -> list[bytes]:
    """Eve's mail: from her, to her, about her, quoting her."""
    return [
        mail(90, f"Eve Ek <{EVE}>", subject=f"Harbour {MARKER}", hours=700, body=f"{LINE}.\nCan you confirm it?"),
        mail(91, OWNER, to=EVE, subject="Re: Harbour", hours=701, in_reply_to=90, body="I will confirm by Friday.\n"),
        mail(92, "Bo <bo@two.example>", subject="Re: Harbour", hours=702, in_reply_to=90,
             body=f"See what she wrote:\n> {LINE}.\nWhat do you think?"),
        mail(93, "Cy <cy@three.example>", subject="A contact", hours=703, body=f"Write to Eve: {EVE}. She knows."),
    ]  # fmt: skip


def of_others() -> list[bytes]:
    """A month of others' mail; one names an address that only looks like hers, one answers her without her words."""
    return [
        *conversation(),
        mail(94, "Ada <ada@one.example>", subject="Not her", hours=704, body="Write to steve@gone.example instead."),
        mail(95, "Bo <bo@two.example>", subject="Re: Harbour", hours=705, in_reply_to=90, body="Settled by phone."),
    ]


def named_by(engine: Engine, *words: str) -> dict[str, int]:
    """Rows of any table, of today or tomorrow, that hold one of the words."""
    with engine.connect() as connection:
        return count_naming(connection, text_tables(connection), [Needle(word) for word in words])


def ask(engine: Engine, address: str = EVE, **more: Any) -> uuid.UUID:
    """Ask for the erasure of a person."""
    with engine.begin() as connection:
        return receipts.ask(connection, "person", address, **more)


def erase(step: StepContext, receipt_id: uuid.UUID) -> Any:
    """Carry the erasure out; returns the receipt."""
    assert erasure.carry_out(step.engine, step.settings, receipt_id, forget_elsewhere=nothing)
    with step.engine.connect() as connection:
        return receipts.receipt(connection, receipt_id)


@pytest.fixture
def step(steps_on: Callable[..., StepContext], write_folder: Callable[..., Path]) -> StepContext:
    """A mailbox in which Eve is among others, worked out to its end, and learned from."""
    made = steps_on(write_folder([*of_others(), *hers()]))
    run_flow(made)
    with made.engine.begin() as connection:
        connection.execute(
            text(
                "insert into app.feedback (feedback_id, mailbox_id, message_id, kind, value, was) "
                "select gen_random_uuid(), mailbox_id, message_id, 'importance', 'important', '{}' "
                "from mail.messages where from_address = :address limit 1"
            ),
            {"address": EVE},
        )
        thread = connection.execute(
            text("select thread_id from mail.messages where from_address = :address"), {"address": EVE}
        ).scalar_one()
        connection.execute(
            text(
                "insert into app.notices (notice_id, mailbox_id, kind, text) "
                "values (gen_random_uuid(), :mailbox_id, 'behind', :text)"
            ),
            {"mailbox_id": made.mailbox_id, "text": f"A sync stopped at a message of {EVE.upper()}."},
        )
        connection.execute(
            text(
                "insert into app.thread_notes (note_id, mailbox_id, thread_id, text) "
                "values (gen_random_uuid(), :mailbox_id, :thread_id, :text)"
            ),
            {"mailbox_id": made.mailbox_id, "thread_id": thread, "text": f"Ask {EVE} about it."},
        )
    learn(made)
    return made


def test_after_an_erasure_no_table_names_the_person_or_repeats_their_words(step: StepContext, engine: Engine) -> None:
    """A table that is forgotten here would keep the person for ever; this one asks the database which there are."""
    before = named_by(engine, EVE, MARKER)
    assert {"raw.messages", "mail.messages", "mail.contacts", "entities.tasks", "entities.people", "app.notices",
            "app.thread_notes"} <= set(before)  # fmt: skip
    row = erase(step, ask(engine, EVE.upper()))
    assert named_by(engine, EVE, MARKER) == {}
    assert (row.state, row.left, row.error, row.kind, row.mailbox_id) == ("done", {}, None, "person", None)
    assert row.finished_at is not None
    assert {kept["what"] for kept in row.kept} >= {"identity.audit_events", "backups", "the provider"}


def test_a_receipt_counts_what_was_removed_and_names_nobody(step: StepContext, engine: Engine) -> None:
    """A receipt that says less than what was done, or that is itself a record of the erased person."""
    row = erase(step, ask(engine))
    for table in ("raw.messages", "mail.messages", "signals.messages", "embeddings.messages", "priorities.messages",
                  "classifications.messages", "entities.messages"):  # fmt: skip
        assert row.removed[table] == len(hers()), table
    assert row.removed["app.feedback"] == row.removed["app.notices"] == row.removed["app.thread_notes"] == 1
    assert row.removed["entities.tasks"] >= 1
    assert row.removed["models.behaviour"] >= 1
    assert receipts.is_about(row, f" {EVE.upper()}")
    assert not receipts.is_about(row, "steve@gone.example")
    other = ask(engine)
    with engine.connect() as connection:
        second = receipts.receipt(connection, other)
        assert second is not None
        assert second.subject_hash != row.subject_hash, "two receipts of a person could be put together"


def test_what_is_left_is_as_if_they_had_never_written(
    step: StepContext,
    engine: Engine,
    steps_on: Callable[..., StepContext],
    write_folder: Callable[..., Path],
) -> None:
    """A score, a project or a person that still knows of the erased mail, and so tells of it."""
    erase(step, ask(engine))
    after = {name: rows for name, rows in state(engine).items() if name.partition(".")[0] in GRAPH}
    with engine.begin() as connection:
        connection.execute(text("delete from mailboxes.connections"))
    fresh = steps_on(write_folder(of_others(), root="fresh"))
    know_aliases(engine, after["mailboxes.aliases"])
    run_flow(fresh)
    anew = state(engine)
    for name, rows in after.items():
        left_out = {"source", "sources", "added_at"}
        shown = [
            [{key: value for key, value in row.items() if key not in left_out} for row in each]
            for each in (rows, anew[name])
        ]
        if name not in {"raw.cursors", "models.versions", "models.trainings"}:
            assert shown[0] == shown[1], name


def test_the_next_full_sync_does_not_bring_them_back(step: StepContext, engine: Engine) -> None:
    """The provider still has the mail: what was erased would be there again within a week."""
    with engine.connect() as connection:
        ids = list(
            connection.execute(
                text("select provider_message_id from raw.messages r join mail.messages m using (message_id) "
                     "where m.from_address = :address"),
                {"address": EVE},
            ).scalars()
        )  # fmt: skip
    erase(step, ask(engine))
    raw_messages.run(step)
    run_flow(step)
    assert named_by(engine, EVE, MARKER) == {}
    with engine.begin() as connection:
        assert suppressed_among(connection, step.mailbox_id, [*ids, "another"]) == set(ids)
        assert suppressed_among(connection, uuid.uuid4(), ids) == set(), "another mailbox's mail is its own"
        # Gmail lists ids before anything is fetched.
        found = [(each, "") for each in [*ids, "another"]]
        raw_gmail_backlog.add(connection, step.mailbox_id, found, found_by="listing")
        listed = connection.execute(text("select provider_message_id from raw.backlog")).scalars().all()
        assert listed == ["another"]


@pytest.mark.parametrize("stage", ["begun", "first batch", "removed", "forgotten", "computed", "swept", "elsewhere"])
def test_an_erasure_that_is_killed_anywhere_goes_on(
    step: StepContext, engine: Engine, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """Half an erasure that nothing finishes; or one that, begun again, no longer finds what quotes the person."""
    receipt_id = ask(engine)
    monkeypatch.setattr(erasure, "BATCH_MESSAGES", 1)

    def killed(*_: Any, **__: Any) -> Any:
        raise KilledError

    def after(act: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            act(*arguments, **named)
            raise KilledError

        return run

    with monkeypatch.context() as patched:
        name, act = {
            "begun": ("messages_about", killed),
            "first batch": ("_remove", after(erasure._remove)),
            "removed": ("_compute_anew", killed),
            "forgotten": ("_compute", killed),
            "computed": ("_compute_anew", after(erasure._compute_anew)),
            "swept": ("mask_in_logs", killed),
            "elsewhere": ("_left", killed),
        }[stage]
        patched.setattr(erasure, name, act)
        with pytest.raises(KilledError):
            erasure.carry_out(engine, step.settings, receipt_id, forget_elsewhere=nothing)
    with engine.connect() as connection:
        row = receipts.receipt(connection, receipt_id)
        assert row is not None
        assert (row.state, row.error) == ("running", "KilledError")
        assert receipts.due_orders(connection) == [], "it is tried again a while later"
    row = erase(step, receipt_id)
    assert (row.state, row.error, row.removed["raw.messages"]) == ("done", None, len(hers()))
    assert row.removed["models.behaviour"] >= 1
    assert named_by(engine, EVE, MARKER) == {}
    again = erase(step, receipt_id)
    assert again.removed == row.removed


def test_one_erasure_is_carried_out_by_one_process(step: StepContext, engine: Engine) -> None:
    """Two at once would count what they remove twice."""
    receipt_id = ask(engine)
    begun: list[bool] = []

    def meanwhile(_order: Order, _needles: Sequence[str]) -> Mapping[str, int]:
        begun.append(erasure.carry_out(engine, step.settings, receipt_id, forget_elsewhere=nothing))
        return {}

    assert erasure.carry_out(engine, step.settings, receipt_id, forget_elsewhere=meanwhile)
    assert begun == [False]


def test_another_organizations_mailbox_and_the_owners_own_are_left(
    step: StepContext, engine: Engine, steps_on: Callable[..., StepContext], write_folder: Callable[..., Path]
) -> None:
    """An administrator erases from another tenant's mail; or the owner, who is in every message, erases everything."""
    root = write_folder([*of_others()[:3], *hers()], root="other")
    theirs, eves = steps_on(root, "other@example.org"), steps_on(root, EVE)
    for each in (theirs, eves):
        run_flow(each)
    other = uuid.UUID(int=9)
    with engine.begin() as connection:
        connection.execute(insert(identity.organizations).values(organization_id=other, name="Other"))
        connection.execute(
            text("update mailboxes.connections set organization_id = :other where mailbox_id = :id"),
            {"other": other, "id": theirs.mailbox_id},
        )
        connection.execute(
            insert(identity.invitations).values(
                invitation_id=uuid.uuid4(), organization_id=LOCAL_ORGANIZATION, address=EVE, role="member",
                token_hash=b"x", invited_by=identity.LOCAL_USER, expires_at=text("now() + interval '1 day'"),
            )
        )  # fmt: skip
        counts = text("select mailbox_id, count(*) from raw.messages group by 1")
        before = dict(connection.execute(counts).all())
    row = erase(step, ask(engine))
    with engine.connect() as connection:
        after = dict(connection.execute(counts).all())
    assert after == {**before, step.mailbox_id: len(of_others())}
    assert row.removed["identity.invitations"] == 1
    assert row.left == {}, "what another tenant has is not this one's to count"


def test_nobody_erases_the_owner_as_a_person(step: StepContext, engine: Engine) -> None:
    """Every message of the mailbox is from or to its owner."""
    with engine.connect() as connection, pytest.raises(NotFoundError, match="erase mailbox"):
        erasure.require_somebody_else(connection, [step.mailbox_id], OWNER)
    row = erase(step, ask(engine, OWNER))
    assert "raw.messages" not in row.removed


def test_a_preview_says_what_would_go_and_changes_nothing(step: StepContext, engine: Engine) -> None:
    """Somebody confirms what they cannot know."""
    before = state(engine)
    with engine.connect() as connection:
        (found,) = erasure.preview(connection, [step.mailbox_id], EVE)
        assert erasure.preview(connection, [step.mailbox_id], "nobody@nowhere.example") == []
        assert erasure.preview(connection, [step.mailbox_id], OWNER) == []
    assert (found.addressed_count, found.naming_count, found.quoting_count) == (2, 1, 1)
    assert state(engine) == before


def test_a_person_who_is_not_there_costs_nothing_and_leaves_a_receipt(step: StepContext, engine: Engine) -> None:
    """A mailbox that unlearns everything because of somebody who never wrote."""
    with engine.connect() as connection:
        learned = connection.execute(text("select count(*) from models.behaviour")).scalar_one()
    row = erase(step, ask(engine, "nobody@nowhere.example"))
    assert (row.state, row.removed) == ("done", {})
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from models.behaviour")).scalar_one() == learned > 0


def test_a_short_line_is_nobodys_own_words() -> None:
    """A "Thank you" of theirs would erase everybody's mail."""
    assert person._lines("Thank you.\n> Best regards,\nSee you on Thursday at noon, in the harbour\n") == {
        "seeyouonthursdayatnoonintheharbour"
    }
