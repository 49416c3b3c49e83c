"""Who asks, and what they may ask for: each endpoint states its scope with `needs`."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, get_args
from uuid import UUID

from fastapi import Depends, Request

from rl_emails_api.problems import ProblemError
from rl_emails_assets.db.tables.identity import LOCAL_ORGANIZATION, LOCAL_USER

Role = Literal["owner", "admin", "member"]
CredentialKind = Literal["local", "session", "token", "api_key"]
Scope = Literal[
    "mail:read",
    "mail:write",
    "mailboxes:write",
    "organization:read",
    "organization:write",
    "account:read",
    "account:write",
    "export:read",
    "erase:write",
    "admin:read",
    "admin:write",
    "operator:read",
]
"""mail: what the page shows and does; mailboxes: connect, import, sync, disconnect; account: who one is, one's own keys
and devices; admin: status of the organization's mailboxes, dead letters, audit log; operator: figures over all
organizations."""

SCOPES: frozenset[Scope] = frozenset(get_args(Scope))
OPERATOR_SCOPES: frozenset[Scope] = frozenset({"operator:read"})
ADMIN_SCOPES: frozenset[Scope] = frozenset({"organization:write", "admin:read", "admin:write"})
ROLE_SCOPES: dict[Role, frozenset[Scope]] = {
    "owner": SCOPES - OPERATOR_SCOPES,
    "admin": SCOPES - OPERATOR_SCOPES,
    "member": SCOPES - OPERATOR_SCOPES - ADMIN_SCOPES,
}
"""Owner and admin differ in what they may do to owners, which the organization's endpoints decide."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The person, or the program in a person's place, that a request comes from."""

    user_id: UUID
    organization_id: UUID
    role: Role
    scopes: frozenset[Scope]
    credential: CredentialKind
    credential_id: UUID | None = None
    """The session or API key; None for the local token and for tokens of an identity provider."""
    actor: str = ""
    """Who acts in the person's place (impersonation), as the identity provider names them, or ''."""


LOCAL = Principal(LOCAL_USER, LOCAL_ORGANIZATION, "owner", SCOPES, "local")
"""Who has the local access token: the only person of an installation that nobody signs in to."""


def principal_of(request: Request) -> Principal:
    """Who asks; the security middleware has put them there. Raises a 401 problem when nobody did."""
    found: Principal | None = getattr(request.state, "principal", None)
    if found is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "unauthorized",
            "This needs a token. Send it as `Authorization: Bearer`, or sign in.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return found


class ScopeCheck:
    """A dependency that lets a request pass when its principal has the scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, request: Request) -> Principal:
        """The principal; raises a 401 or a 403 problem."""
        principal = principal_of(request)
        if self.scope not in principal.scopes:
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                "scope-missing",
                f"This needs the scope {self.scope}, which this {principal.credential} does not have.",
            )
        return principal


def needs(scope: Scope) -> Any:
    """`dependencies=[needs("mail:read")]`: the scope that an endpoint, or a whole router, asks for."""
    return Depends(ScopeCheck(scope))
