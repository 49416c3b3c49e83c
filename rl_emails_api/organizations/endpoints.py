"""The organization, its members, and leaving it."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from rl_emails_api.audit.log import AuditLog, who_and_where
from rl_emails_api.identity.principal import Principal, Role, needs
from rl_emails_api.organizations import queries, rules
from rl_emails_api.organizations.management import (
    CHANGES,
    PERSON,
    Asking,
    allow,
    managed_by,
    require_managed_here,
    require_people_sign_in,
)
from rl_emails_api.organizations.queries import Standing
from rl_emails_api.organizations.schemas import Joined, Member, Members, Organization, OrganizationChange, RoleChange
from rl_emails_api.pagination import Cursor, Limit, decode_cursor, encode_cursor
from rl_emails_api.problems import ProblemError
from rl_emails_api.schemas import When
from rl_emails_api.transactions import ServiceTransaction, Transaction
from rl_emails_assets.db import audit as audit_rows

router = APIRouter(tags=["organization"])

_JOINED: TypeAdapter[tuple[When, UUID]] = TypeAdapter(tuple[When, UUID])


@router.get("/v1/organization", summary="The organization you are in", dependencies=[needs("organization:read")])
def get_organization(request: Request, transaction: Transaction, principal: Asking) -> Organization:
    """Its name, your role in it, and how many members and mailboxes it has for you."""
    return _organization(request, transaction, principal)


@router.patch(
    "/v1/organization",
    summary="Rename the organization",
    dependencies=[needs("organization:write")],
    responses=CHANGES,
)
def patch_organization(
    request: Request, transaction: Transaction, principal: Asking, audit: AuditLog, change: OrganizationChange
) -> Organization:
    """Owners and administrators may."""
    require_managed_here(request, transaction, principal.organization_id)
    if queries.rename(transaction, principal.organization_id, change.name):
        audit.record("organization.renamed", target=principal.organization_id)
    return _organization(request, transaction, principal)


@router.post(
    "/v1/organizations",
    summary="Make an organization",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("account:write"), PERSON],
    responses=CHANGES,
)
def post_organization(
    request: Request, transaction: ServiceTransaction, principal: Asking, made: OrganizationChange
) -> Joined:
    """For several people, with you as its owner; POST /v1/me/organization goes there. Your mailboxes stay where they
    are.

    As the tables' owner, because it is about an organization that nobody is in yet.
    """
    require_people_sign_in(request.app.state.settings)
    require_managed_here(request, transaction, None)
    organization_id = queries.make(transaction, made.name, owner_id=principal.user_id)
    if organization_id is None:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "too-many-organizations",
            f"You own {queries.MOST_OWNED} organizations, which is the most. Leave one that you need no more first.",
        )
    where = who_and_where(request) | {"organization_id": organization_id}
    audit_rows.record(transaction, "organization.created", target=organization_id, **where)
    return Joined(organization_id=organization_id, name=made.name, role="owner")


@router.get("/v1/organization/members", summary="Its members", dependencies=[needs("organization:read")])
def get_members(transaction: Transaction, principal: Asking, limit: Limit = 50, cursor: Cursor = None) -> Members:
    """The people of the organization, by when they joined."""
    rows = queries.members(
        transaction,
        principal.organization_id,
        after=decode_cursor(cursor, "joined", _JOINED),
        limit=limit + 1,
    )
    items = [Member(**row, is_you=row["user_id"] == principal.user_id) for row in rows[:limit]]
    next_cursor = encode_cursor("joined", (items[-1].joined_at, items[-1].user_id)) if len(rows) > limit else None
    return Members(items=items, next_cursor=next_cursor)


@router.patch(
    "/v1/organization/members/{user_id}",
    summary="Give a member another role",
    dependencies=[needs("organization:write")],
    responses=CHANGES,
)
def patch_member(
    request: Request, transaction: Transaction, principal: Asking, audit: AuditLog, user_id: UUID, change: RoleChange
) -> Member:
    """Owners may give any role; administrators may not touch owners or make one. The last owner stays one."""
    require_managed_here(request, transaction, principal.organization_id)
    standing = queries.standing(transaction, principal.organization_id, actor_id=principal.user_id, member_id=user_id)
    actor, member = _both(standing)
    allow(rules.refuse_role(actor, member, change.role, other_owner_count=standing.other_owner_count))
    if change.role != member:
        queries.set_role(transaction, principal.organization_id, user_id, change.role)
        audit.record("member.role_changed", target=user_id, details={"was": member, "role": change.role})
    (row,) = queries.members(transaction, principal.organization_id, user_id=user_id, limit=1)
    return Member(**row, is_you=user_id == principal.user_id)


@router.delete(
    "/v1/organization/members/{user_id}",
    summary="Remove a member",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    dependencies=[needs("organization:write")],
    responses=CHANGES,
)
def delete_member(
    request: Request, transaction: Transaction, principal: Asking, audit: AuditLog, user_id: UUID
) -> None:
    """Their sessions and API keys for this organization end at once. Their personal mailboxes are fetched no more and
    visible to nobody, until an administrator disconnects them. What they shared stays shared."""
    require_managed_here(request, transaction, principal.organization_id)
    standing = queries.standing(transaction, principal.organization_id, actor_id=principal.user_id, member_id=user_id)
    actor, member = _both(standing)
    is_self = user_id == principal.user_id
    allow(rules.refuse_removal(actor, member, is_self=is_self, other_owner_count=standing.other_owner_count))
    # Before: who has removed themself may not write here any more.
    audit.record("member.removed", target=user_id, details={"was": member, "is_self": is_self})
    queries.end_membership(transaction, principal.organization_id, user_id)


@router.post(
    "/v1/organization/leave",
    summary="Leave the organization",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    dependencies=[needs("account:write"), PERSON],
    responses=CHANGES,
)
def post_leave(request: Request, transaction: ServiceTransaction, principal: Asking) -> None:
    """Ends your own membership, as `DELETE /v1/organization/members/{user_id}` does. The last owner cannot leave.

    As the tables' owner, because a member has no right to change memberships, not even their own role.
    """
    require_managed_here(request, transaction, principal.organization_id)
    standing = queries.standing(
        transaction, principal.organization_id, actor_id=principal.user_id, member_id=principal.user_id
    )
    actor, member = _both(standing)
    allow(rules.refuse_removal(actor, member, is_self=True, other_owner_count=standing.other_owner_count))
    queries.end_membership(transaction, principal.organization_id, principal.user_id)
    audit_rows.record(
        transaction,
        "member.removed",
        target=principal.user_id,
        details={"was": member, "is_self": True},
        **who_and_where(request),
    )


def _both(standing: Standing) -> tuple[Role, Role]:
    """The roles of who asks and of whom it is about; the same 404 for somebody elsewhere as for nobody."""
    if standing.actor is None:
        raise _gone()
    if standing.member is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "not-found",
            "There is no such member in this organization. GET /v1/organization/members lists them.",
        )
    return standing.actor, standing.member


def _gone() -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "not-found",
        "You may not see this organization any more, or may not change it. GET /v1/me lists yours.",
    )


def _organization(request: Request, transaction: Transaction, principal: Principal) -> Organization:
    row = queries.organization(transaction, principal.organization_id, principal.user_id)
    if row is None:
        raise _gone()
    values = dict(row)
    external_id = values.pop("external_id")
    if values["role"] not in rules.MANAGERS:
        values["invitation_count"] = None
    return Organization(**values, managed_by=managed_by(request.app.state.settings, external_id))
