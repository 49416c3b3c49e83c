"""Who a verified token is to us: the person, the organization they act in, and their role there.

People and organizations that are seen for the first time are made then. A membership that was taken away is not made
again by a token from before.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine, text

from rl_emails_assets.errors import SignInError
from rl_emails_assets.identity_sync.directory import Directory, RoleRules, external_id, pair_of
from rl_emails_assets.identity_sync.external import VerifiedToken


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody may be."""

    user_id: uuid.UUID
    organization_id: uuid.UUID
    role: str


class NotAdmittedError(SignInError):
    """The token is genuine, but who carries it may do nothing here; `reason` is one word for it."""

    def __init__(self, reason: str, message: str, *, user_id: uuid.UUID | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.user_id = user_id


# One look, no write, for everybody who has been here before.
_KNOWN = text(
    """
    select person.user_id, person.deactivated_at is not null as is_deactivated, place.organization_id, place.role,
        person.address, person.display_name
    from identity.users as person
    left join lateral (
        select member.organization_id, member.role
        from identity.memberships as member
        join identity.organizations as o on o.organization_id = member.organization_id
        where member.user_id = person.user_id
            and case when cast(:external_id as text) is null then o.is_personal else o.external_id = :external_id end
        order by o.created_at, o.organization_id
        limit 1
    ) as place on true
    where person.issuer = :issuer and person.subject = :subject
    """
)
_NOTE_SIGN_IN = text("update identity.users set signed_in_at = now() where user_id = :user_id")


def admit(engine: Engine, token: VerifiedToken, rules: RoleRules, *, is_sign_in: bool = False) -> Access:
    """The access of who carries this verified token; makes what is seen for the first time.

    `is_sign_in` notes that they signed in just now. Raises NotAdmittedError for who was deactivated or removed.
    """
    organization = None if token.organization_id is None else external_id(token.issuer, token.organization_id)
    asked = {"issuer": token.issuer, "subject": token.subject, "external_id": organization}
    if not is_sign_in:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            known = connection.execute(_KNOWN, asked).one_or_none()
        if known is not None and known.organization_id is not None and not known.is_deactivated:
            is_role_told = token.organization_id is not None and token.role is not None
            role = rules.role(token.role) if is_role_told else known.role
            if role == known.role or (role, known.role) == ("admin", "owner"):
                return Access(known.user_id, known.organization_id, known.role)
    with engine.begin() as connection:
        directory = Directory(connection, token.issuer, rules)
        directory.lock(token.subject)
        access = _admit(directory, token, connection.execute(_KNOWN, asked).one_or_none())
        if is_sign_in:
            connection.execute(_NOTE_SIGN_IN, {"user_id": access.user_id})
        return access


def _admit(directory: Directory, token: VerifiedToken, known: object) -> Access:
    if directory.is_gone(token.subject) or getattr(known, "is_deactivated", False):
        raise NotAdmittedError(
            "deactivated",
            "This person's access has been ended. An administrator can give it back.",
            user_id=getattr(known, "user_id", None),
        )
    user_id = directory.put_user(token.subject, address=token.address, name=token.name)
    if token.organization_id is None:
        return Access(user_id, directory.personal_organization(user_id), "owner")
    if directory.is_gone(token.organization_id):
        raise _removed(user_id)
    organization_id = directory.put_organization(token.organization_id, name=token.organization_name)
    removal = directory.removal(organization_id, user_id)
    if removal is not None:
        removed_at, by_provider = removal
        # Tokens tell whole seconds: one of the second of the removal may be from before it.
        if not by_provider or token.issued_at < removed_at + timedelta(seconds=1):
            raise _removed(user_id)
    pair = pair_of(token.organization_id, token.subject)
    role = directory.join(organization_id, user_id, told=token.role, pair=pair, at=token.issued_at)
    if role is None:
        raise _removed(user_id)
    return Access(user_id, organization_id, role)


def _removed(user_id: uuid.UUID) -> NotAdmittedError:
    return NotAdmittedError(
        "no-membership",
        "This person is not a member of this organization any more. Sign in again, or ask for an invitation.",
        user_id=user_id,
    )
