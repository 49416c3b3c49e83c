"""What the gate said of the candidate that a run made: the question of the blocking check."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from rl_emails_assets.steps import models_versions as versions
from rl_emails_assets.steps.models_versions import Kind


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """Whether models/serving may go on, and why."""

    is_passed: bool
    reason: str
    version: str = ""
    evaluation: Mapping[str, Any] = field(default_factory=dict)


def verdict_on(connection: Connection, mailbox_id: uuid.UUID, kind: Kind, run_id: str) -> GateVerdict:
    """Of the newest candidate that this run made; one that an earlier run left waiting had its verdict already."""
    candidate = versions.waiting(connection, mailbox_id, kind)
    if candidate is not None:
        return GateVerdict(True, candidate.reason, candidate.version, candidate.evaluation)
    made = [each for each in versions.listed(connection, mailbox_id) if each.kind == kind and each.run_id == run_id]
    if made:
        return GateVerdict(made[0].is_passed, made[0].reason, made[0].version, made[0].evaluation)
    return GateVerdict(True, "This run made no candidate: there was nothing new to learn from.")
