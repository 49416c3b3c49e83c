"""models.shifts: which messages a model moves, computed over the mailbox's real history beside what serves.

The same rows are the report before a model is promoted (`rl-emails models what-if`), what the owner is told that their
correction changed, and what a rollback takes back.
"""

import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.sql import func

from rl_emails_assets.db import bulk
from rl_emails_assets.db.tables import models, raw
from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.ranker import Ranker
from rl_emails_assets.steps.rank_inputs import Ranked

MOVED_FROM = 0.005
"""A score that changes by less is shown as the same number out of 100."""
MOST_ROWS = 5000
"""Of one model; those that move farthest. The count of all that move is with the model."""
KEPT_MODELS = 10
"""Of a mailbox, the newest: a report on an old model is not asked for, and its rows would pile up."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A message that moves: its score and place (from 1) by what serves, and by the model."""

    message_id: uuid.UUID
    score_before: float
    score_after: float
    place_before: int
    place_after: int
    category_before: str
    category_after: str


Score = Callable[[RankInput], float]


def scored_by(engine: Ranker) -> Score:
    """The score of a message by a ranker."""

    def score(message: RankInput) -> float:
        return 0.5 * (1.0 + math.tanh(0.5 * engine.log_odds(message)))

    return score


def shifts_between(before: Score, after: Score, items: Sequence[Ranked]) -> list[Shift]:
    """The messages whose score differs, those that move farthest first."""
    return shifts_of(items, [before(each.message) for each in items], items, [after(each.message) for each in items])


def shifts_of(
    items: Sequence[Ranked], before: Sequence[float], after_items: Sequence[Ranked], after: Sequence[float]
) -> list[Shift]:
    """The same for messages of which the inputs differ too, as where the category changes."""
    places_before, places_after = _places(items, before), _places(items, after)
    found = [
        Shift(
            was.message_id,
            one,
            other,
            places_before[was.message_id],
            places_after[was.message_id],
            was.message.category or "",
            now.message.category or "",
        )
        for was, one, now, other in zip(items, before, after_items, after, strict=True)
        if abs(other - one) >= MOVED_FROM or was.message.category != now.message.category
    ]
    return sorted(found, key=lambda each: (-abs(each.score_after - each.score_before), str(each.message_id)))


def _places(items: Sequence[Ranked], scores: Sequence[float]) -> dict[uuid.UUID, int]:
    """Places from 1, as the inbox orders: by score, then the newer first."""
    keyed: list[tuple[float, datetime, uuid.UUID]] = [
        (score, each.received_at, each.message_id) for each, score in zip(items, scores, strict=True)
    ]
    return {key[2]: place for place, key in enumerate(sorted(keyed, reverse=True), start=1)}


def store(connection: Connection, mailbox_id: uuid.UUID, model_id: uuid.UUID, shifts: Sequence[Shift]) -> None:
    """Put these rows in the place of the model's; old models of the mailbox lose theirs."""
    columns = models.shifts.c
    connection.execute(delete(models.shifts).where(columns.model_id == model_id))
    connection.execute(
        text(
            "delete from models.shifts where mailbox_id = :mailbox_id and model_id not in (select model_id from "
            "models.versions where mailbox_id = :mailbox_id order by created_at desc limit :kept)"
        ),
        {"mailbox_id": mailbox_id, "kept": KEPT_MODELS},
    )
    kept = shifts[:MOST_ROWS]
    there = _still_there(connection, [each.message_id for each in kept])
    rows: list[dict[str, Any]] = [
        {
            "model_id": model_id,
            "message_id": each.message_id,
            "mailbox_id": mailbox_id,
            "score_before": each.score_before,
            "score_after": each.score_after,
            "place_before": each.place_before,
            "place_after": each.place_after,
            "category_before": each.category_before,
            "category_after": each.category_after,
        }
        for each in kept
        if each.message_id in there
    ]
    bulk.copy_rows(connection, models.shifts, rows)
    connection.execute(
        update(models.versions).where(models.versions.c.model_id == model_id).values(moved_count=len(shifts))
    )


def _still_there(connection: Connection, ids: list[uuid.UUID]) -> set[uuid.UUID]:
    """Those that nobody removed since they were read; who wants to remove one waits for this transaction."""
    columns = raw.messages.c
    query = (
        select(columns.message_id).where(columns.message_id == func.any(ids)).with_for_update(key_share=True, read=True)
    )
    return set(connection.execute(query).scalars())
