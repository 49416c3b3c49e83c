"""Rows of models.versions and models.trainings: what was learned when, and what of it serves.

Reading only, but for what a training writes; what begins or ends to serve is in models_serving.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from rl_emails_assets.db.tables import app, models

Kind = Literal["ranker", "classifier"]
FEEDBACK_OF: dict[Kind, str] = {"ranker": "importance", "classifier": "category"}
"""Which corrections teach which kind of model."""


@dataclass(frozen=True, slots=True)
class Version:
    """A row of models.versions."""

    model_id: uuid.UUID
    mailbox_id: uuid.UUID
    kind: str
    version: str
    weights: Mapping[str, Any]
    trained_from: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    state: str
    is_passed: bool
    is_rolled_back: bool
    reason: str
    took_over_from: uuid.UUID | None
    moved_count: int
    run_id: str
    created_at: datetime
    served_at: datetime | None
    applied_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "Version":
        """From a row with all of the table's columns."""
        return cls(**{name: row[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What a training made, before anything serves it."""

    version: str
    weights: Mapping[str, Any]
    trained_from: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    is_passed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The corrections there are of a kind: how many, and the newest."""

    count: int
    newest_at: datetime | None


def serving(connection: Connection, mailbox_id: uuid.UUID, kind: Kind) -> Version | None:
    """The model of this kind that serves the mailbox; None when what all share serves alone."""
    columns = models.versions.c
    row = (
        connection.execute(
            select(models.versions).where(
                columns.mailbox_id == mailbox_id, columns.kind == kind, columns.state == "serving"
            )
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else Version.from_row(row)


def by_id(connection: Connection, mailbox_id: uuid.UUID, model_id: uuid.UUID) -> Version | None:
    """A model of the mailbox."""
    columns = models.versions.c
    query = select(models.versions).where(columns.mailbox_id == mailbox_id, columns.model_id == model_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Version.from_row(row)


def listed(connection: Connection, mailbox_id: uuid.UUID) -> list[Version]:
    """Every model of the mailbox, newest first."""
    columns = models.versions.c
    query = (
        select(models.versions)
        .where(columns.mailbox_id == mailbox_id)
        .order_by(columns.created_at.desc(), columns.model_id)
    )
    return [Version.from_row(row) for row in connection.execute(query).mappings()]


def waiting(connection: Connection, mailbox_id: uuid.UUID, kind: Kind) -> Version | None:
    """The newest candidate that the gate let through and nothing has promoted yet."""
    return next(
        (
            each
            for each in listed(connection, mailbox_id)
            if each.kind == kind and each.state == "candidate" and each.is_passed
        ),
        None,
    )


def heard(connection: Connection, mailbox_id: uuid.UUID, kind: Kind) -> Heard:
    """The corrections there are now."""
    columns = app.feedback.c
    count, newest_at = connection.execute(
        select(func.count(), func.max(columns.created_at)).where(
            columns.mailbox_id == mailbox_id, columns.kind == FEEDBACK_OF[kind]
        )
    ).one()
    return Heard(count, newest_at)


def last_training(connection: Connection, mailbox_id: uuid.UUID, kind: Kind) -> RowMapping | None:
    """The mailbox's row of models.trainings."""
    columns = models.trainings.c
    query = select(models.trainings).where(columns.mailbox_id == mailbox_id, columns.kind == kind)
    return connection.execute(query).mappings().one_or_none()


def rolled_back_at(connection: Connection, mailbox_id: uuid.UUID, kind: Kind) -> datetime | None:
    """When the owner last took a model of this kind back."""
    columns = models.versions.c
    at: datetime | None = connection.execute(
        select(func.max(columns.ended_at)).where(
            columns.mailbox_id == mailbox_id, columns.kind == kind, columns.is_rolled_back
        )
    ).scalar_one()
    return at


def store(
    connection: Connection, mailbox_id: uuid.UUID, kind: Kind, run_id: str, candidates: list[Candidate]
) -> list[uuid.UUID]:
    """Add what a training made; candidates of earlier ones that never served end. Returns the new ids, in order."""
    if not candidates:
        return []
    connection.execute(
        text(
            "update models.versions set state = 'rejected', ended_at = clock_timestamp(), "
            "reason = 'A later training took its place before it served. ' || reason "
            "where mailbox_id = :mailbox_id and kind = :kind and state = 'candidate'"
        ),
        {"mailbox_id": mailbox_id, "kind": kind},
    )
    ids: list[uuid.UUID] = []
    for candidate in candidates:
        ids.append(uuid.uuid4())
        connection.execute(
            insert(models.versions).values(
                model_id=ids[-1],
                mailbox_id=mailbox_id,
                kind=kind,
                version=candidate.version,
                weights=dict(candidate.weights),
                trained_from=dict(candidate.trained_from),
                evaluation=dict(candidate.evaluation),
                state="candidate" if candidate.is_passed else "rejected",
                is_passed=candidate.is_passed,
                reason=candidate.reason,
                run_id=run_id,
                created_at=func.clock_timestamp(),
                ended_at=None if candidate.is_passed else func.clock_timestamp(),
            )
        )
    return ids


@dataclass(frozen=True, slots=True)
class Fit:
    """What a fit had seen, whether or not it made a model that serves."""

    outcome_count: int
    evidence_hash: bytes


def note_training(
    connection: Connection,
    mailbox_id: uuid.UUID,
    kind: Kind,
    run_id: str,
    *,
    seen: Heard,
    fit: Fit | None,
    model_id: uuid.UUID | None,
    note: str,
) -> None:
    """Say what a training had seen and what came of it, in its transaction: what came since is still to be learned.

    Without a fit, what was done since the last one still waits for the next.
    """
    values: dict[str, Any] = {
        "feedback_count": seen.count,
        "feedback_at": seen.newest_at,
        "model_id": model_id,
        "note": note,
        "run_id": run_id,
        "trained_at": func.now(),
    }
    new: dict[str, Any] = {"outcome_count": 0, "evidence_hash": b"", "looked_at": None}
    if fit is not None:
        new = {"outcome_count": fit.outcome_count, "evidence_hash": fit.evidence_hash, "looked_at": func.now()}
    connection.execute(
        upsert(models.trainings)
        .values(mailbox_id=mailbox_id, kind=kind, **values, **new)
        .on_conflict_do_update(index_elements=["mailbox_id", "kind"], set_=values if fit is None else {**values, **new})
    )


def note_look(connection: Connection, mailbox_id: uuid.UUID, kind: Kind) -> None:
    """Say that outcomes were looked through and were not enough for a fit."""
    columns = models.trainings.c
    connection.execute(
        update(models.trainings)
        .where(columns.mailbox_id == mailbox_id, columns.kind == kind)
        .values(looked_at=func.now())
    )


def evidence_hash(evidence: object) -> bytes:
    """SHA-256 of plain values: the same evidence teaches nothing new."""
    return hashlib.sha256(json.dumps(evidence, sort_keys=True, default=str).encode()).digest()
