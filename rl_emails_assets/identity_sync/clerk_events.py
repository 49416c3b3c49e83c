"""One event of Clerk's webhook, taken into the directory: once, whatever its order, or not at all."""

import json
from typing import Any

from sqlalchemy import Connection, delete, func, text
from sqlalchemy.dialects.postgresql import insert

from rl_emails_assets.db.tables.sign_in import webhook_deliveries
from rl_emails_assets.identity_sync import clerk_objects as clerk
from rl_emails_assets.identity_sync.directory import Directory

KEPT = text("interval '7 days'")
"""Svix repeats a delivery for about 28 hours, and a person may do so from its page for some days more."""


def take(connection: Connection, directory: Directory, delivery_id: str, body: bytes) -> str:
    """Take one verified delivery into the tables; returns what became of it: applied, old, repeated, ignored, garbage.

    Everything happens in the caller's transaction, so a delivery that failed is taken when it is repeated.
    """
    connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.received_at < func.now() - KEPT))
    statement = insert(webhook_deliveries).values(delivery_id=delivery_id)
    is_new = connection.execute(statement.on_conflict_do_nothing().returning(webhook_deliveries.c.delivery_id)).scalar()
    if is_new is None:
        return "repeated"
    try:
        told = json.loads(body)
        applied = _apply(directory, told["type"], told)
    # A few thousand opening brackets are enough for a RecursionError.
    except (ValueError, KeyError, TypeError, RecursionError):
        return "garbage"
    return "ignored" if applied is None else "applied" if applied else "old"


def _apply(directory: Directory, kind: str, told: dict[str, Any]) -> bool | None:
    data = told["data"]
    if kind in ("user.created", "user.updated"):
        return directory.apply_user(clerk.read_user(data))
    if kind == "user.deleted":
        return directory.apply_user_gone(clerk.object_id(data), clerk.moment(told.get("timestamp")))
    if kind in ("organization.created", "organization.updated"):
        return directory.apply_organization(clerk.read_organization(data))
    if kind == "organization.deleted":
        return directory.apply_organization_gone(clerk.object_id(data), clerk.moment(told.get("timestamp")))
    if kind in ("organizationMembership.created", "organizationMembership.updated"):
        return directory.apply_membership(clerk.read_membership(data))
    if kind == "organizationMembership.deleted":
        return directory.apply_membership_gone(clerk.read_membership(data), clerk.moment(told.get("timestamp")))
    return None
