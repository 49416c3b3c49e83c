"""models.ranker: a candidate for a mailbox's own part of the ranker, made of what its owner did and said.

A new correction is carried out at once, on top of what serves: the corrected sender's mail moves, and no other. Where
no correction is new, the part is fitted anew to all that was done and said, once there is enough more of it: compared
with what serves and with the baselines on the newest part of the owner's history, and only then fitted to all of it
(models_gate has the rules). Whether a candidate serves is decided by a check on this asset, and done by models.serving.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from rl_emails_assets.errors import ModelFileError
from rl_emails_assets.ranking import ranker
from rl_emails_assets.ranking.personal import CORRECTION_WEIGHT, Outcome, fit_person
from rl_emails_assets.ranking.personal_part import PersonalPart
from rl_emails_assets.ranking.ranker import Ranker
from rl_emails_assets.steps import models_gate as gate
from rl_emails_assets.steps import models_shifts as shifts
from rl_emails_assets.steps import models_versions as versions
from rl_emails_assets.steps import rank_inputs
from rl_emails_assets.steps.context import StepContext, StepResult, timed
from rl_emails_assets.steps.models_gate import Comparison, Correction, Settled
from rl_emails_assets.steps.models_serving import person_of
from rl_emails_assets.steps.models_versions import Candidate, Heard, Version
from rl_emails_assets.steps.priorities import loaded
from rl_emails_assets.steps.rank_inputs import Ranked

VERSION = "1"
NAME = "models.ranker"
MOST_MESSAGES = 20_000
"""The newest messages of a mailbox, from which it learns and over which a candidate is laid."""
MORE_OUTCOMES = 20
MORE_SHARE = 0.1
"""Without a new correction, training waits for so many more outcomes, and for this share more: a day's few teach
nothing that could be measured."""
NOTHING = "none"
"""The version of a candidate that takes a mailbox back to what all share."""

_OUTCOMES = text(
    "select message_id, acted, weight, settled_at, correction, corrected_at from models.behaviour "
    "where mailbox_id = :mailbox_id order by message_id"
)


@dataclass(slots=True)
class Evidence:
    """Everything that one training looks at."""

    shared: Ranker
    items: list[Ranked]
    settled: list[Settled]
    """What the owner did, without what they said."""
    corrections: list[Correction]
    digest: bytes
    heard: Heard
    serving: Version | None
    last: Any = None
    rolled_back_at: datetime | None = None
    waiting_version: str = ""
    """Of the candidate that the gate let through and nothing has promoted yet."""

    @property
    def outcome_count(self) -> int:
        """Settled messages, corrected ones included."""
        return len(self.settled) + len(self.corrections)

    @property
    def until(self) -> datetime | None:
        """When the newest of it was known."""
        known = [each.settled_at for each in self.settled] + [each.said_at for each in self.corrections]
        return max(known, default=None)

    @property
    def has_news(self) -> bool:
        """Whether corrections came, or went with their mail, since the last training."""
        if self.last is None:
            return self.heard.count > 0
        return (self.last["feedback_count"], self.last["feedback_at"]) != (self.heard.count, self.heard.newest_at)

    @property
    def new_corrections(self) -> int:
        """Corrections since the last training."""
        before = None if self.last is None else self.last["feedback_at"]
        return sum(before is None or each.said_at > before for each in self.corrections)


@dataclass(frozen=True, slots=True)
class Made:
    """A part with what it rests on, and whether it may serve."""

    part: PersonalPart | None
    base: PersonalPart | None
    """The part before instructions."""
    rule: str
    """behaviour (fitted, compared) or instruction (only corrected senders move)."""
    is_passed: bool
    reason: str
    comparison: Comparison | None = None
    disagreements: list[str] = field(default_factory=list)


def run(step: StepContext) -> StepResult:
    """Make a candidate, if there is something new to learn, and write down what it would move."""
    result = StepResult(counts={"outcomes": 0, "corrections": 0})
    with timed(result), step.alone(NAME):
        with step.engine.connect() as connection:
            evidence = gather(connection, step.mailbox_id, loaded())
        result.counts["outcomes"], result.counts["corrections"] = evidence.outcome_count, len(evidence.corrections)
        if not _is_due(evidence, is_forced=step.scope.force):
            with step.commit() as connection:
                versions.note_look(connection, step.mailbox_id, "ranker")
            return result
        made = train(evidence)
        before = shifts.scored_by(evidence.shared.with_person(_served(evidence)))
        with step.commit() as connection:
            candidates = [_candidate(evidence, each) for each in made]
            ids = versions.store(connection, step.mailbox_id, "ranker", step.run_id, candidates)
            for each, candidate, model_id in zip(made, candidates, ids, strict=True):
                if gate.is_sound(evidence.shared, each.part, []):
                    after = shifts.scored_by(evidence.shared.with_person(each.part))
                    moved = shifts.shifts_between(before, after, evidence.items)
                    shifts.store(connection, step.mailbox_id, model_id, moved)
                result.counts["passed" if candidate.is_passed else "refused"] = 1
            versions.note_training(
                connection,
                step.mailbox_id,
                "ranker",
                step.run_id,
                seen=evidence.heard,
                fit=None if evidence.has_news else versions.Fit(evidence.outcome_count, evidence.digest),
                model_id=ids[-1] if ids else None,
                note=made[-1].reason if made else _why_nothing(evidence),
            )
        result.row_count = len(made)
    return result


def gather(connection: Connection, mailbox_id: uuid.UUID, shared: Ranker) -> Evidence:
    """What there is to learn from now."""
    heard = versions.heard(connection, mailbox_id, "ranker")
    items = rank_inputs.newest(connection, mailbox_id, MOST_MESSAGES)
    by_id = {each.message_id: each for each in items}
    settled: list[Settled] = []
    corrections: list[Correction] = []
    said: list[tuple[str, float, float]] = []
    for row in connection.execute(_OUTCOMES, {"mailbox_id": mailbox_id}):
        item = by_id.get(row.message_id)
        if item is None:
            continue
        said.append((str(row.message_id), row.acted, row.weight))
        if row.correction is None:
            outcome = Outcome(message=item.message, acted=row.acted, weight=row.weight, received_at=item.received_at)
            settled.append(Settled(outcome, row.settled_at))
        else:
            is_important = row.correction == "important"
            corrections.append(Correction(item.message, is_important, item.received_at, row.corrected_at))
    waiting = versions.waiting(connection, mailbox_id, "ranker")
    return Evidence(
        shared,
        items,
        settled,
        corrections,
        versions.evidence_hash([said, shared.model_version, ranker.VERSION, VERSION]),
        heard,
        versions.serving(connection, mailbox_id, "ranker"),
        versions.last_training(connection, mailbox_id, "ranker"),
        versions.rolled_back_at(connection, mailbox_id, "ranker"),
        "" if waiting is None else waiting.version,
    )


def _is_due(evidence: Evidence, *, is_forced: bool) -> bool:
    last = evidence.last
    if is_forced or last is None or evidence.has_news or last["looked_at"] is None:
        return True
    if bytes(last["evidence_hash"]) == evidence.digest:
        return False
    serving = evidence.serving
    if serving is not None and serving.trained_from.get("shared_model") != evidence.shared.model_version:
        return True
    before = int(last["outcome_count"])
    more = evidence.outcome_count - before
    # Fewer than before: mail was removed, and what it taught has to be forgotten.
    return more < 0 or more >= max(MORE_OUTCOMES, MORE_SHARE * before)


def train(evidence: Evidence) -> list[Made]:
    """The candidates that the evidence makes, the one to serve last; none when it makes nothing new.

    A fit that may not serve is kept with the reason; what was said is then carried out on top of what serves.
    """
    if _is_held(evidence):
        return []
    made: list[Made] = []
    comparison = None
    if not evidence.has_news:
        comparison = gate.compare(evidence.shared, evidence.settled, _serving_until(evidence.serving))
    if comparison is not None:
        made.append(_fitted(evidence, comparison))
    if not made or not made[-1].is_passed:
        by_instruction = _instructed(evidence)
        if by_instruction is not None:
            made.append(by_instruction)
    known = {_version_served(evidence), evidence.waiting_version}
    return [each for each in made if _version_of(each.part) not in known]


def _is_held(evidence: Evidence) -> bool:
    """Whether the owner took a model back and has said nothing since."""
    at = evidence.rolled_back_at
    return at is not None and not any(each.said_at > at for each in evidence.corrections)


def _why_nothing(evidence: Evidence) -> str:
    if _is_held(evidence):
        return "You took the last model back; your next correction begins anew."
    if evidence.serving is not None:
        return "Nothing new: what serves says the same."
    return "There is too little to learn from yet; what all share serves alone."


def _fitted(evidence: Evidence, comparison: Comparison) -> Made:
    """A fit to all that was done, with what was said carried out on top of it."""
    said = [
        Outcome(
            message=each.message, acted=float(each.is_important), weight=CORRECTION_WEIGHT, received_at=each.said_at
        )
        for each in evidence.corrections
    ]
    base = fit_person(evidence.shared, [*(each.outcome for each in evidence.settled), *said])
    part = gate.instructed(evidence.shared, base, evidence.corrections)
    why = gate.why_refused(comparison)
    if not why:
        why = _why_unusable(evidence, base, part)
    reason = why or (
        f"It predicts what you did with your newest {comparison.test_count} messages: loss {comparison.loss:.3f} "
        f"against {comparison.loss_serving:.3f} of what served, AUC {comparison.auc:.3f} against "
        f"{comparison.auc_reply_rate:.3f} by how often you answered each sender."
    )
    return Made(part, base, "behaviour", not why, reason, comparison, _disagreements(evidence, base, part))


def _instructed(evidence: Evidence) -> Made | None:
    """What was said, carried out on top of what serves; None when that changes nothing."""
    base = _base_of(evidence.serving)
    part = gate.instructed(evidence.shared, base, evidence.corrections)
    if _version_of(part) == _version_served(evidence):
        return None
    why = _why_unusable(evidence, base, part)
    senders = len({each.message.sender for each in evidence.corrections if each.message.sender})
    reason = why or (
        f"It carries out your {len(evidence.corrections)} correction(s) on mail from {senders} sender(s), and moves no "
        "other mail."
        if part is not None and evidence.corrections
        else "Nothing of what it had learned is left; the model that all share serves alone."
    )
    return Made(part, base, "instruction", not why, reason, None, _disagreements(evidence, base, part))


def by_rule(evidence: Evidence, said: list[Correction]) -> Candidate:
    """What serves, with these words carried out on top of it in the place of the owner's corrections."""
    base = _base_of(evidence.serving)
    part = gate.instructed(evidence.shared, base, said)
    return _candidate(evidence, Made(part, base, "rule", is_passed=False, reason=""))


def _why_unusable(evidence: Evidence, base: PersonalPart | None, part: PersonalPart | None) -> str:
    if not gate.is_sound(evidence.shared, part, [each.message for each in evidence.items]):
        return "A weight or a score by it is not a number, or out of all bounds."
    if _disagreements(evidence, base, part):
        return "It leaves mail that you corrected on the other side of where you want it."
    return ""


def _disagreements(evidence: Evidence, base: PersonalPart | None, part: PersonalPart | None) -> list[str]:
    if not gate.is_sound(evidence.shared, part, []):
        return []
    return gate.disagreements(evidence.shared, base, part, evidence.corrections)


def _served(evidence: Evidence) -> PersonalPart | None:
    try:
        return person_of(evidence.serving)
    except ModelFileError:
        # The run that scores ends its service, with the reason; until then nothing of it counts.
        return None


def _base_of(serving: Version | None) -> PersonalPart | None:
    """What serves, without the instructions that were carried out on top of it."""
    base = None if serving is None else serving.weights.get("base")
    if not base:
        return None
    try:
        return PersonalPart.from_json(base)
    except ModelFileError:
        return None


def _serving_until(serving: Version | None) -> datetime | None:
    """Until when what serves had learned from behaviour."""
    if serving is None or not serving.weights.get("base") or not serving.trained_from.get("until"):
        return None
    return datetime.fromisoformat(serving.trained_from["until"])


def _version_of(part: PersonalPart | None) -> str:
    return NOTHING if part is None else part.version


def _version_served(evidence: Evidence) -> str:
    return NOTHING if evidence.serving is None else evidence.serving.version


def _candidate(evidence: Evidence, made: Made) -> Candidate:
    part, shared = made.part, evidence.shared
    weights: dict[str, Any] = {}
    scores: list[float] = []
    if part is not None and gate.is_sound(shared, part, []):
        weights = {**part.to_json(), "base": None if made.base is None else made.base.to_json()}
        score = shifts.scored_by(shared.with_person(part))
        scores = [score(each.message) for each in evidence.items]
    until = evidence.until
    return Candidate(
        version=_version_of(part),
        weights=weights,
        trained_from={
            "outcomes": evidence.outcome_count,
            "acted": sum(each.outcome.acted >= 0.5 for each in evidence.settled)
            + sum(each.is_important for each in evidence.corrections),
            "corrections": len(evidence.corrections),
            "new_corrections": evidence.new_corrections,
            "until": None if until is None else until.isoformat(),
            "shared_model": shared.model_version,
            "rule": made.rule,
        },
        evaluation={
            "comparison": None if made.comparison is None else made.comparison.as_json(),
            "disagreements": len(made.disagreements),
            "score_deciles": gate.deciles(scores),
        },
        is_passed=made.is_passed,
        reason=made.reason,
    )
