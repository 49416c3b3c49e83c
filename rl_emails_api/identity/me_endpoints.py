"""GET /v1/me, switching the organization, one's devices and API keys."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Body, Request, Response

from rl_emails_api.audit.log import AuditLog
from rl_emails_api.identity import me_queries, sessions
from rl_emails_api.identity.me_schemas import (
    Key,
    Keys,
    MadeKey,
    Me,
    NewKey,
    OrganizationChoice,
    OwnOrganization,
    Person,
    Session,
    Sessions,
)
from rl_emails_api.identity.principal import ROLE_SCOPES, Principal, Scope, needs, principal_of
from rl_emails_api.problems import FieldError, ProblemError
from rl_emails_api.transactions import Transaction
from rl_emails_assets.settings import Settings

LONGEST_KEY = timedelta(days=366)
DEFAULT_KEY = timedelta(days=90)

router = APIRouter(tags=["account"])

_READ = [needs("account:read")]
_WRITE = [needs("account:write")]
_REFUSED: dict[int | str, dict[str, Any]] = {
    HTTPStatus.FORBIDDEN: {"description": "The credential lacks the scope, or asks for more than it has."}
}
_NOT_HERE: dict[int | str, dict[str, Any]] = {
    HTTPStatus.CONFLICT: {"description": "The credential is for one organization; only a session can change."},
    HTTPStatus.NOT_FOUND: {"description": "It is none of one's own organizations."},
}


@router.get("/v1/me", summary="Who one is", dependencies=_READ)
def get_me(request: Request, transaction: Transaction) -> Me:
    """The person, the organization that this request acts in, the role there, and what the credential may do."""
    return _me(request, transaction)


@router.post("/v1/me/organization", summary="Act in another organization", dependencies=_WRITE, responses=_NOT_HERE)
def post_organization(request: Request, transaction: Transaction, choice: OrganizationChoice) -> Me:
    """Has this device act in another organization of one's own from the next request on; the answer is as it is then.

    An API key belongs to one organization, and a token of the issuer names its own: change it there.
    """
    principal = principal_of(request)
    own = {row["organization_id"] for row in me_queries.own_organizations(transaction)}
    if choice.organization_id not in own:
        raise _not_found("organization")
    if choice.organization_id == principal.organization_id:
        return _me(request, transaction)
    if principal.credential != "session" or principal.credential_id is None:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "organization-fixed",
            f"This {principal.credential} acts in one organization. Sign in with a browser to change, or use another.",
        )
    me_queries.switch(transaction, principal.credential_id, choice.organization_id)
    return _me(request, transaction, organization_id=choice.organization_id)


@router.get("/v1/me/sessions", summary="The devices that are signed in", dependencies=_READ)
def get_sessions(request: Request, transaction: Transaction) -> Sessions:
    """Every device on which one is signed in, in any of one's organizations."""
    principal = principal_of(request)
    settings: Settings = request.app.state.settings
    rows = sessions.listed(transaction, principal.user_id, idle_days=settings.session_idle_days)
    current = principal.credential_id if principal.credential == "session" else None
    return Sessions(items=[Session(**row, is_current=row["session_id"] == current) for row in rows])


@router.delete(
    "/v1/me/sessions/{session_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Sign a device out",
    dependencies=_WRITE,
    response_class=Response,
)
def delete_session(request: Request, transaction: Transaction, log: AuditLog, session_id: UUID) -> None:
    """Signs the device out with its next request."""
    if not sessions.revoke(transaction, principal_of(request).user_id, session_id):
        raise _not_found("session")
    log.record("session.revoked", target=session_id)


@router.get("/v1/me/keys", summary="One's API keys", dependencies=_READ)
def get_keys(request: Request, transaction: Transaction) -> Keys:
    """The keys that can be used, in any of one's organizations, with their last use; never the keys themselves."""
    rows = me_queries.usable_keys(transaction, principal_of(request).user_id)
    return Keys(items=[Key(**row) for row in rows])


@router.post(
    "/v1/me/keys",
    status_code=HTTPStatus.CREATED,
    summary="Make an API key",
    dependencies=_WRITE,
    responses={**_REFUSED, HTTPStatus.CONFLICT: {"description": "One has too many keys already."}},
)
def post_key(
    request: Request,
    transaction: Transaction,
    log: AuditLog,
    asked: Annotated[
        NewKey,
        Body(openapi_examples={"reading": {"value": {"name": "Backup script", "scopes": ["mail:read"]}}}),
    ],
) -> MadeKey:
    """Makes a key for the organization that one acts in. It is shown this once, lasts at most a year, and can at most
    do what its owner can, now and later. A key cannot make keys.
    """
    principal = principal_of(request)
    _may_make(principal, asked)
    expires_at = asked.expires_at or datetime.now(UTC) + DEFAULT_KEY
    if not datetime.now(UTC) < expires_at <= datetime.now(UTC) + LONGEST_KEY:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid-request",
            "A key expires at some time within a year from now.",
            errors=[FieldError(location=["body", "expires_at"], message="must be within a year from now")],
        )
    if len(me_queries.usable_keys(transaction, principal.user_id)) >= me_queries.MOST_KEYS:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "too-many-keys",
            f"You have {me_queries.MOST_KEYS} keys. Revoke one that is not used any more.",
        )
    row, key = me_queries.add_key(
        transaction,
        user_id=principal.user_id,
        organization_id=principal.organization_id,
        name=asked.name,
        scopes=sorted(set(asked.scopes)),
        expires_at=expires_at,
    )
    log.record("api_key.created", target=row["api_key_id"], details={"scopes": row["scopes"], "expires_at": expires_at})
    return MadeKey(**row, key=key)


@router.delete(
    "/v1/me/keys/{api_key_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Revoke an API key",
    dependencies=_WRITE,
    response_class=Response,
)
def delete_key(request: Request, transaction: Transaction, log: AuditLog, api_key_id: UUID) -> None:
    """Ends the key with its next request."""
    if not me_queries.revoke_key(transaction, principal_of(request).user_id, api_key_id):
        raise _not_found("API key")
    log.record("api_key.revoked", target=api_key_id)


def _may_make(principal: Principal, asked: NewKey) -> None:
    if principal.credential == "api_key":
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "key-makes-no-keys",
            "An API key cannot make keys: they would outlive it. Make them on the page, signed in.",
        )
    more = sorted(set(asked.scopes) - principal.scopes)
    if more:
        raise ProblemError(
            HTTPStatus.FORBIDDEN, "scope-missing", f"A key can do at most what you can; you lack {', '.join(more)}."
        )


def _me(request: Request, transaction: Transaction, organization_id: UUID | None = None) -> Me:
    principal = principal_of(request)
    own = [OwnOrganization(**row) for row in me_queries.own_organizations(transaction)]
    acting = organization_id or principal.organization_id
    organization = next((each for each in own if each.organization_id == acting), None)
    if organization is None:
        # The membership ended between the look at the credential and this one.
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "unauthorized",
            "You are not a member of this organization any more. Sign in again.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    is_switched = acting != principal.organization_id
    scopes = ROLE_SCOPES[organization.role] if is_switched else principal.scopes
    return Me(
        user=Person(**me_queries.person(transaction, principal.user_id)),
        organization=organization,
        role=organization.role,
        scopes=cast("list[Scope]", sorted(scopes)),
        credential=principal.credential,
        session_id=principal.credential_id if principal.credential == "session" else None,
        impersonated_by=principal.actor or None,
        organizations=own,
    )


def _not_found(what: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND, "not-found", f"You have no such {what}. It may have ended already; list them again."
    )
