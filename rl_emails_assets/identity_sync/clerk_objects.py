"""Clerk's JSON, as its webhooks and its Backend API write it, in our words."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rl_emails_assets.identity_sync.external import ExternalMembership, ExternalOrganization, ExternalUser

LONGEST_ID = 255


class UnreadableObjectError(ValueError):
    """It is not what Clerk documents."""


def read_user(found: Any) -> ExternalUser:
    """A user. Raises UnreadableObjectError."""
    told = _object(found)
    return ExternalUser(
        subject=object_id(told),
        address=_primary_address(told),
        name=" ".join(part for part in (_text(told, "first_name"), _text(told, "last_name")) if part),
        is_banned=told.get("banned") is True,
        updated_at=_time(told, "updated_at"),
    )


def read_organization(found: Any) -> ExternalOrganization:
    """An organization. Raises UnreadableObjectError."""
    told = _object(found)
    return ExternalOrganization(
        organization_id=object_id(told),
        name=_text(told, "name"),
        created_by=_text(told, "created_by"),
        updated_at=_time(told, "updated_at"),
    )


def read_membership(found: Any) -> ExternalMembership:
    """A membership, with the organization and the person in it. Raises UnreadableObjectError."""
    told = _object(found)
    subject = _object(told.get("public_user_data")).get("user_id")
    role = _text(told, "role")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_ID or not role:
        raise UnreadableObjectError("a membership without user or role")
    return ExternalMembership(
        membership_id=object_id(told),
        organization=read_organization(told.get("organization")),
        subject=subject,
        role=role,
        created_at=_time(told, "created_at"),
        updated_at=_time(told, "updated_at"),
    )


def object_id(found: Any) -> str:
    """The id of any of them, also of one that was deleted. Raises UnreadableObjectError."""
    told = _object(found).get("id")
    if not isinstance(told, str) or not 0 < len(told) <= LONGEST_ID or not told.isprintable():
        raise UnreadableObjectError("an object without id")
    return told


def moment(milliseconds: Any) -> datetime:
    """A time as Clerk writes it: milliseconds since 1970. Raises UnreadableObjectError."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        raise UnreadableObjectError("an object without its time")
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise UnreadableObjectError("a time out of range") from error


def _time(told: Mapping[str, Any], name: str) -> datetime:
    return moment(told.get(name))


def _primary_address(told: Mapping[str, Any]) -> str:
    """The primary address, if it is verified: an address that is not may be anybody's."""
    addresses = told.get("email_addresses")
    for each in addresses if isinstance(addresses, list) else []:
        if isinstance(each, dict) and each.get("id") == told.get("primary_email_address_id"):
            verification = each.get("verification")
            is_verified = isinstance(verification, dict) and verification.get("status") == "verified"
            return _text(each, "email_address").lower() if is_verified else ""
    return ""


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value.strip().replace("\x00", "") if isinstance(value, str) else ""


def _object(found: Any) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise UnreadableObjectError("not an object")
    return found
