"""models.serving: which model serves a mailbox, and every change of that, each in one transaction.

At most one model of a kind serves a mailbox (a unique index says so); where none does, the weights that all share serve
alone. Each change asks for a sync in its own transaction: that run finds every decision of another version pending.
"""

import math
import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, func, text, update

from rl_emails_assets.classification.learned import LearnedSigns
from rl_emails_assets.db.tables import models
from rl_emails_assets.errors import ModelFileError, NotFoundError
from rl_emails_assets.ranking.personal_part import PersonalPart
from rl_emails_assets.steps import models_versions as versions
from rl_emails_assets.steps.context import StepContext, StepResult, timed
from rl_emails_assets.steps.models_versions import Kind, Version
from rl_emails_assets.steps.per_message import count
from rl_emails_assets.sync_queue import queue

VERSION = "1"
NAME = "models.serving"


@dataclass(frozen=True, slots=True)
class Change:
    """What began and what ended to serve, and how many messages that moves."""

    kind: str
    before: Version | None
    after: Version | None
    moved_count: int


def serving_person(connection: Connection, mailbox_id: uuid.UUID) -> PersonalPart | None:
    """The mailbox's own part of the ranker; None where the shared weights serve alone.

    One that cannot be read ends to serve, with the reason in its row: mail is ranked without it, not left unranked.
    """
    model = versions.serving(connection, mailbox_id, "ranker")
    try:
        return person_of(model)
    except ModelFileError as error:
        if model is not None:
            _end(connection, model, str(error), is_rolled_back=False)
        return None


def serving_signs(connection: Connection, mailbox_id: uuid.UUID) -> LearnedSigns | None:
    """What the mailbox's corrections of categories taught; None where the shared classifier serves alone.

    Signs that cannot be read end to serve, with the reason in their row.
    """
    model = versions.serving(connection, mailbox_id, "classifier")
    try:
        return signs_of(model)
    except ModelFileError as error:
        if model is not None:
            _end(connection, model, str(error), is_rolled_back=False)
        return None


def signs_of(model: Version | None) -> LearnedSigns | None:
    """The signs that a model holds. Raises ModelFileError when they are no numbers."""
    if model is None or not model.weights:
        return None
    try:
        signs = LearnedSigns.from_json(model.weights)
        numbers = [weight for found in signs.weights.values() for weight in found.values()]
    except (AttributeError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"The signs {model.version} cannot be read ({error!r}); correct a category again."
        ) from error
    if not all(math.isfinite(number) for number in numbers):
        raise ModelFileError(f"The signs {model.version} hold a weight that is no number; correct a category again.")
    return signs


def person_of(model: Version | None) -> PersonalPart | None:
    """The part of the ranker that a model holds."""
    return PersonalPart.from_json(model.weights) if model is not None and model.weights else None


def run(step: StepContext) -> StepResult:
    """Let every candidate that its gate let through serve. Done again, it changes nothing."""
    result = StepResult()
    with timed(result), step.alone(NAME), step.commit() as connection:
        kinds: tuple[Kind, ...] = ("ranker", "classifier")
        for kind in kinds:
            candidate = versions.waiting(connection, step.mailbox_id, kind)
            if candidate is not None:
                promote(connection, candidate)
                count(result, f"promoted_{kind}")
                result.row_count += 1
    return result


def promote(connection: Connection, model: Version, *, why: str = "") -> Change:
    """Let a model serve its mailbox in the place of the one that does.

    Raises ModelFileError when its weights cannot be used; then nothing changes.
    """
    require_usable(model)
    kind: Kind = "ranker" if model.kind == "ranker" else "classifier"
    _lock(connection, model.mailbox_id)
    before = versions.serving(connection, model.mailbox_id, kind)
    if before is not None and before.model_id == model.model_id:
        return Change(kind, before, before, 0)
    if before is not None:
        _end(connection, before, f"Model {model.version} took its place.", is_rolled_back=False)
    _begin(connection, model.model_id, why or model.reason, None if before is None else before.model_id)
    queue.enqueue(connection, model.mailbox_id, asked_by=queue.LEARNING)
    after = versions.by_id(connection, model.mailbox_id, model.model_id)
    return Change(kind, before, after, model.moved_count)


def roll_back(connection: Connection, mailbox_id: uuid.UUID, kind: Kind) -> Change:
    """Let the model serve that served before, or what all share where there was none. Raises NotFoundError when no
    model of the mailbox's own serves."""
    _lock(connection, mailbox_id)
    before = versions.serving(connection, mailbox_id, kind)
    if before is None:
        raise NotFoundError(
            f"No {kind} of this mailbox's own serves; the shared one does alone, and there is nothing to roll back."
        )
    former = _former(connection, before)
    _end(connection, before, "Rolled back by its owner.", is_rolled_back=True)
    if former is not None:
        require_usable(former)
        _begin(connection, former.model_id, f"Model {before.version} was rolled back.", former.took_over_from)
    queue.enqueue(connection, mailbox_id, asked_by=queue.LEARNING)
    after = None if former is None else versions.by_id(connection, mailbox_id, former.model_id)
    return Change(kind, before, after, before.moved_count)


def note_applied(connection: Connection, mailbox_id: uuid.UUID, kind: Kind, version: str | None) -> None:
    """Say that every message of the mailbox is decided with the model of that version, if it still serves."""
    columns = models.versions.c
    connection.execute(
        update(models.versions)
        .where(
            columns.mailbox_id == mailbox_id,
            columns.kind == kind,
            columns.state == "serving",
            columns.version == version,
            columns.applied_at.is_(None),
        )
        .values(applied_at=func.clock_timestamp())
    )


def require_usable(model: Version) -> None:
    """Raises ModelFileError for weights that are not numbers, or not of this release."""
    if model.kind == "ranker":
        person_of(model)
    else:
        signs_of(model)


def _former(connection: Connection, model: Version) -> Version | None:
    """The last model that served before this one and was not taken back itself."""
    seen = {model.model_id}
    at = model.took_over_from
    while at is not None and at not in seen:
        seen.add(at)
        found = versions.by_id(connection, model.mailbox_id, at)
        if found is None or not found.is_rolled_back:
            return found
        at = found.took_over_from
    return None


def _lock(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """Changes of what serves a mailbox wait for one another, whoever makes them."""
    connection.execute(
        text("select pg_advisory_xact_lock(hashtext(:mailbox), hashtext('what serves'))"), {"mailbox": str(mailbox_id)}
    )


def _end(connection: Connection, model: Version, reason: str, *, is_rolled_back: bool) -> None:
    connection.execute(
        update(models.versions)
        .where(models.versions.c.model_id == model.model_id)
        .values(state="retired", reason=reason, is_rolled_back=is_rolled_back, ended_at=func.clock_timestamp())
    )


def _begin(connection: Connection, model_id: uuid.UUID, reason: str, took_over_from: uuid.UUID | None) -> None:
    connection.execute(
        update(models.versions)
        .where(models.versions.c.model_id == model_id)
        .values(
            state="serving",
            reason=reason,
            took_over_from=took_over_from,
            is_rolled_back=False,
            served_at=func.clock_timestamp(),
            applied_at=None,
            ended_at=None,
        )
    )
