"""Idempotency keys in app.idempotency_keys: claimed before a request, marked in its transaction, kept with its answer.

A key belongs to one person in one organization. Its row has only its hash; the answer, which may hold what is shown
once, is encrypted with the key itself, so that whoever reads the table reads no answer.
"""

import hashlib
import json
import os
import uuid
from dataclasses import dataclass
from http import HTTPStatus

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Engine, text

from rl_emails_api.identity.principal import Principal
from rl_emails_api.problems import ProblemError
from rl_emails_api.transactions import transaction_of

KEEP_SECONDS = 24 * 3600
LEASE_SECONDS = 60
"""After so long a request that neither did anything nor ended is dead, and the key may be claimed anew."""
_NONCE_BYTES = 12

_CLAIM = text(
    """
    insert into app.idempotency_keys as known
        (organization_id, user_id, key_hash, fingerprint, claim_id, expires_at)
    values
        (:organization_id, :user_id, :key_hash, :fingerprint, :claim_id, now() + make_interval(secs => :keep_seconds))
    on conflict (organization_id, user_id, key_hash) do update set
        fingerprint = excluded.fingerprint, claim_id = excluded.claim_id, claimed_at = now(), committed_at = null,
        status = null, sealed_answer = null, expires_at = excluded.expires_at
    where
        known.expires_at <= now()
        or (
            known.committed_at is null and known.status is null and known.fingerprint = excluded.fingerprint
            and known.claimed_at < now() - make_interval(secs => :lease_seconds)
        )
    returning claim_id
    """
)
_KNOWN = text(
    """
    select fingerprint, committed_at is not null as is_committed, status, sealed_answer,
        claimed_at < now() - make_interval(secs => :lease_seconds) as is_lapsed
    from app.idempotency_keys
    where organization_id = :organization_id and user_id = :user_id and key_hash = :key_hash
    """
)
_MARK = text("update app.idempotency_keys set committed_at = now() where claim_id = :claim_id and committed_at is null")
_KEEP = text(
    "update app.idempotency_keys set committed_at = coalesce(committed_at, now()), status = :status, "
    "sealed_answer = :sealed_answer where claim_id = :claim_id"
)
_RELEASE = text("delete from app.idempotency_keys where claim_id = :claim_id and committed_at is null")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered to a request."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Claim:
    """A request's hold on its key."""

    def __init__(self, engine: Engine, principal: Principal, key: str, fingerprint: bytes) -> None:
        self._engine = engine
        self._principal = principal
        self._fingerprint = fingerprint
        self._claim_id = uuid.uuid4()
        self._row = {
            "organization_id": principal.organization_id,
            "user_id": principal.user_id,
            "key_hash": hashlib.sha256(b"rl-emails idempotency key\0" + key.encode()).digest(),
        }
        self._seal = AESGCM(hashlib.sha256(b"rl-emails idempotency answer\0" + key.encode()).digest())

    def take(self) -> Answer | None:
        """None when the request is to be done now; else what was answered to the first one.

        Raises a problem: 422 when the first one was another request, 409 while it is being done.
        """
        with transaction_of(self._engine, self._principal) as connection:
            values = {
                **self._row, "fingerprint": self._fingerprint, "claim_id": self._claim_id,
                "keep_seconds": KEEP_SECONDS, "lease_seconds": LEASE_SECONDS,
            }  # fmt: skip
            if connection.execute(_CLAIM, values).first() is not None:
                return None
            known = connection.execute(_KNOWN, {**self._row, "lease_seconds": LEASE_SECONDS}).one_or_none()
        if known is None:
            # The first one was released between the two statements.
            raise _in_progress()
        if bytes(known.fingerprint) != self._fingerprint:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "This Idempotency-Key was sent with another request before. Send a new key with each new request.",
            )
        if known.status is not None:
            return self._open(known.status, bytes(known.sealed_answer))
        if known.is_committed and known.is_lapsed:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "idempotency-answer-lost",
                "The first request with this Idempotency-Key was done, and its answer was lost when the server ended. "
                "Read what it changed; send nothing again.",
            )
        raise _in_progress()

    def mark(self, connection: Connection) -> None:
        """In the transaction of the request itself: that it was done and that the key is used become true at once.

        Raises a 409 problem, which rolls everything back, when another request has taken the key over.
        """
        if connection.execute(_MARK, {"claim_id": self._claim_id}).rowcount == 0:
            raise _in_progress()

    def keep(self, answer: Answer) -> None:
        """Keep the answer for the next request with the key."""
        plain = json.dumps(answer.headers).encode() + b"\n" + answer.body
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._seal.encrypt(nonce, plain, self._fingerprint)
        with transaction_of(self._engine, self._principal) as connection:
            connection.execute(_KEEP, {"claim_id": self._claim_id, "status": answer.status, "sealed_answer": sealed})

    def release(self) -> None:
        """Nothing was done: the key is free again. Where something was, the key stays used."""
        with transaction_of(self._engine, self._principal) as connection:
            connection.execute(_RELEASE, {"claim_id": self._claim_id})

    def _open(self, status: int, sealed: bytes) -> Answer:
        plain = self._seal.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._fingerprint)
        headers, _, body = plain.partition(b"\n")
        return Answer(status, [(name, value) for name, value in json.loads(headers)], body)


def _in_progress() -> ProblemError:
    return ProblemError(
        HTTPStatus.CONFLICT,
        "idempotency-key-in-use",
        "A request with this Idempotency-Key is being done. Send it again in a moment for its answer.",
        headers={"Retry-After": "1"},
    )
