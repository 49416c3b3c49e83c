"""Carrying out an erasure: a mailbox, or a person out of the mailboxes of an organization.

Every step may be done again, and the order that says what is to be done goes last: an erasure that is killed anywhere
goes on where it was, by the command or by the job `erasures`. What is removed is counted in the transactions that
remove it. After the mail of a person is gone the mailbox is computed anew without it, and what it had learned is
learned again: then it is as if that mail had never been there.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, func, select, text

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.connections.disconnection import disconnect
from rl_emails_assets.db import audit, receipts
from rl_emails_assets.db.receipts import Order
from rl_emails_assets.db.schema import metadata
from rl_emails_assets.db.suppression import suppress
from rl_emails_assets.db.tables import collaboration, identity, mailboxes, models, privacy, raw
from rl_emails_assets.db.tables.identity import LOCAL_USER
from rl_emails_assets.errors import NotFoundError
from rl_emails_assets.privacy.log_files import mask_in_logs
from rl_emails_assets.privacy.naming import Needle, count_naming, delete_naming, text_tables
from rl_emails_assets.privacy.person import count_rows, is_owner, messages_about
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps import models_behaviour, models_classifier, models_ranker, models_serving
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.flow import STEPS
from rl_emails_assets.steps.removal import remove_messages

BATCH_MESSAGES = 1000
RUN_ID = "erasure"
"""Named by the rows that are computed anew."""

GRAPH_SCHEMAS = frozenset(
    {
        "mailboxes",
        "raw",
        "mail",
        "signals",
        "embeddings",
        "classifications",
        "entities",
        "priorities",
        "models",
        "search",
    }
)
"""Their rows follow from the raw messages: they go with those, or are computed anew."""
OUTSIDE = frozenset({"identity", "privacy"})
"""What happens to these is said here by name."""
NOT_COMPUTED = frozenset({keys.RAW_MESSAGES, keys.MAILBOXES_WATCHES, keys.CLASSIFICATIONS_OPINIONS})
"""What asks somebody else waits for the mailbox's next run."""

ForgetElsewhere = Callable[[Order, Sequence[str]], Mapping[str, int]]
"""Removes what Dagster knows, given the order and what names the subject. Returns rows removed, by name."""


@dataclass(frozen=True, slots=True)
class Concerned:
    """What an erasure of a person would remove from one mailbox."""

    mailbox_id: uuid.UUID
    addressed_count: int
    """Messages from or to them."""
    naming_count: int
    """Other messages that hold their address."""
    quoting_count: int
    """Other messages that repeat a line of theirs."""


def preview(connection: Connection, mailbox_ids: Sequence[uuid.UUID], address: str) -> list[Concerned]:
    """What an erasure of this person would remove, by mailbox that has any of it. Only looks."""
    found = []
    for mailbox_id in mailbox_ids:
        about = messages_about(connection, mailbox_id, address)
        if about.in_order and not is_owner(connection, mailbox_id, address):
            counts = (len(about.addressed), len(about.naming), len(about.quoting))
            found.append(Concerned(mailbox_id, *counts))
    return found


def carry_out(
    engine: Engine,
    settings: Settings,
    receipt_id: uuid.UUID,
    *,
    forget_elsewhere: ForgetElsewhere,
    even_if_unreachable: bool = False,
) -> bool:
    """Do what the order of this receipt says, or go on with it. Returns False when somebody else is at it.

    Raises what stopped it: TransientError where the next attempt may succeed. The order stays then, and says why.
    """
    with engine.connect() as lock:
        parameters = {"receipt": str(receipt_id)}
        query = text("select pg_try_advisory_lock(hashtext('erasure'), hashtext(:receipt))")
        is_mine = lock.execute(query, parameters).scalar_one()
        lock.commit()
        if not is_mine:
            return False
        try:
            _carry_out(engine, settings, receipt_id, forget_elsewhere, even_if_unreachable=even_if_unreachable)
        except Exception as error:
            with engine.begin() as connection:
                # Its kind alone: the text may name whom it is about, and the receipt outlives them.
                receipts.note(connection, receipt_id, error=type(error).__name__)
            raise
        finally:
            lock.rollback()
            lock.execute(text("select pg_advisory_unlock(hashtext('erasure'), hashtext(:receipt))"), parameters)
            lock.commit()
    return True


def _carry_out(
    engine: Engine,
    settings: Settings,
    receipt_id: uuid.UUID,
    forget_elsewhere: ForgetElsewhere,
    *,
    even_if_unreachable: bool,
) -> None:
    with engine.begin() as connection:
        order = receipts.order_of(connection, receipt_id)
        if order is None:
            return
        receipts.begin(connection, receipt_id)
        reach = _reach(connection, order)
    needles = [order.subject]
    if order.kind == "mailbox":
        needles += [str(mailbox_id) for mailbox_id in order.mailbox_ids or []]
        for mailbox_id in order.mailbox_ids or []:
            disconnect(engine, settings, mailbox_id, even_if_unreachable=even_if_unreachable)
    else:
        _erase_member(engine, settings, order, forget_elsewhere, even_if_unreachable=even_if_unreachable)
        for mailbox_id in reach:
            _erase_person(engine, settings, order, mailbox_id)
        with engine.begin() as connection:
            receipts.count_removed(connection, receipt_id, _erase_invitations(connection, order))
    with engine.begin() as connection:
        receipts.count_removed(connection, receipt_id, _sweep(connection, order, reach, needles))
    elsewhere = dict(forget_elsewhere(order, needles))
    elsewhere["log files"] = mask_in_logs(settings.home, needles)
    with engine.begin() as connection:
        receipts.count_removed(connection, receipt_id, elsewhere)
        left = _left(connection, order, reach, needles)
        receipts.finish(connection, receipt_id, left)
        audit.record(
            connection,
            f"{order.kind}.erased",
            target=receipt_id,
            details={"left_count": sum(left.values())},
            organization_id=order.organization_id,
        )


def _reach(connection: Connection, order: Order) -> list[uuid.UUID]:
    """The mailboxes that the order is about and that are there."""
    columns = mailboxes.connections.c
    query = select(columns.mailbox_id).where(columns.organization_id == order.organization_id)
    if order.mailbox_ids is not None:
        query = query.where(columns.mailbox_id == func.any(order.mailbox_ids))
    found = list(connection.execute(query.order_by(columns.mailbox_id)).scalars())
    if order.kind == "mailbox":
        return found
    return [mailbox_id for mailbox_id in found if not is_owner(connection, mailbox_id, order.subject)]


def _erase_person(engine: Engine, settings: Settings, order: Order, mailbox_id: uuid.UUID) -> None:
    while True:
        with engine.connect() as connection:
            ids = messages_about(connection, mailbox_id, order.subject).in_order
        if not ids:
            break
        for start in range(0, len(ids), BATCH_MESSAGES):
            _remove(engine, order, mailbox_id, ids[start : start + BATCH_MESSAGES])
    with engine.connect() as connection:
        columns = privacy.suppressed.c
        asked_at = select(privacy.orders.c.asked_at).where(privacy.orders.c.receipt_id == order.receipt_id)
        query = select(columns.mailbox_id).where(
            columns.mailbox_id == mailbox_id, columns.erased_at >= asked_at.scalar_subquery()
        )
        was_there = connection.execute(query.limit(1)).first() is not None
    if was_there:
        _compute_anew(engine, settings, order, mailbox_id)


def _remove(engine: Engine, order: Order, mailbox_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> None:
    with engine.begin() as connection:
        columns = raw.messages.c
        provider_ids = list(
            connection.execute(select(columns.provider_message_id).where(columns.message_id == func.any(ids))).scalars()
        )
        suppress(connection, mailbox_id, provider_ids)
        removed = count_rows(connection, mailbox_id, ids)
        for table in (raw.backlog, raw.gaps, raw.listings):
            gone = delete(table).where(
                table.c.mailbox_id == mailbox_id, table.c.provider_message_id == func.any(provider_ids)
            )
            removed[table.fullname] = connection.execute(gone).rowcount
        remove_messages(connection, mailbox_id, ids)
        receipts.count_removed(connection, order.receipt_id, removed)


def _compute_anew(engine: Engine, settings: Settings, order: Order, mailbox_id: uuid.UUID) -> None:
    """Everything that follows from the mail that is left, and what was learned from it."""
    with engine.begin() as connection:
        # What was learned is in weights that nobody can take a message out of; it is learned again.
        removed = {
            table.fullname: connection.execute(delete(table).where(table.c.mailbox_id == mailbox_id)).rowcount
            for table in (models.behaviour, models.trainings, models.versions)
        }
        receipts.count_removed(connection, order.receipt_id, removed)
    step = StepContext(engine, mailbox_id, RUN_ID, settings)
    _compute(step)
    for learn in (models_behaviour.run, models_ranker.run, models_classifier.run, models_serving.run):
        result = learn(step)
    if result.row_count:
        _compute(step)


def _compute(step: StepContext) -> None:
    for key, run in STEPS.items():
        if key not in NOT_COMPUTED:
            run(step)


def _erase_member(
    engine: Engine, settings: Settings, order: Order, forget_elsewhere: ForgetElsewhere, *, even_if_unreachable: bool
) -> None:
    """What belongs to a member: their own mailboxes in the organization, and who they are."""
    if order.user_id is None or order.user_id == LOCAL_USER:
        return
    columns = mailboxes.connections.c
    with engine.begin() as connection:
        query = select(columns.mailbox_id, columns.address).where(
            columns.organization_id == order.organization_id,
            columns.owner_user_id == order.user_id,
            columns.is_shared.is_(False),
        )
        open_of = privacy.receipts.c
        own: list[uuid.UUID] = []
        for row in connection.execute(query).all():
            waiting = select(open_of.receipt_id).where(
                open_of.mailbox_id == row.mailbox_id, open_of.finished_at.is_(None)
            )
            found = connection.execute(waiting.limit(1)).scalar_one_or_none()
            own.append(
                found
                or receipts.ask(
                    connection,
                    "mailbox",
                    row.address,
                    organization_id=order.organization_id,
                    mailbox_ids=[row.mailbox_id],
                )
            )
    for receipt_id in own:
        carry_out(
            engine,
            settings,
            receipt_id,
            forget_elsewhere=forget_elsewhere,
            even_if_unreachable=even_if_unreachable,
        )
    with engine.begin() as connection:
        receipts.count_removed(connection, order.receipt_id, _erase_identity(connection, order))


def _erase_identity(connection: Connection, order: Order) -> dict[str, int]:
    """Their membership with what hangs on it; themselves, when they are in no other organization."""
    removed: dict[str, int] = {}
    for table in (identity.sessions, identity.api_keys, identity.memberships):
        gone = delete(table).where(table.c.user_id == order.user_id, table.c.organization_id == order.organization_id)
        removed[table.fullname] = connection.execute(gone).rowcount
    # What they said to others of a mailbox in the organization.
    notes = collaboration.thread_notes
    own_mailboxes = select(mailboxes.connections.c.mailbox_id).where(
        mailboxes.connections.c.organization_id == order.organization_id
    )
    gone = delete(notes).where(notes.c.author_user_id == order.user_id, notes.c.mailbox_id.in_(own_mailboxes))
    removed[notes.fullname] = connection.execute(gone).rowcount
    others = select(identity.memberships.c.user_id).where(identity.memberships.c.user_id == order.user_id)
    if connection.execute(others.limit(1)).first() is None:
        # A shared mailbox that they connected stays the organization's.
        connection.execute(
            mailboxes.connections.update()
            .where(mailboxes.connections.c.owner_user_id == order.user_id)
            .values(owner_user_id=None)
        )
        for table in reversed(metadata.sorted_tables):
            if "user_id" in table.c and table.schema not in GRAPH_SCHEMAS | {"privacy"}:
                if table in (identity.audit_events, identity.users):
                    continue
                number = connection.execute(delete(table).where(table.c.user_id == order.user_id)).rowcount
                removed[table.fullname] = removed.get(table.fullname, 0) + number
        gone = delete(identity.users).where(identity.users.c.user_id == order.user_id)
        removed["identity.users"] = connection.execute(gone).rowcount
    return removed


def _erase_invitations(connection: Connection, order: Order) -> dict[str, int]:
    columns = identity.invitations.c
    gone = delete(identity.invitations).where(
        columns.organization_id == order.organization_id, columns.address == order.subject
    )
    return {"identity.invitations": connection.execute(gone).rowcount}


def _sweep(connection: Connection, order: Order, reach: Sequence[uuid.UUID], needles: Sequence[str]) -> dict[str, int]:
    """Rows beside the graph that name the subject: notices, the queue's history, notes, cached answers, deliveries."""
    removed: dict[str, int] = {}
    parameters = {"mailbox_ids": list(reach)}
    connection.execute(
        text("update sync_queue.requests set error = null where mailbox_id = any(:mailbox_ids)"), parameters
    )
    for table in text_tables(connection):
        if table.schema in GRAPH_SCHEMAS | OUTSIDE or table.fullname == "sync_queue.requests":
            continue
        for needle in needles:
            number = delete_naming(
                connection, table, Needle(needle), mailbox_ids=reach, organization_id=order.organization_id
            )
            removed[table.fullname] = removed.get(table.fullname, 0) + number
    for each in metadata.sorted_tables:
        # What hangs on a conversation that has no message any more.
        if {"mailbox_id", "thread_id"} <= set(each.c.keys()) and each.schema not in GRAPH_SCHEMAS | OUTSIDE:
            statement = text(
                f"delete from {each.fullname} t where t.mailbox_id = any(:mailbox_ids) "  # noqa: S608 - ours
                "and not exists (select from mail.messages m where m.thread_id = t.thread_id)"
            )
            removed[each.fullname] = removed.get(each.fullname, 0) + connection.execute(statement, parameters).rowcount
    return removed


def _left(connection: Connection, order: Order, reach: Sequence[uuid.UUID], needles: Sequence[str]) -> dict[str, int]:
    """Rows that still name the subject, by table: none, unless something went wrong."""
    tables = [
        table
        for table in text_tables(connection)
        # Who is a member is asked by the identity provider; a mailbox's own row holds its owner's address.
        if table.schema not in OUTSIDE
    ]
    return count_naming(
        connection,
        tables,
        [Needle(needle) for needle in needles],
        mailbox_ids=reach,
        organization_id=order.organization_id,
    )


def require_somebody_else(connection: Connection, mailbox_ids: Sequence[uuid.UUID], address: str) -> None:
    """Raises NotFoundError when the address is the owner's own in every one of the mailboxes."""
    if mailbox_ids and all(is_owner(connection, mailbox_id, address) for mailbox_id in mailbox_ids):
        raise NotFoundError(
            f"{address} is the owner's own address here. Erase the mailbox instead: "
            f"`rl-emails erase mailbox {address}`."
        )
