"""SQL of outgoing webhooks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, text, update

from rl_emails_assets.db.tables.api_clients import webhook_deliveries, webhooks

LISTED = 100

_SHOWN = (
    webhooks.c.webhook_id, webhooks.c.url, webhooks.c.description, webhooks.c.events, webhooks.c.disabled_at,
    webhooks.c.disabled_reason, webhooks.c.failing_since, webhooks.c.delivered_at, webhooks.c.created_at,
)  # fmt: skip


def listed(connection: Connection) -> Sequence[RowMapping]:
    """One's own, oldest first."""
    statement = select(*_SHOWN).order_by(webhooks.c.created_at, webhooks.c.webhook_id)
    return connection.execute(statement).mappings().all()


def by_id(connection: Connection, webhook_id: UUID) -> RowMapping | None:
    """One of one's own."""
    return connection.execute(select(*_SHOWN).where(webhooks.c.webhook_id == webhook_id)).mappings().one_or_none()


def add(connection: Connection, **values: Any) -> None:
    """A new webhook."""
    connection.execute(insert(webhooks).values(**values))


def change(connection: Connection, webhook_id: UUID, values: dict[str, Any]) -> None:
    """Set some columns of it."""
    connection.execute(update(webhooks).where(webhooks.c.webhook_id == webhook_id).values(**values))


def remove(connection: Connection, webhook_id: UUID) -> bool:
    """Delete it with its deliveries; whether it was there."""
    return connection.execute(delete(webhooks).where(webhooks.c.webhook_id == webhook_id)).rowcount > 0


def deliveries(connection: Connection, webhook_id: UUID) -> Sequence[RowMapping]:
    """Its latest deliveries, newest first."""
    table = webhook_deliveries
    statement = (
        select(table)
        .where(table.c.webhook_id == webhook_id)
        .order_by(table.c.created_at.desc(), table.c.delivery_id)
        .limit(LISTED)
    )
    return connection.execute(statement).mappings().all()


def redrive(connection: Connection, webhook_id: UUID, delivery_id: UUID) -> RowMapping | None:
    """Have a dead delivery tried again, from the first attempt on; None when there is no such dead delivery."""
    table = webhook_deliveries
    statement = (
        update(table)
        .where(table.c.webhook_id == webhook_id, table.c.delivery_id == delivery_id, table.c.state == "dead")
        .values(state="waiting", attempts=0, next_at=func.now(), ended_at=None)
        .returning(table)
    )
    return connection.execute(statement).mappings().one_or_none()


# -- what the deliverer does ------------------------------------------------------------------------------------------

_DUE_FOR_A_LOOK = text(
    """
    select webhook.webhook_id, webhook.user_id, webhook.organization_id
    from app.webhooks as webhook
    where webhook.disabled_at is null and webhook.looked_at <= now() - make_interval(secs => :seconds)
    order by webhook.looked_at
    limit :most
    """
)
_TAKE_FOR_A_LOOK = text(
    """
    select webhook_id, organization_id, user_id, events, cursor, sealed_secret, key_id,
        (
            select count(*) from app.webhook_deliveries
            where webhook_id = webhook.webhook_id and state = 'waiting'
        ) as waiting_count
    from app.webhooks as webhook
    where
        webhook_id = :webhook_id and disabled_at is null
        and looked_at <= now() - make_interval(secs => :seconds)
    for update skip locked
    """
)
_TAKE_DELIVERIES = text(
    """
    update app.webhook_deliveries as delivery
    set attempts = delivery.attempts + 1, next_at = now() + make_interval(secs => :lease_seconds)
    from app.webhooks as webhook
    where
        webhook.webhook_id = delivery.webhook_id
        and delivery.delivery_id in (
            select due.delivery_id
            from app.webhook_deliveries as due
            join app.webhooks as enabled on enabled.webhook_id = due.webhook_id and enabled.disabled_at is null
            where due.state = 'waiting' and due.next_at <= now()
            order by due.next_at
            limit :most
            for update of due skip locked
        )
    returning
        delivery.delivery_id, delivery.webhook_id, delivery.organization_id, delivery.user_id, delivery.payload,
        delivery.attempts, webhook.url, webhook.sealed_secret
    """
)
_END = text(
    """
    update app.webhook_deliveries
    set state = :state, status = :status, error = :error,
        next_at = case when :state = 'waiting' then now() + make_interval(secs => :seconds) else next_at end,
        ended_at = case when :state = 'waiting' then null else now() end
    where delivery_id = :delivery_id and attempts = :attempts and state = 'waiting'
    """
)
_SUCCEEDED = text("update app.webhooks set delivered_at = now(), failing_since = null where webhook_id = :webhook_id")
_FAILED = text(
    """
    update app.webhooks set failing_since = coalesce(failing_since, now()) where webhook_id = :webhook_id
    returning failing_since < now() - make_interval(secs => :seconds) as is_hopeless
    """
)
_DISABLE = text(
    """
    update app.webhooks set disabled_at = now(), disabled_reason = :reason
    where webhook_id = :webhook_id and disabled_at is null
    """
)
_TELL = text(
    """
    insert into app.notices (notice_id, mailbox_id, kind, text)
    select gen_random_uuid(), mailbox_id, 'webhook_disabled', :reason
    from mailboxes.connections
    where owner_user_id = :user_id and organization_id = :organization_id
    order by created_at, mailbox_id
    limit 1
    on conflict do nothing
    """
)


def due_for_a_look(connection: Connection, *, seconds: float, most: int) -> Sequence[Any]:
    """Webhooks that were not looked at for so long. Of everybody: for the tables' owner."""
    return connection.execute(_DUE_FOR_A_LOOK, {"seconds": seconds, "most": most}).all()


def take_for_a_look(connection: Connection, webhook_id: UUID, *, seconds: float) -> Any | None:
    """The webhook, held until the transaction ends; None when another process has it or has just looked."""
    return connection.execute(_TAKE_FOR_A_LOOK, {"webhook_id": webhook_id, "seconds": seconds}).one_or_none()


def add_delivery(connection: Connection, webhook: Any, payload: dict[str, Any]) -> None:
    """A delivery that waits to be sent."""
    connection.execute(
        insert(webhook_deliveries).values(
            delivery_id=uuid4(),
            webhook_id=webhook.webhook_id,
            organization_id=webhook.organization_id,
            user_id=webhook.user_id,
            payload=payload,
        )
    )


def take_deliveries(connection: Connection, *, most: int, lease_seconds: float) -> Sequence[Any]:
    """Deliveries that are due, of everybody; nobody else takes them before the lease has passed."""
    return connection.execute(_TAKE_DELIVERIES, {"most": most, "lease_seconds": lease_seconds}).all()


def end_attempt(
    connection: Connection, delivery: Any, *, state: str, status: int | None, error: str | None, seconds: float = 0
) -> None:
    """What became of the attempt; nothing, when a later one has been made meanwhile. `seconds` until the next one."""
    values = {
        "delivery_id": delivery.delivery_id, "attempts": delivery.attempts, "state": state, "status": status,
        "error": error, "seconds": seconds,
    }  # fmt: skip
    connection.execute(_END, values)


def succeeded(connection: Connection, webhook_id: UUID) -> None:
    """The webhook works."""
    connection.execute(_SUCCEEDED, {"webhook_id": webhook_id})


def failed(connection: Connection, webhook_id: UUID, *, hopeless_seconds: float) -> bool:
    """Whether it has been failing, without a success between, for longer than that."""
    return bool(
        connection.execute(_FAILED, {"webhook_id": webhook_id, "seconds": hopeless_seconds}).scalar_one_or_none()
    )


def disable(connection: Connection, webhook: Any, reason: str) -> None:
    """Send nothing more, and tell its owner."""
    done = connection.execute(_DISABLE, {"webhook_id": webhook.webhook_id, "reason": reason})
    if done.rowcount:
        who = {"user_id": webhook.user_id, "organization_id": webhook.organization_id}
        connection.execute(_TELL, {**who, "reason": reason})


def disable_by_owner(connection: Connection, webhook_id: UUID) -> None:
    """Send nothing more, as they wish."""
    connection.execute(_DISABLE, {"webhook_id": webhook_id, "reason": "You have disabled it."})


def shown(row: RowMapping) -> dict[str, Any]:
    """A webhook as it is answered."""
    values = dict(row)
    disabled_at: datetime | None = values.pop("disabled_at")
    return {**values, "is_enabled": disabled_at is None}
