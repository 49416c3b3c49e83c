"""Signing in at Google: OAuth 2 for an installed or a web application, with PKCE.

`begin` makes the address that a browser is sent to and `finish` takes what it comes back with. In between there is one
row of `mailboxes.oauth_states`: the hash of the state, the hash of the session that began, and, sealed, the PKCE
verifier. It is deleted by its first use, whatever comes of it.
"""

import hashlib
import hmac
import json
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, select

from rl_emails_assets.connections import google_endpoints, lifecycle
from rl_emails_assets.connections.credentials import Grant
from rl_emails_assets.connections.google_endpoints import GMAIL_READONLY, GoogleRefusalError, Tokens
from rl_emails_assets.connections.sealing import Place, Sealer
from rl_emails_assets.db import audit
from rl_emails_assets.db.mailbox_rows import LOCAL_TENANT, Tenant
from rl_emails_assets.db.tables import identity, mailboxes
from rl_emails_assets.errors import ProviderUnavailableError, SealError, SettingsError, SignInError
from rl_emails_assets.settings import Settings

CALLBACK_PATH = "/oauth/google/callback"
LIFETIME = timedelta(minutes=10)
"""How long a sign-in that has begun may take."""
STATE_BYTES = 32
VERIFIER_BYTES = 48
"""64 characters; RFC 7636 asks for 43 to 128."""
AGAIN = "Begin again from the page, or with `rl-emails connect gmail`."

_table = mailboxes.oauth_states


@dataclass(frozen=True, slots=True)
class Connected:
    """The mailbox that a sign-in has connected."""

    mailbox_id: uuid.UUID
    address: str


def begin(
    connection: Connection,
    settings: Settings,
    *,
    session: bytes,
    redirect_uri: str,
    login_hint: str = "",
    tenant: Tenant = LOCAL_TENANT,
    credential: str = "system",
) -> str:
    """Begin a sign-in for this session; returns the address to open in its browser.

    The mailbox will be the tenant's, whoever's browser comes back: who begins is kept, sealed, with the state.
    `credential` is how they came in, for the audit log. A hint that names a mailbox of their organization asks for that
    mailbox again: another account is then refused in the end. Raises SettingsError when no OAuth client is set.
    """
    google_endpoints.require_client(settings)
    state, verifier = secrets.token_urlsafe(STATE_BYTES), secrets.token_urlsafe(VERIFIER_BYTES)
    hint = login_hint.strip().lower()
    is_known = bool(hint) and (
        connection.execute(
            select(mailboxes.connections.c.mailbox_id).where(
                mailboxes.connections.c.organization_id == tenant.organization_id,
                mailboxes.connections.c.address == hint,
            )
        ).first()
        is not None
    )
    kept = {
        "verifier": verifier,
        "address": hint if is_known else "",
        "organization_id": str(tenant.organization_id),
        "user_id": str(tenant.user_id),
        "credential": credential,
    }
    state_hash = _hash(state.encode())
    connection.execute(delete(_table).where(_table.c.expires_at < func.now()))
    connection.execute(
        insert(_table).values(
            state_hash=state_hash,
            session_hash=_hash(session),
            sealed=Sealer.of(settings).seal(json.dumps(kept).encode(), bound_to=_bound_to(state_hash)),
            redirect_uri=redirect_uri,
            expires_at=datetime.now(UTC) + LIFETIME,
        )
    )
    return google_endpoints.authorization_url(
        settings, state=state, verifier=verifier, redirect_uri=redirect_uri, login_hint=hint
    )


def finish(
    engine: Engine, settings: Settings, *, session: bytes, state: str, code: str | None, error: str | None
) -> Connected:
    """End a sign-in with what the browser came back with, and connect the mailbox.

    Raises SignInError, whatever is wrong; its words are for the person who signs in.
    """
    row = _take(engine, state)
    if row is None:
        raise SignInError(f"This sign-in is not known, or was used already. {AGAIN}")
    if not hmac.compare_digest(row["session_hash"], _hash(session)):
        raise SignInError(f"This sign-in was begun in another browser or by another program. {AGAIN}")
    if row["expires_at"] < datetime.now(UTC):
        raise SignInError(f"This sign-in took longer than {LIFETIME.seconds // 60} minutes. {AGAIN}")
    if error is not None:
        raise SignInError(_refusal(error))
    if not code:
        raise SignInError(f"Google sent no code back. {AGAIN}")
    try:
        sealer = Sealer.of(settings)
        kept = json.loads(sealer.open(row["sealed"], bound_to=_bound_to(row["state_hash"])))
        tokens = google_endpoints.exchange_code(
            settings, code=code, verifier=kept["verifier"], redirect_uri=row["redirect_uri"]
        )
        grant = _grant(tokens)
        address = google_endpoints.profile_address(settings, grant.access_token)
    except SealError as failure:
        raise SignInError(f"The secret keys changed during this sign-in. {AGAIN}") from failure
    except SettingsError as failure:
        raise SignInError(str(failure)) from failure
    except ProviderUnavailableError as failure:
        raise SignInError(f"{failure} {AGAIN}") from failure
    except GoogleRefusalError as failure:
        raise SignInError(_explained(failure)) from failure
    if kept["address"] and kept["address"] != address:
        raise SignInError(
            f"You signed in as {address}, but {kept['address']} was to be connected again. Begin again and choose "
            f"that account; to connect {address} as well, begin without naming a mailbox."
        )
    tenant = Tenant(uuid.UUID(kept["organization_id"]), uuid.UUID(kept["user_id"]))
    with engine.begin() as connection:
        _require_member(connection, tenant)
        mailbox_id = lifecycle.connect_gmail(connection, sealer, address, grant, tenant=tenant)
        audit.record(
            connection,
            "mailbox.connected",
            target=mailbox_id,
            details={"provider": lifecycle.GMAIL},
            organization_id=tenant.organization_id,
            user_id=tenant.user_id,
            credential=kept["credential"],
        )
    return Connected(mailbox_id, address)


def _require_member(connection: Connection, tenant: Tenant) -> None:
    """Whoever began may have been removed since; the lock makes a removal at this moment wait for the mailbox."""
    member, person = identity.memberships, identity.users
    found = connection.execute(
        select(member.c.user_id)
        .join(person, person.c.user_id == member.c.user_id)
        .where(
            member.c.organization_id == tenant.organization_id,
            member.c.user_id == tenant.user_id,
            person.c.deactivated_at.is_(None),
        )
        .with_for_update(read=True, key_share=True, of=member)
    )
    if found.first() is None:
        raise SignInError("You are not a member of the organization any more in which you began, so nothing was kept.")


def _take(engine: Engine, state: str) -> RowMapping | None:
    """Use the state up, before anything is asked of Google: a second use finds nothing, even at the same moment."""
    with engine.begin() as connection:
        return (
            connection.execute(
                delete(_table)
                .where(_table.c.state_hash == _hash(state.encode()))
                .returning(
                    _table.c.state_hash,
                    _table.c.session_hash,
                    _table.c.sealed,
                    _table.c.redirect_uri,
                    _table.c.expires_at,
                )
            )
            .mappings()
            .one_or_none()
        )


def _grant(tokens: Tokens) -> Grant:
    if GMAIL_READONLY not in tokens.scopes:
        raise SignInError(
            "Reading mail was not allowed: the box for it was not ticked on Google's page. Begin again, and tick "
            "“View your email messages and settings”."
        )
    if not tokens.refresh_token:
        raise SignInError(
            "Google gave no permission that lasts (no refresh token). Remove the access at "
            "https://myaccount.google.com/permissions, then begin again."
        )
    return Grant(tokens.access_token, tokens.refresh_token, tokens.expires_at, tokens.scopes)


def _refusal(error: str) -> str:
    if error == "access_denied":
        return f"Access was not granted, so nothing was connected. {AGAIN}"
    # It comes out of the address bar; only what looks like one of OAuth's words is repeated.
    word = error if re.fullmatch(r"[a-z_]{1,64}", error) else "an unknown error"
    return f"Google ended the sign-in with {word}. {AGAIN}"


def _explained(refusal: GoogleRefusalError) -> str:
    hints = {
        "invalid_grant": f"The code was used already, or took too long. {AGAIN}",
        "invalid_client": "See that RL_EMAILS_GOOGLE_CLIENT_ID and RL_EMAILS_GOOGLE_CLIENT_SECRET belong together.",
        "redirect_uri_mismatch": "Add this product's callback address to the OAuth client's redirect URIs.",
    }
    return f"{refusal} {hints.get(refusal.code, AGAIN)}"


def _hash(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


def _bound_to(state_hash: bytes) -> Place:
    # Whose it is, is told inside: the row is looked for before anybody is known.
    return Place("mailboxes.oauth_states", "sealed", state_hash.hex(), None)
