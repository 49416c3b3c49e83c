"""models.classifier: what a mailbox's corrections of categories say of the next mail like it, as a candidate.

Signs are counted, not fitted: one correction is enough for the next mail of its sender. A candidate may serve when it
carries the corrections out, no worse than what serves on those it had not seen, and without turning the mailbox over.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, text

from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.learned import Corrected, LearnedSigns
from rl_emails_assets.classification.verdict import CATEGORIES, Category, Verdict
from rl_emails_assets.ranking.ranker import Ranker
from rl_emails_assets.steps import classifications_messages as verdicts
from rl_emails_assets.steps import models_shifts as shifts
from rl_emails_assets.steps import models_versions as versions
from rl_emails_assets.steps import rank_inputs
from rl_emails_assets.steps.context import StepContext, StepResult, timed
from rl_emails_assets.steps.models_ranker import MOST_MESSAGES, NOTHING
from rl_emails_assets.steps.models_serving import serving_person, signs_of
from rl_emails_assets.steps.models_shifts import Shift
from rl_emails_assets.steps.models_versions import Candidate, Version
from rl_emails_assets.steps.priorities import ranker_of
from rl_emails_assets.steps.rank_inputs import Ranked

VERSION = "1"
NAME = "models.classifier"
ENOUGH_TO_TEST = 10
"""Corrections in the newest part; with fewer no comparison says anything."""
TRAIN_SHARE = 0.7
MOST_TURNED_SHARE = 0.5
"""Of a mailbox that corrections may call something else, where it has any size."""
TURNED_FROM_COUNT = 200

# The owner's last word on each message; what it was called before the first one.
_CORRECTED = text(
    """
    select distinct on (f.message_id) f.message_id, m.from_address, m.subject, m.received_at,
           coalesce(m.headers->>'list-id', '') as list_id, f.value as now, f.created_at as at,
           coalesce(
               (select o.was->>'category' from app.feedback o
                where o.message_id = f.message_id and o.kind = 'category' and o.was ? 'category'
                order by o.created_at, o.feedback_id limit 1),
               c.category, f.value) as was
    from app.feedback f
    join mail.messages m using (message_id)
    left join classifications.messages c using (message_id)
    where f.mailbox_id = :mailbox_id and f.kind = 'category'
    order by f.message_id, f.created_at desc, f.feedback_id
    """
)

_PLACES = text(
    "select message_id, from_address, subject, coalesce(headers->>'list-id', '') as list_id from mail.messages "
    "where message_id = any(:ids)"
)


@dataclass(frozen=True, slots=True)
class Said:
    """A correction and the message it was made on."""

    message_id: uuid.UUID
    corrected: Corrected


@dataclass(frozen=True, slots=True)
class Laid:
    """Candidate signs laid over a mailbox beside those that serve."""

    shifts: list[Shift]
    message_count: int

    @property
    def turned_count(self) -> int:
        """Messages that would be called something else."""
        return sum(each.category_before != each.category_after for each in self.shifts)


def run(step: StepContext) -> StepResult:
    """Make a candidate, if corrections came or went, and write down what it would move."""
    result = StepResult(counts={"corrections": 0})
    with timed(result), step.alone(NAME):
        with step.engine.begin() as connection:
            seen = versions.heard(connection, step.mailbox_id, "classifier")
            last = versions.last_training(connection, step.mailbox_id, "classifier")
            is_seen = last is not None and (last["feedback_count"], last["feedback_at"]) == (seen.count, seen.newest_at)
            if (is_seen or (last is None and not seen.count)) and not step.scope.force:
                return result
            said = _said(connection, step.mailbox_id)
            serving = versions.serving(connection, step.mailbox_id, "classifier")
            held_since = versions.rolled_back_at(connection, step.mailbox_id, "classifier")
            signs = LearnedSigns.from_corrections([each.corrected for each in said]) if said else None
            laid = lay_over(connection, step.mailbox_id, signs)
            evaluation, why = _judged(connection, step.mailbox_id, said, signs, laid)
        result.counts["corrections"] = len(said)
        version = NOTHING if signs is None else signs.version
        is_held = held_since is not None and not any(each.corrected.at > held_since for each in said)
        is_new = not is_held and version != (NOTHING if serving is None else serving.version)
        with step.commit() as connection:
            model_id: uuid.UUID | None = None
            note = "You took the last model back; your next correction begins anew."
            if not is_held:
                note = "Nothing new: what serves says the same."
            if is_new:
                candidate = _candidate(said, signs, version, evaluation, why)
                note = candidate.reason
                (model_id,) = versions.store(connection, step.mailbox_id, "classifier", step.run_id, [candidate])
                shifts.store(connection, step.mailbox_id, model_id, laid.shifts)
                result.counts["refused" if why else "passed"] = 1
                result.row_count = 1
            versions.note_training(
                connection,
                step.mailbox_id,
                "classifier",
                step.run_id,
                seen=seen,
                fit=None,
                model_id=model_id,
                note=note,
            )
    return result


def lay_over(connection: Connection, mailbox_id: uuid.UUID, signs: LearnedSigns | None) -> Laid:
    """Which messages these signs call something else than what serves does, and where that puts them."""
    before = signs_of(versions.serving(connection, mailbox_id, "classifier"))
    items = rank_inputs.newest(connection, mailbox_id, MOST_MESSAGES)
    by_id = {each.message_id: each for each in items}
    told: dict[uuid.UUID, tuple[Mapping[Category, float], Mapping[Category, float]]] = {}
    for row in connection.execute(_PLACES, {"ids": list(by_id)}):
        was, now = (_signs_for(each, row.from_address, row.list_id, row.subject) for each in (before, signs))
        if was != now:
            told[row.message_id] = (was, now)
    engine = ranker_of(serving_person(connection, mailbox_id))
    inputs = verdicts.inputs_of(connection, mailbox_id, list(told))
    items_before: dict[uuid.UUID, Ranked] = {}
    items_after: dict[uuid.UUID, Ranked] = {}
    for message_id, (was, now) in told.items():
        if message_id in inputs:
            items_before[message_id] = _judged_as(by_id[message_id], _verdict(inputs[message_id], was))
            items_after[message_id] = _judged_as(by_id[message_id], _verdict(inputs[message_id], now))
    return Laid(_shifts(engine, items, items_before, items_after), len(items))


def _shifts(
    engine: Ranker,
    items: Sequence[Ranked],
    items_before: Mapping[uuid.UUID, Ranked],
    items_after: Mapping[uuid.UUID, Ranked],
) -> list[Shift]:
    if not items_before:
        return []
    score = shifts.scored_by(engine)
    before = [items_before.get(each.message_id, each) for each in items]
    after = [items_after.get(each.message_id, each) for each in items]
    scores_before = [score(each.message) for each in before]
    scores_after = [
        score(each.message) if each.message_id in items_after else stood
        for each, stood in zip(after, scores_before, strict=True)
    ]
    return shifts.shifts_of(before, scores_before, after, scores_after)


def _verdict(inputs: ClassifierInput, signs: Mapping[Category, float]) -> Verdict:
    return verdicts.loaded().classify(replace(inputs, learned=signs))


def _signs_for(signs: LearnedSigns | None, from_address: str, list_id: str, subject: str) -> Mapping[Category, float]:
    return {} if signs is None else signs.signs_for(from_address, list_id, subject)


def _judged_as(item: Ranked, verdict: Verdict) -> Ranked:
    message = replace(
        item.message,
        category=verdict.category,
        needs=verdict.needs,
        urgency=verdict.urgency,
        confidence=verdict.confidence,
    )
    return replace(item, message=message)


def _said(connection: Connection, mailbox_id: uuid.UUID) -> list[Said]:
    rows = connection.execute(_CORRECTED, {"mailbox_id": mailbox_id})
    found = [
        Said(
            row.message_id,
            Corrected(
                from_address=row.from_address,
                list_id=row.list_id,
                subject=row.subject,
                was=row.was if row.was in CATEGORIES else row.now,
                now=row.now,
                at=row.at,
            ),
        )
        for row in rows
        if row.now in CATEGORIES
    ]
    return sorted(found, key=lambda each: (each.corrected.at, str(each.message_id)))


def _judged(
    connection: Connection, mailbox_id: uuid.UUID, said: list[Said], signs: LearnedSigns | None, laid: Laid
) -> tuple[dict[str, Any], str]:
    """What the candidate was measured to be, and why it may not serve ("" where it may)."""
    if signs is None:
        return {}, ""
    inputs = verdicts.inputs_of(connection, mailbox_id, [each.message_id for each in said])
    known = [each for each in said if each.message_id in inputs]
    carried_out = _right_count(known, inputs, signs)
    found: dict[str, Any] = {
        "corrections": len(known),
        "carried_out": carried_out,
        "right_without": _right_count(known, inputs, None),
        "turned": laid.turned_count,
    }
    if laid.message_count >= TURNED_FROM_COUNT and laid.turned_count > MOST_TURNED_SHARE * laid.message_count:
        return found, f"It would call {laid.turned_count} of {laid.message_count} messages something else."
    cut = int(len(known) * TRAIN_SHARE)
    if len(known) - cut >= ENOUGH_TO_TEST:
        earlier = LearnedSigns.from_corrections([each.corrected for each in known[:cut]])
        newest = known[cut:]
        with_signs, without = _right_count(newest, inputs, earlier), _right_count(newest, inputs, None)
        found["comparison"] = {"test_count": len(newest), "right": with_signs, "right_without": without}
        if with_signs < without:
            return found, (
                f"Signs from your earlier corrections get {with_signs} of your newest {len(newest)} right, "
                f"and none at all {without}."
            )
    if known and not carried_out:
        return found, "It does not carry out any of your corrections: surer signs decide about that mail."
    return found, ""


def _right_count(said: Sequence[Said], inputs: Mapping[uuid.UUID, ClassifierInput], signs: LearnedSigns | None) -> int:
    right = 0
    for each in said:
        place = each.corrected
        learned = _signs_for(signs, place.from_address, place.list_id, place.subject)
        right += _verdict(inputs[each.message_id], learned).category == place.now
    return right


def _candidate(
    said: list[Said], signs: LearnedSigns | None, version: str, evaluation: dict[str, Any], why: str
) -> Candidate:
    reason = why or (
        "Nothing of what it had learned is left; the classifier that all share serves alone."
        if signs is None
        else f"It carries out {evaluation['carried_out']} of your {evaluation['corrections']} corrected categories."
    )
    return Candidate(
        version=version,
        weights={} if signs is None else signs.to_json(),
        trained_from={
            "corrections": len(said),
            "until": said[-1].corrected.at.isoformat() if said else None,
            "rule": "instruction",
        },
        evaluation=evaluation,
        is_passed=not why,
        reason=reason,
    )


def of_version(connection: Connection, mailbox_id: uuid.UUID, model: Version) -> Laid:
    """A stored classifier laid over the mailbox, beside what serves now."""
    return lay_over(connection, mailbox_id, signs_of(model))
