"""The tokens of a mailbox: stored sealed, and refreshed once by whoever needs them first."""

import json
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, RowMapping, Select, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from rl_emails_assets.connections import google_endpoints
from rl_emails_assets.connections.google_endpoints import GoogleRefusalError
from rl_emails_assets.connections.reconnection import RECONNECT_NEEDED, need_reconnect
from rl_emails_assets.connections.sealing import Place, Sealer
from rl_emails_assets.db.tables import mailboxes
from rl_emails_assets.errors import ProviderUnavailableError, ReconnectNeededError, SettingsError
from rl_emails_assets.settings import Settings

EARLY = timedelta(seconds=60)
"""A token that expires sooner is refreshed before it is used: a batch of calls takes seconds."""
LOCK_SECONDS = 30
"""How long a refresh waits for another one; three times what one takes at most."""
DEAD_GRANTS = frozenset({"invalid_grant", "unauthorized_client"})
"""The grant is revoked, expired, or another OAuth client's: only the owner can help."""
WRONG_CLIENTS = frozenset({"invalid_client", "deleted_client", "disabled_client"})
"""Google does not accept the OAuth client: the administrator can help, and the grant may be fine."""
LOCK_NOT_AVAILABLE = "55P03"

_columns = mailboxes.credentials.c


@dataclass(frozen=True, slots=True)
class Grant:
    """What lets us into a mailbox."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    """When the access token expires."""
    scopes: tuple[str, ...]


def place_of(mailbox_id: uuid.UUID, organization_id: uuid.UUID) -> Place:
    """The place where a mailbox's grant is kept, which its encryption is bound to."""
    return Place("mailboxes.credentials", "sealed", str(mailbox_id), organization_id)


def store_grant(connection: Connection, sealer: Sealer, mailbox_id: uuid.UUID, grant: Grant) -> None:
    """Keep the mailbox's grant, sealed, in the place of the one before."""
    owner = mailboxes.connections.c
    query = select(owner.organization_id).where(owner.mailbox_id == mailbox_id)
    values = {
        "sealed": _sealed(sealer, place_of(mailbox_id, connection.execute(query).scalar_one()), grant),
        "key_id": sealer.key_id,
        "scopes": list(grant.scopes),
        "expires_at": grant.expires_at,
        "updated_at": func.now(),
    }
    connection.execute(
        insert(mailboxes.credentials)
        .values(mailbox_id=mailbox_id, **values)
        .on_conflict_do_update(index_elements=[_columns.mailbox_id], set_=values)
    )


def read_grant(connection: Connection, settings: Settings, mailbox_id: uuid.UUID) -> Grant | None:
    """The mailbox's grant; None when there is none. Raises SealError when it cannot be opened."""
    row = connection.execute(_select(mailbox_id)).mappings().one_or_none()
    return None if row is None else _opened(Sealer.of(settings), mailbox_id, row)


class TokenSource:
    """Access tokens of one mailbox, for one run; its threads may share it."""

    def __init__(self, engine: Engine, settings: Settings, mailbox_id: uuid.UUID) -> None:
        self._engine = engine
        self._settings = settings
        self._mailbox_id = mailbox_id
        self._mine = threading.Lock()
        self._known: Grant | None = None

    def access_token(self, *, rejected: str | None = None) -> str:
        """A token that is valid for a minute at least; `rejected` is one that the provider answered 401 to.

        Of all that need a new one, in any process, one asks the provider and the others take what it got.

        Raises ReconnectNeededError when the grant is gone; then the mailbox's state says so and its owner is told.
        Raises SettingsError when Google does not accept the OAuth client, ProviderUnavailableError when Google cannot
        be reached, SealError when the stored grant cannot be opened.
        """
        with self._mine:
            if self._known is None or not _is_usable(self._known, rejected):
                self._known = self._stored(rejected) or self._refreshed(rejected)
            return self._known.access_token

    def _stored(self, rejected: str | None) -> Grant | None:
        with self._engine.connect() as connection:
            state = mailboxes.connections.c
            row = (
                connection.execute(
                    select(
                        _columns.sealed,
                        _columns.expires_at,
                        _columns.scopes,
                        state.organization_id,
                        state.state,
                        state.state_reason,
                    )
                    .join_from(mailboxes.connections, mailboxes.credentials, isouter=True)
                    .where(state.mailbox_id == self._mailbox_id)
                )
                .mappings()
                .one_or_none()
            )
        if row is None or row["sealed"] is None:
            raise _no_grant(self._mailbox_id)
        if row["state"] == RECONNECT_NEEDED:
            raise ReconnectNeededError(
                f"Mailbox {self._mailbox_id} waits for its owner to connect it again: {row['state_reason']}."
            )
        grant = _opened(Sealer.of(self._settings), self._mailbox_id, row)
        return grant if _is_usable(grant, rejected) else None

    def _refreshed(self, rejected: str | None) -> Grant:
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    text("select set_config('lock_timeout', :limit, true)"), {"limit": f"{LOCK_SECONDS}s"}
                )
                row = (
                    connection.execute(_select(self._mailbox_id).with_for_update(of=mailboxes.credentials))
                    .mappings()
                    .one_or_none()
                )
                if row is None:
                    raise _no_grant(self._mailbox_id)
                sealer = Sealer.of(self._settings)
                grant = _opened(sealer, self._mailbox_id, row)
                if _is_usable(grant, rejected):
                    return grant
                try:
                    tokens = google_endpoints.refresh(self._settings, grant.refresh_token, grant.scopes)
                except GoogleRefusalError as error:
                    refusal = error
                else:
                    renewed = Grant(
                        tokens.access_token,
                        tokens.refresh_token or grant.refresh_token,
                        tokens.expires_at,
                        tokens.scopes,
                    )
                    store_grant(connection, sealer, self._mailbox_id, renewed)
                    return renewed
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            raise ProviderUnavailableError(
                f"Another process has been refreshing the token of mailbox {self._mailbox_id} for {LOCK_SECONDS} "
                "seconds. It is tried again later."
            ) from error
        raise self._refused(refusal, grant) from refusal

    def _refused(self, refusal: GoogleRefusalError, grant: Grant) -> Exception:
        """What the refusal means; for a grant that is gone the mailbox's state is changed first."""
        if refusal.code in WRONG_CLIENTS:
            return SettingsError(
                f"Google does not accept the OAuth client: {refusal} See that RL_EMAILS_GOOGLE_CLIENT_ID and "
                "RL_EMAILS_GOOGLE_CLIENT_SECRET are those of a client that still exists in your Google Cloud project."
            )
        if refusal.code not in DEAD_GRANTS:
            return ProviderUnavailableError(f"The token could not be refreshed. {refusal} It is tried again later.")
        reason = "Google has ended our access, or it was taken back there"
        with self._engine.begin() as connection:
            # The connection before its credentials, as whoever connects the mailbox again locks them. The credentials'
            # lock was given up in between, so that the owner may have done so meanwhile: then nothing is wrong.
            connection.execute(
                select(mailboxes.connections.c.mailbox_id)
                .where(mailboxes.connections.c.mailbox_id == self._mailbox_id)
                .with_for_update()
            )
            now = read_grant(connection, self._settings, self._mailbox_id)
            if now is not None and now.refresh_token != grant.refresh_token:
                return ProviderUnavailableError(
                    f"Mailbox {self._mailbox_id} was connected again at this moment. It is tried again."
                )
            need_reconnect(connection, self._mailbox_id, reason)
        return ReconnectNeededError(
            f"Mailbox {self._mailbox_id} must be connected again by its owner: {reason}. {refusal}"
        )


def _select(mailbox_id: uuid.UUID) -> Select[tuple[bytes, datetime, list[str], uuid.UUID]]:
    owner = mailboxes.connections.c.organization_id
    return (
        select(_columns.sealed, _columns.expires_at, _columns.scopes, owner)
        .join_from(mailboxes.credentials, mailboxes.connections)
        .where(_columns.mailbox_id == mailbox_id)
    )


def _sealed(sealer: Sealer, place: Place, grant: Grant) -> bytes:
    tokens = {"access_token": grant.access_token, "refresh_token": grant.refresh_token}
    return sealer.seal(json.dumps(tokens).encode(), bound_to=place)


def _opened(sealer: Sealer, mailbox_id: uuid.UUID, row: RowMapping) -> Grant:
    tokens = json.loads(sealer.open(row["sealed"], bound_to=place_of(mailbox_id, row["organization_id"])))
    return Grant(tokens["access_token"], tokens["refresh_token"], row["expires_at"], tuple(row["scopes"]))


def _is_usable(grant: Grant, rejected: str | None) -> bool:
    return grant.access_token != rejected and grant.expires_at > datetime.now(UTC) + EARLY


def _no_grant(mailbox_id: uuid.UUID) -> ReconnectNeededError:
    return ReconnectNeededError(f"Mailbox {mailbox_id} has no grant. Connect it with `rl-emails connect gmail`.")
