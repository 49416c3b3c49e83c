"""How what serves is doing on mail that came after it was made: drift of its scores, and their calibration.

Both look at all mailboxes, each by itself, and at no message that the model was made on.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from rl_emails_assets.evaluation.section import SEED
from rl_emails_assets.evaluation.statistics import bootstrap
from rl_emails_assets.ranking.measures import calibration_error
from rl_emails_assets.steps.models_gate import stability_index

DRIFT_LIMIT = 0.25
"""From here on it is another population, by the rule of thumb of credit scoring (Siddiqi, "Credit Risk Scorecards")."""
DRIFT_FROM_COUNT = 200
CALIBRATION_LIMIT = 0.05
CALIBRATION_FROM_COUNT = 200
"""With fewer messages the error of a perfect model is larger than the limit by chance alone."""
ROUNDS = 200

_LIVE_SCORES = text(
    """
    select v.mailbox_id, v.evaluation->'score_deciles' as deciles, array_agg(p.score order by p.message_id) as scores
    from models.versions v
    join priorities.messages p on p.mailbox_id = v.mailbox_id
    join signals.messages s on s.message_id = p.message_id and not s.is_from_owner
    where v.state = 'serving' and v.kind = 'ranker' and p.received_at > v.created_at
      and jsonb_array_length(v.evaluation->'score_deciles') > 0
    group by v.mailbox_id, v.evaluation
    having count(*) >= :from_count
    """
)

_SETTLED_SCORES = text(
    """
    select v.mailbox_id, p.score, b.acted, m.from_address
    from models.versions v
    join models.behaviour b on b.mailbox_id = v.mailbox_id and b.received_at > v.created_at and b.correction is null
    join priorities.messages p using (message_id)
    join mail.messages m using (message_id)
    where v.state = 'serving' and v.kind = 'ranker'
    order by v.mailbox_id, p.message_id
    """
)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A mailbox's expected calibration error with its 95 % interval, drawn by sender."""

    mailbox_id: str
    error: float
    low: float
    high: float
    count: int


def stability_indexes(connection: Connection) -> dict[str, float]:
    """By mailbox, the population stability index of the scores of mail that came after its model was made."""
    rows = connection.execute(_LIVE_SCORES, {"from_count": DRIFT_FROM_COUNT})
    return {str(row.mailbox_id): round(stability_index(row.deciles, row.scores), 4) for row in rows}


def calibrations(connection: Connection) -> list[Calibration]:
    """Of each mailbox with enough settled messages that came after its model was made."""
    of_mailbox: defaultdict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(_SETTLED_SCORES):
        of_mailbox[str(row.mailbox_id)].append(row)
    return [_calibration(key, rows) for key, rows in of_mailbox.items() if len(rows) >= CALIBRATION_FROM_COUNT]


def _calibration(mailbox_id: str, rows: list[Any]) -> Calibration:
    scores = np.array([row.score for row in rows])
    acted = np.array([row.acted for row in rows])
    low, high = bootstrap(
        lambda drawn: calibration_error(scores[drawn], acted[drawn]),
        [row.from_address for row in rows],
        seed=SEED,
        rounds=ROUNDS,
    )
    error = calibration_error(scores, acted)
    return Calibration(mailbox_id, round(error, 4), round(low, 4), round(high, 4), len(rows))
