"""Invitations: made and taken back by owners and administrators, accepted by whom they are for."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request, Response

from rl_emails_api.audit.log import AuditLog, who_and_where
from rl_emails_api.identity.principal import needs
from rl_emails_api.organizations import invitation_queries as queries
from rl_emails_api.organizations import rules
from rl_emails_api.organizations.management import (
    CHANGES,
    PERSON,
    Asking,
    allow,
    require_managed_here,
    require_people_sign_in,
)
from rl_emails_api.organizations.schemas import (
    Acceptance,
    Invitation,
    InvitationRequest,
    Invitations,
    Joined,
    NewInvitation,
)
from rl_emails_api.problems import ProblemError
from rl_emails_api.transactions import ServiceTransaction, Transaction
from rl_emails_assets.db import audit as audit_rows
from rl_emails_assets.settings import Settings

router = APIRouter(tags=["organization"])


@router.get("/v1/organization/invitations", summary="Open invitations", dependencies=[needs("organization:write")])
def get_invitations(request: Request, transaction: Transaction, principal: Asking) -> Invitations:
    """Invitations that nobody accepted yet, lapsed ones included, without their secrets: only hashes are kept."""
    require_managed_here(request, transaction, principal.organization_id)
    return Invitations(items=[Invitation(**row) for row in queries.opened(transaction, principal.organization_id)])


@router.post(
    "/v1/organization/invitations",
    summary="Invite somebody",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("organization:write")],
    responses=CHANGES,
)
def post_invitation(
    request: Request, transaction: Transaction, principal: Asking, audit: AuditLog, asked: InvitationRequest
) -> NewInvitation:
    """Answers with a link, once: give it to the person. It lapses after seven days, works once, and only for somebody
    who signs in with this address, verified. It takes the place of an open invitation for the same address. No mail is
    sent."""
    settings: Settings = request.app.state.settings
    require_managed_here(request, transaction, principal.organization_id)
    require_people_sign_in(settings)
    allow(rules.refuse_invitation(principal.role, asked.role))
    if queries.is_personal(transaction, principal.organization_id):
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "personal-organization",
            "This organization is your own. Make one for several people with POST /v1/organizations, switch to it with "
            "POST /v1/me/organization, and invite there.",
        )
    if queries.is_member(transaction, principal.organization_id, asked.address):
        raise ProblemError(
            HTTPStatus.CONFLICT, "already-member", "Somebody with this address is a member already. Change their role."
        )
    made = queries.make(
        transaction,
        principal.organization_id,
        address=asked.address,
        role=asked.role,
        invited_by=principal.user_id,
    )
    if made is None:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "too-many-invitations",
            f"There are {queries.MOST_OPEN} open invitations, which is the most. Take some back first.",
        )
    row, secret = made
    audit.record("invitation.created", target=row["invitation_id"], details={"role": asked.role})
    # After the #, so that no server's log and no Referer header ever has the secret.
    return NewInvitation(**row, link=f"{settings.api_url}/#/invitation?token={secret}")


@router.delete(
    "/v1/organization/invitations/{invitation_id}",
    summary="Take an invitation back",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    dependencies=[needs("organization:write")],
    responses=CHANGES,
)
def delete_invitation(
    request: Request, transaction: Transaction, principal: Asking, audit: AuditLog, invitation_id: UUID
) -> None:
    """Its link is worth nothing from now on."""
    require_managed_here(request, transaction, principal.organization_id)
    found = queries.find(transaction, principal.organization_id, invitation_id)
    if found is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "not-found",
            "There is no such open invitation in this organization. GET /v1/organization/invitations lists them.",
        )
    allow(rules.refuse_invitation(principal.role, found["role"]))
    queries.revoke(transaction, principal.organization_id, invitation_id)
    audit.record("invitation.revoked", target=invitation_id)


@router.post(
    "/v1/invitations/accept",
    summary="Accept an invitation",
    dependencies=[needs("account:write"), PERSON],
    responses=CHANGES,
)
def post_accept(request: Request, transaction: ServiceTransaction, principal: Asking, acceptance: Acceptance) -> Joined:
    """Makes you a member of the organization that invited the address you signed in with.

    As the tables' owner, because who accepts is not a member yet: one row is looked up by its secret's hash, and one
    membership of the person who asks is added.
    """
    person = queries.comer(transaction, principal.user_id)
    invitation = queries.by_secret(transaction, acceptance.token)
    if person is None or invitation is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "not-found",
            "There is no such invitation. Use the whole link, or ask for another one.",
        )
    require_managed_here(request, transaction, invitation["organization_id"])
    allow(
        rules.refuse_acceptance(
            address=person.address,
            invited_address=invitation["address"],
            wanted=invitation["role"],
            inviter=invitation["inviter_role"],
            is_revoked=invitation["revoked_at"] is not None,
            is_accepted=invitation["accepted_at"] is not None,
            is_expired=invitation["is_expired"],
        )
    )
    if not queries.join(transaction, invitation, person.user_id):
        raise ProblemError(
            HTTPStatus.CONFLICT, "already-member", "You are a member of this organization already. Switch to it."
        )
    where = who_and_where(request) | {"organization_id": invitation["organization_id"]}
    audit_rows.record(
        transaction,
        "invitation.accepted",
        target=invitation["invitation_id"],
        details={"role": invitation["role"]},
        **where,
    )
    return Joined(organization_id=invitation["organization_id"], name=invitation["name"], role=invitation["role"])
