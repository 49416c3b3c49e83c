"""Signing in with a browser: the authorization code flow with PKCE (RFC 6749, 7636; OpenID Connect Core 3.1).

Nothing is stored when a sign-in begins. Everything about it is made from one secret that only the browser's cookie has:
the `state` carries its expiry and where to go afterwards, sealed with that secret, and the PKCE verifier and the nonce
are derived from both. So a state is worth nothing in another browser. Coming back uses it up, in the database.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from sqlalchemy import Engine, delete, func
from sqlalchemy.dialects.postgresql import insert

from rl_emails_api.identity.credential_secrets import new_secret
from rl_emails_api.identity.issuer import Description
from rl_emails_api.identity.trust import trusted
from rl_emails_assets.db.tables.sign_in import used_sign_ins
from rl_emails_assets.errors import ProviderUnavailableError, SignInError
from rl_emails_assets.settings import Settings

LIFETIME_SECONDS = 600
TIMEOUT_SECONDS = 10
MOST_BYTES = 256 * 1024
LONGEST_PATH = 512
AGAIN = "Sign in again."

# What urlsplit, and every browser, takes for a path: no host can follow, and no character that browsers drop.
_LOCAL_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in under way, as the browser that began it can prove it."""

    state: str
    verifier: str
    nonce: str
    return_to: str
    expires_at: datetime


def local_path(told: str | None) -> str:
    """Where to go after a sign-in: a path of ours, or `/` for anything else."""
    if told is None or len(told) > LONGEST_PATH or not _LOCAL_PATH.fullmatch(told) or told.startswith("/auth/"):
        return "/"
    return told


def begin(cookie: str, return_to: str) -> SignIn:
    """A sign-in of the browser that has this cookie."""
    expires_at = int(time.time()) + LIFETIME_SECONDS
    told = json.dumps({"n": new_secret(), "e": expires_at, "r": return_to}, separators=(",", ":")).encode()
    body = _text(told)
    return _made(cookie, f"{body}.{_text(_seal(cookie, 'state', body))}", return_to, expires_at)


def come_back(cookie: str, state: str) -> SignIn:
    """The sign-in that this browser began with this state. Raises SignInError when it did not, or too long ago."""
    body, _, seal = state.partition(".")
    if not cookie or not hmac.compare_digest(seal.encode(), _text(_seal(cookie, "state", body)).encode()):
        raise SignInError(f"This sign-in was begun in another browser, or not here. {AGAIN}")
    # Sealed, so it is what `begin` wrote.
    told = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if told["e"] < time.time():
        raise SignInError(f"This sign-in took longer than {LIFETIME_SECONDS // 60} minutes. {AGAIN}")
    return _made(cookie, state, local_path(told["r"]), told["e"])


def use_up(engine: Engine, sign_in: SignIn) -> None:
    """Use the state up, before anything is asked of the issuer. Raises SignInError for a second use."""
    statement = insert(used_sign_ins).values(
        state_hash=hashlib.sha256(sign_in.state.encode()).digest(), expires_at=sign_in.expires_at
    )
    with engine.begin() as connection:
        connection.execute(delete(used_sign_ins).where(used_sign_ins.c.expires_at < func.now()))
        made = connection.execute(statement.on_conflict_do_nothing().returning(used_sign_ins.c.state_hash)).first()
    if made is None:
        raise SignInError(f"This sign-in was finished already. {AGAIN}")


def authorization_url(settings: Settings, issuer: Description, sign_in: SignIn, redirect_uri: str) -> str:
    """Where to send the browser. Raises SignInError when the issuer has no such page."""
    if issuer.authorization_endpoint is None or issuer.token_endpoint is None:
        raise SignInError(f"{settings.oidc_issuer} offers no sign-in by authorization code.")
    challenge = _text(hashlib.sha256(sign_in.verifier.encode()).digest())
    asked = {
        "response_type": "code",
        "client_id": settings.oidc_client_id,
        "redirect_uri": redirect_uri,
        "scope": settings.oidc_scopes,
        "state": sign_in.state,
        "nonce": sign_in.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in issuer.authorization_endpoint else "?"
    return f"{issuer.authorization_endpoint}{joint}{urlencode(asked)}"


def exchange(settings: Settings, issuer: Description, sign_in: SignIn, *, code: str, redirect_uri: str) -> str:
    """The ID token for a code. Blocks. Raises SignInError, or ProviderUnavailableError while the issuer is away."""
    asked: dict[str, Any] = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "client_id": settings.oidc_client_id,
        "code_verifier": sign_in.verifier,
    }
    if settings.oidc_client_secret is not None:
        asked["client_secret"] = settings.oidc_client_secret
    try:
        verify = trusted(settings.ca_bundle)
        answer = httpx.post(str(issuer.token_endpoint), data=asked, verify=verify, timeout=TIMEOUT_SECONDS)
        told = json.loads(answer.content[:MOST_BYTES])
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise ProviderUnavailableError(f"{settings.oidc_issuer} cannot be reached. Try again in a moment.") from error
    except (ValueError, RecursionError) as error:
        raise ProviderUnavailableError(f"{settings.oidc_issuer} did not answer with JSON. Try again later.") from error
    if answer.status_code >= 500:
        raise ProviderUnavailableError(f"{settings.oidc_issuer} failed ({answer.status_code}). Try again in a moment.")
    token = told.get("id_token") if isinstance(told, dict) else None
    if answer.status_code != 200 or not isinstance(token, str):
        raise SignInError(f"{settings.oidc_issuer} gave no token for the code ({_word_of(told)}). {AGAIN}")
    return token


def refusal(error: str) -> str:
    """The words for an error that the issuer sent the browser back with."""
    if error == "access_denied":
        return f"The sign-in was not allowed. {AGAIN}"
    return f"The sign-in ended with {_known(error)}. {AGAIN}"


def _word_of(told: object) -> str:
    error = told.get("error") if isinstance(told, Mapping) else None
    return _known(error if isinstance(error, str) else "")


def _known(word: str) -> str:
    # It comes from outside; only what looks like one of OAuth's words is repeated.
    return word if re.fullmatch(r"[a-z_]{1,64}", word) else "an unknown error"


def _made(cookie: str, state: str, return_to: str, expires_at: int) -> SignIn:
    return SignIn(
        state,
        verifier=_text(_seal(cookie, "verifier", state)),
        nonce=_text(_seal(cookie, "nonce", state)),
        return_to=return_to,
        expires_at=datetime.fromtimestamp(expires_at, UTC),
    )


def _seal(cookie: str, purpose: str, text: str) -> bytes:
    return hmac.new(cookie.encode(), f"rl-emails sign-in {purpose} {text}".encode(), hashlib.sha256).digest()


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
