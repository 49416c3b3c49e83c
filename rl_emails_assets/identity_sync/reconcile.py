"""Comparing our people and memberships with all of Clerk's: webhooks are delivered late, twice, or never.

What is in Clerk's lists is taken over. What is here and not in them is asked for by name before it ends, because a list
whose pages are read one after the other may leave somebody out. No transaction is open while Clerk is asked.
"""

import time
from collections.abc import Callable, Iterable
from typing import TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, TextClause, text

from rl_emails_assets.errors import SettingsError
from rl_emails_assets.identity_sync import clerk_objects as clerk
from rl_emails_assets.identity_sync.clerk_api import ClerkApi
from rl_emails_assets.identity_sync.directory import Directory, RoleRules, external_id, pair_of
from rl_emails_assets.settings import Settings

_Told = TypeVar("_Told")

_USERS = text("select subject from identity.users where issuer = :issuer and deactivated_at is null")
_ORGANIZATIONS = text(
    """
    select distinct substr(o.external_id, length(:prefix) + 1)
    from identity.organizations as o
    join identity.memberships as member on member.organization_id = o.organization_id
    where starts_with(o.external_id, :prefix)
    """
)
# Whom the provider never told of was invited here, and is no business of its.
_MEMBERSHIPS = text(
    """
    select substr(o.external_id, length(:prefix) + 1), person.subject
    from identity.memberships as member
    join identity.organizations as o on o.organization_id = member.organization_id
    join identity.users as person on person.user_id = member.user_id and person.issuer = :issuer
    join identity.provider_objects as told
        on told.issuer = :issuer
        and told.object_id = substr(o.external_id, length(:prefix) + 1) || '/' || person.subject
    where starts_with(o.external_id, :prefix)
    """
)


def is_configured(_connection: Connection, settings: Settings) -> bool:
    """Whether there is a Clerk to compare with. Only looks."""
    return settings.oidc_kind == "clerk" and settings.oidc_issuer is not None and settings.clerk_secret_key is not None


def reconcile(engine: Engine, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> dict[str, int]:
    """Bring the tables in step with Clerk; returns what was compared and what had ended, by name.

    Raises SettingsError without Clerk or its key, TransientError (see ClerkApi) while Clerk does not answer: what was
    taken over until then stays, and nothing that was not asked for by name ends.
    """
    if settings.oidc_kind != "clerk" or settings.oidc_issuer is None:
        raise SettingsError(
            "There is no Clerk to compare with. Set RL_EMAILS_OIDC_ISSUER and RL_EMAILS_OIDC_KIND=clerk."
        )
    api = ClerkApi(settings, sleep)
    try:
        return _Reconcile(engine, settings.oidc_issuer, RoleRules.of(settings), api).run()
    finally:
        api.close()


class _Reconcile:
    def __init__(self, engine: Engine, issuer: str, rules: RoleRules, api: ClerkApi) -> None:
        self._engine = engine
        self._issuer = issuer
        self._rules = rules
        self._api = api
        self._prefix = external_id(issuer, "")
        self.counts = {"users": 0, "organizations": 0, "memberships": 0, "ended": 0, "unreadable": 0}

    def run(self) -> dict[str, int]:
        """Compare everything."""
        self._api.require_own_instance()
        users = self._take("/users", "users", clerk.read_user, Directory.apply_user, lambda told: told.subject)
        organizations = self._take(
            "/organizations",
            "organizations",
            clerk.read_organization,
            Directory.apply_organization,
            lambda told: told.organization_id,
        )
        pairs = self._take(
            "/organization_memberships",
            "memberships",
            clerk.read_membership,
            Directory.apply_membership,
            lambda told: pair_of(told.organization.organization_id, told.subject),
        )
        for (subject,) in self._known(_USERS):
            if subject not in users:
                self._end_user(subject)
        for (organization_id,) in self._known(_ORGANIZATIONS):
            if organization_id not in organizations:
                self._end_organization(organization_id)
        for organization_id, subject in self._known(_MEMBERSHIPS):
            if pair_of(organization_id, subject) not in pairs:
                self._end_membership(organization_id, subject)
        return self.counts

    def _take(
        self,
        path: str,
        name: str,
        read: Callable[[object], _Told],
        apply: Callable[[Directory, _Told], bool],
        key: Callable[[_Told], str],
    ) -> set[str]:
        seen: set[str] = set()
        for page in self._api.pages(path):
            told = list(self._readable(page.items, read))
            for each in told:
                # One by one: nobody who signs in meanwhile waits for a page.
                with self._engine.begin() as connection:
                    apply(Directory(connection, self._issuer, self._rules), each)
                seen.add(key(each))
            self.counts[name] += len(told)
        return seen

    def _known(self, query: TextClause) -> list[tuple[str, ...]]:
        with self._engine.connect() as connection:
            rows = connection.execute(query, {"issuer": self._issuer, "prefix": self._prefix}).all()
        return [tuple(row) for row in rows]

    def _readable(self, page: Iterable[object], read: Callable[[object], _Told]) -> Iterable[_Told]:
        for found in page:
            try:
                yield read(found)
            except clerk.UnreadableObjectError:
                self.counts["unreadable"] += 1

    def _end_user(self, subject: str) -> None:
        answer = self._api.get(f"/users/{quote(subject, safe='')}")
        if answer.found is None:
            self._end(lambda directory: directory.apply_user_gone(subject, answer.at))
        else:
            for told in self._readable([answer.found], clerk.read_user):
                self._with(lambda directory, told=told: directory.apply_user(told))  # type: ignore[misc]

    def _end_organization(self, organization_id: str) -> None:
        answer = self._api.get(f"/organizations/{quote(organization_id, safe='')}")
        if answer.found is None:
            self._end(lambda directory: directory.apply_organization_gone(organization_id, answer.at))

    def _end_membership(self, organization_id: str, subject: str) -> None:
        path = f"/users/{quote(subject, safe='')}/organization_memberships"
        at, unreadable_before = None, self.counts["unreadable"]
        for page in self._api.pages(path, may_be_gone=True):
            at = at or page.at
            for told in self._readable(page.items, clerk.read_membership):
                if told.organization.organization_id == organization_id:
                    self._with(lambda directory, told=told: directory.apply_membership(told))  # type: ignore[misc]
                    return
        # What cannot be read may be the one that was looked for.
        if at is not None and self.counts["unreadable"] == unreadable_before:
            self._end(lambda directory: directory.apply_place_gone(organization_id, subject, at))

    def _end(self, apply: Callable[[Directory], bool]) -> None:
        self.counts["ended"] += self._with(apply)

    def _with(self, apply: Callable[[Directory], bool]) -> bool:
        with self._engine.begin() as connection:
            return apply(Directory(connection, self._issuer, self._rules))
