"""People, organizations and memberships, kept in step with what an identity provider says of them.

What it says comes in tokens, events and listings, repeated and in any order, so each fact has a version (the provider's
clock) and an older one changes nothing. Whatever is said of one person is taken in one after the other, by a lock.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from rl_emails_assets.db import audit
from rl_emails_assets.db.tables.identity import api_keys, memberships, organizations, sessions, users
from rl_emails_assets.db.tables.sign_in import provider_objects, removed_memberships
from rl_emails_assets.identity_sync.external import ExternalMembership, ExternalOrganization, ExternalUser
from rl_emails_assets.settings import Settings

LONGEST_NAME = 200
"""Characters; a longer name is cut."""

_LOCK = text("select pg_advisory_xact_lock(hashtextextended('identity ' || :issuer || ' ' || :subject, 0))")


@dataclass(frozen=True, slots=True)
class RoleRules:
    """How the provider's roles become ours."""

    names: dict[str, str]
    """The provider's word to owner, admin or member; a word that is not there is a member's."""
    first_is_owner: bool
    """The first administrator (or member, where no roles are told) of an organization without owner is its owner."""

    @classmethod
    def of(cls, settings: Settings) -> "RoleRules":
        """Those of the settings."""
        return cls(settings.oidc_roles, settings.oidc_first_member_is_owner)

    def role(self, told: str | None) -> str | None:
        """Our role for the provider's; None when it does not tell."""
        return None if told is None else self.names.get(told.removeprefix("org:"), "member")


class Directory:
    """One provider's people, within the caller's transaction."""

    def __init__(self, connection: Connection, issuer: str, rules: RoleRules) -> None:
        self._connection = connection
        self._issuer = issuer
        self._rules = rules

    def lock(self, subject: str) -> None:
        """Wait until nobody else writes what is told of this person."""
        self._connection.execute(_LOCK, {"issuer": self._issuer, "subject": subject})

    def external_id(self, organization_id: str) -> str:
        """How `organizations.external_id` writes the provider's id: another provider may use the same."""
        return external_id(self._issuer, organization_id)

    # What a person is

    def put_user(self, subject: str, *, address: str = "", name: str = "") -> uuid.UUID:
        """The person's id; made if new, and the address and name taken over where they are told."""
        name = _plain(name)
        found = self._user_id(subject)
        if found is None:
            found = uuid.uuid4()
            self._connection.execute(
                insert(users).values(
                    user_id=found, issuer=self._issuer, subject=subject, address=address, display_name=name
                )
            )
            audit.record(self._connection, "user.created", target=found, user_id=found)
            return found
        for column, value in ((users.c.address, address), (users.c.display_name, name)):
            if value:
                is_other = (users.c.user_id == found) & (column != value)
                self._connection.execute(update(users).where(is_other).values({column: value}))
        return found

    def put_organization(self, organization_id: str, *, name: str = "") -> uuid.UUID:
        """The organization's id; made if new, and the name taken over where it is told."""
        statement = insert(organizations).values(
            organization_id=uuid.uuid4(),
            external_id=self.external_id(organization_id),
            name=_plain(name) or _plain(organization_id),
        )
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["external_id"]))
        is_it = organizations.c.external_id == self.external_id(organization_id)
        if name:
            is_new = organizations.c.name != _plain(name)
            self._connection.execute(update(organizations).where(is_it, is_new).values(name=_plain(name)))
        found: uuid.UUID = self._connection.execute(select(organizations.c.organization_id).where(is_it)).scalar_one()
        return found

    def personal_organization(self, user_id: uuid.UUID) -> uuid.UUID:
        """The person's own organization, made if they have none."""
        found: uuid.UUID | None = self._connection.execute(
            select(memberships.c.organization_id)
            .join(organizations, organizations.c.organization_id == memberships.c.organization_id)
            .where(memberships.c.user_id == user_id, organizations.c.is_personal)
            .order_by(organizations.c.created_at, organizations.c.organization_id)
            .limit(1)
        ).scalar()
        if found is None:
            found = uuid.uuid4()
            self._connection.execute(
                insert(organizations).values(organization_id=found, name="Personal", is_personal=True)
            )
            self._connection.execute(insert(memberships).values(organization_id=found, user_id=user_id, role="owner"))
        return found

    # What an organization's people may do

    def join(
        self, organization_id: uuid.UUID, user_id: uuid.UUID, *, told: str | None, pair: str, at: datetime
    ) -> str | None:
        """Make them a member, or give them the role that is told; returns the role they have then.

        What was told before something that is known already changes nothing; None for who is no member then.
        """
        is_it = (memberships.c.organization_id == organization_id) & (memberships.c.user_id == user_id)
        # Two who come first at once must not both become owner.
        self._connection.execute(
            select(organizations.c.organization_id)
            .where(organizations.c.organization_id == organization_id)
            .with_for_update()
        )
        present: str | None = self._connection.execute(select(memberships.c.role).where(is_it)).scalar()
        if present is not None and told is None:
            return present
        role = self._role(organization_id, user_id, told, present)
        if role == present:
            return role
        if not self._is_news(pair, at):
            return present
        if present is None:
            self._connection.execute(
                insert(memberships).values(organization_id=organization_id, user_id=user_id, role=role)
            )
        else:
            self._connection.execute(update(memberships).where(is_it).values(role=role))
        audit.record(
            self._connection,
            "membership.created" if present is None else "membership.changed",
            target=user_id,
            organization_id=organization_id,
            details={"role": role},
        )
        return role

    def _role(self, organization_id: uuid.UUID, user_id: uuid.UUID, told: str | None, present: str | None) -> str:
        role = self._rules.role(told)
        if role == "admin" and present == "owner":
            # The provider has no owners, so it cannot say that they are one no more.
            return "owner"
        if role == "admin" or role is None:
            has_owner = self._connection.execute(
                select(
                    exists().where(
                        memberships.c.organization_id == organization_id,
                        memberships.c.role == "owner",
                        memberships.c.user_id != user_id,
                    )
                )
            ).scalar_one()
            if self._rules.first_is_owner and not has_owner:
                return "owner"
        return role or "member"

    def removal(self, organization_id: uuid.UUID, user_id: uuid.UUID) -> tuple[datetime, bool] | None:
        """When they were removed, and whether by the provider; None when they were not."""
        row = self._connection.execute(
            select(removed_memberships.c.removed_at, removed_memberships.c.by_provider).where(
                removed_memberships.c.organization_id == organization_id, removed_memberships.c.user_id == user_id
            )
        ).one_or_none()
        return None if row is None else (row.removed_at, row.by_provider)

    # What the provider tells by events and listings

    def apply_user(self, told: ExternalUser) -> bool:
        """Take over what is told of a person; returns whether it was news."""
        self.lock(told.subject)
        if not self._is_news(told.subject, told.updated_at):
            return False
        user_id = self.put_user(told.subject, address=told.address, name=told.name)
        self._connection.execute(
            update(users)
            .where(users.c.user_id == user_id, users.c.address != told.address)
            .values(address=told.address)
        )
        ban = f"ban/{told.subject}"
        was_banned = self._connection.execute(
            delete(provider_objects)
            .where(provider_objects.c.issuer == self._issuer, provider_objects.c.object_id == ban)
            .returning(provider_objects.c.object_id)
        ).scalar()
        if told.is_banned:
            self._is_news(ban, told.updated_at)
            self._deactivate(user_id)
        elif was_banned:
            # Only what the provider took away: who was deactivated here stays so.
            self._connection.execute(update(users).where(users.c.user_id == user_id).values(deactivated_at=None))
        return True

    def apply_user_gone(self, subject: str, at: datetime) -> bool:
        """A person was deleted at the provider, for good: they can do nothing any more. Their mail stays."""
        self.lock(subject)
        if not self._is_news(subject, at, is_deleted=True):
            return False
        user_id = self._user_id(subject)
        if user_id is not None:
            self._deactivate(user_id)
            of_provider = select(organizations.c.organization_id).where(
                organizations.c.external_id.startswith(self.external_id(""), autoescape=True)
            )
            self._connection.execute(
                delete(memberships).where(
                    memberships.c.user_id == user_id, memberships.c.organization_id.in_(of_provider)
                )
            )
        return True

    def apply_organization(self, told: ExternalOrganization) -> bool:
        """Take over what is told of an organization; returns whether it was news."""
        if not self._is_news(told.organization_id, told.updated_at):
            return False
        self.put_organization(told.organization_id, name=told.name)
        return True

    def apply_organization_gone(self, organization_id: str, at: datetime) -> bool:
        """An organization was deleted at the provider: nobody is in it any more. Its mail stays until erased."""
        if not self._is_news(organization_id, at, is_deleted=True):
            return False
        found = self._organization_id(organization_id)
        if found is not None:
            self._connection.execute(delete(memberships).where(memberships.c.organization_id == found))
            self._mark_removed(removed_memberships.c.organization_id == found, at)
        return True

    def apply_membership(self, told: ExternalMembership) -> bool:
        """Take over a membership; returns whether it was news."""
        self.lock(told.subject)
        if (
            self.is_gone(told.subject)
            or self.is_gone(told.organization.organization_id)
            or not self._is_news(told.membership_id, told.updated_at)
        ):
            return False
        user_id, organization_id = self._put_pair(told)
        removal = self.removal(organization_id, user_id)
        if removal is not None and told.created_at <= removal[0]:
            return False
        pair = pair_of(told.organization.organization_id, told.subject)
        return self.join(organization_id, user_id, told=told.role, pair=pair, at=told.updated_at) is not None

    def apply_membership_gone(self, told: ExternalMembership, at: datetime) -> bool:
        """A membership has ended; an older one's end does not end the one that came after it."""
        self.lock(told.subject)
        if self.is_gone(told.subject) or not self._is_news(told.membership_id, at, is_deleted=True):
            return False
        if not self._is_news(pair_of(told.organization.organization_id, told.subject), at):
            return False
        # Known or not: a token from before must not make the membership.
        user_id, organization_id = self._put_pair(told)
        self._remove(organization_id, user_id, at)
        return True

    def apply_place_gone(self, organization_id: str, subject: str, at: datetime) -> bool:
        """The provider was asked, and they are not in this organization; returns whether they were here."""
        self.lock(subject)
        user_id, found = self._user_id(subject), self._organization_id(organization_id)
        if user_id is None or found is None or not self._is_news(pair_of(organization_id, subject), at):
            return False
        self._remove(found, user_id, at)
        return True

    def is_gone(self, object_id: str) -> bool:
        """Whether the provider deleted this user or organization."""
        return bool(
            self._connection.execute(
                select(provider_objects.c.is_deleted).where(
                    provider_objects.c.issuer == self._issuer, provider_objects.c.object_id == object_id
                )
            ).scalar()
        )

    # How

    def _put_pair(self, told: ExternalMembership) -> tuple[uuid.UUID, uuid.UUID]:
        user_id = self.put_user(told.subject)
        organization_id = self._organization_id(told.organization.organization_id)
        if organization_id is None:
            organization_id = self.put_organization(told.organization.organization_id, name=told.organization.name)
        return user_id, organization_id

    def _remove(self, organization_id: uuid.UUID, user_id: uuid.UUID, at: datetime) -> None:
        is_it = (memberships.c.organization_id == organization_id) & (memberships.c.user_id == user_id)
        self._connection.execute(delete(memberships).where(is_it))
        self._connection.execute(
            insert(removed_memberships)
            .values(organization_id=organization_id, user_id=user_id, removed_at=at, by_provider=True)
            .on_conflict_do_nothing()
        )
        self._mark_removed(
            (removed_memberships.c.organization_id == organization_id) & (removed_memberships.c.user_id == user_id), at
        )
        audit.record(self._connection, "membership.removed", target=user_id, organization_id=organization_id)

    def _is_news(self, object_id: str, at: datetime, *, is_deleted: bool = False) -> bool:
        """Note that this was told as of `at`; False when something later, or its end, was told before."""
        known = self._connection.execute(
            select(provider_objects.c.version_at, provider_objects.c.is_deleted).where(
                provider_objects.c.issuer == self._issuer, provider_objects.c.object_id == object_id
            )
        ).one_or_none()
        if known is not None and not is_deleted and (known.is_deleted or known.version_at >= at):
            # The same again is taken over again, which mends what was changed here, and writes nothing otherwise.
            return not known.is_deleted and bool(known.version_at == at)
        statement = insert(provider_objects).values(
            issuer=self._issuer, object_id=object_id, version_at=at, is_deleted=is_deleted
        )
        told = statement.excluded
        return (
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["issuer", "object_id"],
                    set_={
                        "version_at": func.greatest(provider_objects.c.version_at, told.version_at),
                        "is_deleted": told.is_deleted,
                    },
                    where=~provider_objects.c.is_deleted
                    & (told.is_deleted | (provider_objects.c.version_at <= told.version_at)),
                ).returning(provider_objects.c.object_id)
            ).scalar()
            is not None
        )

    def _deactivate(self, user_id: uuid.UUID) -> None:
        now = datetime.now(UTC)
        self._connection.execute(
            update(users).where(users.c.user_id == user_id, users.c.deactivated_at.is_(None)).values(deactivated_at=now)
        )
        for table in (sessions, api_keys):
            self._connection.execute(
                update(table).where(table.c.user_id == user_id, table.c.revoked_at.is_(None)).values(revoked_at=now)
            )

    def _mark_removed(self, which: object, at: datetime) -> None:
        self._connection.execute(update(removed_memberships).where(which).values(removed_at=at, by_provider=True))  # type: ignore[arg-type]

    def _user_id(self, subject: str) -> uuid.UUID | None:
        return self._connection.execute(
            select(users.c.user_id).where(users.c.issuer == self._issuer, users.c.subject == subject)
        ).scalar()

    def _organization_id(self, organization_id: str) -> uuid.UUID | None:
        return self._connection.execute(
            select(organizations.c.organization_id).where(
                organizations.c.external_id == self.external_id(organization_id)
            )
        ).scalar()


def external_id(issuer: str, organization_id: str) -> str:
    """The organization's id together with who uses it."""
    return f"{issuer}#{organization_id}"


def pair_of(organization_id: str, subject: str) -> str:
    """The id under which a person's place in an organization is known, whichever membership it is."""
    return f"{organization_id}/{subject}"


def _plain(words: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in words).split())[:LONGEST_NAME]
