"""What if: a candidate model or a rule laid over a mailbox's real history, beside what serves, before it serves.

A rule ("mail from this address matters") becomes a candidate like any other: it is stored with the messages it would
move, and serves only when its owner promotes it. Another file of shared weights is laid over and reported; it belongs
to a release, not to a mailbox.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, text

from rl_emails_assets.db.tables import models
from rl_emails_assets.errors import NotFoundError
from rl_emails_assets.ranking.ranker import Ranker
from rl_emails_assets.steps import models_classifier, models_ranker, rank_inputs
from rl_emails_assets.steps import models_gate as gate
from rl_emails_assets.steps import models_shifts as shifts
from rl_emails_assets.steps import models_versions as versions
from rl_emails_assets.steps.models_gate import Correction
from rl_emails_assets.steps.models_ranker import MOST_MESSAGES
from rl_emails_assets.steps.models_serving import person_of
from rl_emails_assets.steps.models_shifts import Shift
from rl_emails_assets.steps.models_versions import Version
from rl_emails_assets.steps.priorities import loaded
from rl_emails_assets.steps.rank_inputs import Ranked

FIRST_PAGE = 50
"""Places that count as the top of the inbox."""


@dataclass(frozen=True, slots=True)
class Section:
    """The messages of one category, and how many of them go up and down."""

    category: str
    message_count: int
    up_count: int
    down_count: int


@dataclass(frozen=True, slots=True)
class Report:
    """What would move."""

    message_count: int
    moved_count: int
    to_first_page_count: int
    from_first_page_count: int
    sections: list[Section]
    shifts: list[Shift]
    """Those that move farthest first."""


def of_model(connection: Connection, mailbox_id: uuid.UUID, model: Version) -> Report:
    """What a stored model would move from where things stand now; written down with it unless it serves.

    Raises ModelFileError when the model's weights cannot be used.
    """
    items = rank_inputs.newest(connection, mailbox_id, MOST_MESSAGES)
    if model.kind == "classifier":
        found = models_classifier.of_version(connection, mailbox_id, model).shifts
    else:
        found = _between(_serving(connection, mailbox_id), loaded().with_person(person_of(model)), items)
    if model.state != "serving":
        shifts.store(connection, mailbox_id, model.model_id, found)
    return _report(items, found)


def of_rule(
    connection: Connection, mailbox_id: uuid.UUID, sender: str, *, is_important: bool, run_id: str
) -> tuple[Version, Report]:
    """What it would move to say of all mail from `sender` that it matters, or does not: a candidate, and its report.

    Raises NotFoundError when the mailbox has no mail from there.
    """
    address = sender.strip().lower()
    evidence = models_ranker.gather(connection, mailbox_id, loaded())
    theirs = [each for each in evidence.items if each.message.sender == address]
    if not theirs:
        raise NotFoundError(f"This mailbox has no mail from {address!r}. `rl-emails inbox` shows who writes.")
    # As often as counts: a rule is said with emphasis.
    said = [
        Correction(each.message, is_important, each.received_at, datetime.now(UTC))
        for each in theirs[-len(gate.INSTRUCTED) :]
    ]
    others = [each for each in evidence.corrections if each.message.sender != address]
    made = models_ranker.by_rule(evidence, [*others, *said])
    model_id = uuid.uuid4()
    connection.execute(
        insert(models.versions).values(
            model_id=model_id,
            mailbox_id=mailbox_id,
            kind="ranker",
            version=made.version,
            weights=dict(made.weights),
            trained_from=dict(made.trained_from),
            evaluation=dict(made.evaluation),
            state="candidate",
            is_passed=False,
            reason=f"A rule of its owner: mail from {address} {'matters' if is_important else 'does not matter'}.",
            run_id=run_id,
        )
    )
    model = versions.by_id(connection, mailbox_id, model_id)
    if model is None:
        raise NotFoundError(f"Model {model_id} is not there although it was just stored.")
    return model, of_model(connection, mailbox_id, model)


def of_weights(connection: Connection, mailbox_id: uuid.UUID, path: Path) -> Report:
    """What another file of shared weights would move, with the mailbox's own part on top of it as now.

    Raises ModelFileError when the file is no ranker of this release.
    """
    items = rank_inputs.newest(connection, mailbox_id, MOST_MESSAGES)
    part = person_of(versions.serving(connection, mailbox_id, "ranker"))
    return _report(items, _between(_serving(connection, mailbox_id), Ranker.load(path).with_person(part), items))


def recorded(connection: Connection, mailbox_id: uuid.UUID, model: Version) -> Report:
    """What was written down when the model was made: what it moved, or would have."""
    rows = connection.execute(
        text(
            "select message_id, score_before, score_after, place_before, place_after, category_before, category_after "
            "from models.shifts where model_id = :model_id and mailbox_id = :mailbox_id "
            "order by abs(score_after - score_before) desc, message_id"
        ),
        {"model_id": model.model_id, "mailbox_id": mailbox_id},
    ).mappings()
    found = [Shift(**row) for row in rows]
    return _report(rank_inputs.newest(connection, mailbox_id, MOST_MESSAGES), found)


def subjects(connection: Connection, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str]]:
    """Subject and sender's address by message."""
    rows = connection.execute(
        text("select message_id, subject, from_address from mail.messages where message_id = any(:ids)"),
        {"ids": list(ids)},
    )
    return {row.message_id: (row.subject, row.from_address) for row in rows}


def _serving(connection: Connection, mailbox_id: uuid.UUID) -> Ranker:
    return loaded().with_person(person_of(versions.serving(connection, mailbox_id, "ranker")))


def _between(before: Ranker, after: Ranker, items: list[Ranked]) -> list[Shift]:
    return shifts.shifts_between(shifts.scored_by(before), shifts.scored_by(after), items)


def _report(items: list[Ranked], found: list[Shift]) -> Report:
    counts = Counter(each.message.category or "" for each in items)
    up: Counter[str] = Counter()
    down: Counter[str] = Counter()
    for each in found:
        (up if each.score_after > each.score_before else down)[each.category_before] += 1
    sections = [
        Section(category, counts[category], up[category], down[category])
        for category in sorted(counts, key=lambda name: (-(up[name] + down[name]), name))
    ]
    return Report(
        message_count=len(items),
        moved_count=len(found),
        to_first_page_count=sum(each.place_after <= FIRST_PAGE < each.place_before for each in found),
        from_first_page_count=sum(each.place_before <= FIRST_PAGE < each.place_after for each in found),
        sections=sections,
        shifts=found,
    )


def as_json(report: Report, said: dict[uuid.UUID, tuple[str, str]], most: int) -> dict[str, Any]:
    """The report for scripts, with the `most` messages that move farthest."""
    return {
        "message_count": report.message_count,
        "moved_count": report.moved_count,
        "to_first_page_count": report.to_first_page_count,
        "from_first_page_count": report.from_first_page_count,
        "sections": [
            {"category": each.category, "messages": each.message_count, "up": each.up_count, "down": each.down_count}
            for each in report.sections
        ],
        "top": [
            {
                "message_id": each.message_id,
                "subject": said.get(each.message_id, ("", ""))[0],
                "from_address": said.get(each.message_id, ("", ""))[1],
                "score_before": each.score_before,
                "score_after": each.score_after,
                "place_before": each.place_before,
                "place_after": each.place_after,
            }
            for each in report.shifts[:most]
        ],
    }
