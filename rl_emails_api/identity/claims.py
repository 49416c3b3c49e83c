"""What verified claims say of a person: in the words of the settings, or in Clerk's two versions."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rl_emails_api.identity.tokens import TokenRefusedError
from rl_emails_assets.identity_sync.external import VerifiedToken
from rl_emails_assets.settings import Settings

LONGEST_WORD = 255

_RANKS = {"member": 1, "admin": 2, "owner": 3}


def read_claims(claims: Mapping[str, Any], settings: Settings) -> VerifiedToken:
    """The person, their organization and role. Raises TokenRefusedError for claims that make no sense, and for a
    session that the issuer has not finished yet.
    """
    place = _clerk_place(claims) if settings.oidc_kind == "clerk" else _place(claims, settings)
    organization_id, organization_name, role = place
    actor = claims.get("act")
    address = _word(claims.get("email"))
    try:
        issued_at = datetime.fromtimestamp(float(claims["iat"]), UTC)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise TokenRefusedError("claims") from error
    return VerifiedToken(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        issued_at=issued_at,
        address=address.lower() if claims.get("email_verified") is True and "@" in address else "",
        name=_word(claims.get("name")),
        organization_id=organization_id,
        organization_name=organization_name,
        role=role,
        actor="" if actor is None else _actor(actor),
    )


def _place(claims: Mapping[str, Any], settings: Settings) -> tuple[str | None, str, str | None]:
    organization_id = claims.get(settings.oidc_organization_claim)
    if organization_id is None:
        return None, "", None
    return (
        _id(organization_id),
        _word(claims.get(settings.oidc_organization_name_claim)),
        _role(claims.get(settings.oidc_role_claim), settings.oidc_roles),
    )


def _clerk_place(claims: Mapping[str, Any]) -> tuple[str | None, str, str | None]:
    """Version 1 has `org_id`, `org_slug`, `org_role`; version 2 has one object `o`, and no `org:` before the role."""
    if claims.get("sts", "active") != "active":
        raise TokenRefusedError("pending")
    version = claims.get("v", 1)
    if version == 1:
        found = {"id": claims.get("org_id"), "slg": claims.get("org_slug"), "rol": claims.get("org_role")}
    elif version == 2:
        found = claims.get("o") or {}
        if not isinstance(found, dict):
            raise TokenRefusedError("claims")
    else:
        raise TokenRefusedError("version")
    if found.get("id") is None:
        if found.get("rol") is not None:
            raise TokenRefusedError("claims")
        return None, "", None
    # A role that is not told is the least, not the one from before: Clerk always tells.
    return _id(found["id"]), _word(found.get("slg")), _word(found.get("rol")) or "member"


def _actor(actor: Any) -> str:
    """RFC 8693, section 4.1: who acts. Whatever else stands there, somebody does."""
    subject = actor.get("sub") if isinstance(actor, dict) else None
    return _word(subject) or "unknown"


def _id(value: Any) -> str:
    word = _word(value)
    if not word:
        raise TokenRefusedError("claims")
    return word


def _role(value: Any, names: Mapping[str, str]) -> str | None:
    """The role that is told; of several the highest."""
    words = [word for each in (value if isinstance(value, list) else [value]) if (word := _word(each))]
    return max(words, key=lambda word: _RANKS.get(names.get(word, ""), 0), default=None)


def _word(value: Any) -> str:
    return value.strip() if isinstance(value, str) and len(value) <= LONGEST_WORD and value.isprintable() else ""
