"""Where an organization's name, members and roles are changed, and what a refusal to change them says."""

from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy import Connection, select

from rl_emails_api.identity.principal import Principal, principal_of
from rl_emails_api.organizations.rules import Refusal
from rl_emails_api.problems import MEDIA_TYPE, ProblemError
from rl_emails_assets.db.tables import identity
from rl_emails_assets.settings import Settings

ManagedBy = Literal["rl-emails", "identity-provider"]


def managed_by(settings: Settings, external_id: str | None) -> ManagedBy:
    """The identity provider, for every organization with Clerk and for those that its tokens name with another issuer:
    a change here would be undone by the next token or webhook."""
    is_elsewhere = settings.oidc_issuer is not None and (settings.oidc_kind == "clerk" or external_id is not None)
    return "identity-provider" if is_elsewhere else "rl-emails"


def require_managed_here(request: Request, connection: Connection, organization_id: UUID | None) -> None:
    """Raises a 409 problem when the identity provider owns the organization (None: a new one) and its memberships."""
    settings: Settings = request.app.state.settings
    table = identity.organizations
    external_id = connection.execute(
        select(table.c.external_id).where(table.c.organization_id == organization_id)
    ).scalar_one_or_none()
    if managed_by(settings, external_id) == "identity-provider":
        where = "at your identity provider"
        if settings.oidc_kind == "clerk":
            where = "at Clerk, in its organization settings or its dashboard (https://dashboard.clerk.com)"
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "managed-by-identity-provider",
            f"This organization's name, members, roles and invitations are kept {where}. Change them there; the change "
            "arrives here by itself.",
        )


def require_people_sign_in(settings: Settings) -> None:
    """Raises a 409 problem while nobody can sign in: then nobody has an address that an invitation could be for."""
    if settings.oidc_issuer is None:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "no-sign-in",
            "This installation has no sign-in, only its local token, so nobody could accept. Set an identity provider "
            "(RL_EMAILS_OIDC_ISSUER) first.",
        )


def require_person(request: Request) -> None:
    """Raises a 403 problem for an API key: what is about a person's own membership that person does themself."""
    if principal_of(request).credential == "api_key":
        raise ProblemError(
            HTTPStatus.FORBIDDEN, "person-needed", "An API key cannot do this in a person's place. Sign in and do it."
        )


def allow(refusal: Refusal | None) -> None:
    """Raises the problem of a refusal, if there is one."""
    if refusal is not None:
        status = HTTPStatus.CONFLICT if refusal.is_conflict else HTTPStatus.FORBIDDEN
        raise ProblemError(status, refusal.code, refusal.text)


Asking = Annotated[Principal, Depends(principal_of)]
PERSON = Depends(require_person)

_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
CHANGES: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": _PROBLEM}
    for status, text in {
        HTTPStatus.FORBIDDEN: "Your role, or your kind of credential, does not allow it.",
        HTTPStatus.NOT_FOUND: "There is no such thing in this organization.",
        HTTPStatus.CONFLICT: "The identity provider keeps members and roles, or something has to be done first.",
    }.items()
}
"""How requests that change an organization fail."""
