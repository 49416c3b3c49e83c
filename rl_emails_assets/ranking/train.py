"""Train the shipped ranker: `python -m rl_emails_assets.ranking.train --data DIR [--write]`.

The written weights come from all the mail, scaled and shifted to what happened in left-out mailboxes (a list with all
its owners is one). How good they are is measured by `rl-emails eval --only ranking`, with weights that this tool makes
from the first 70 % of each mailbox's time; this tool prints only what it fits.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rl_emails_assets.ranking import fitting, measures
from rl_emails_assets.ranking.columns import Floats
from rl_emails_assets.ranking.personal import Outcome, settled_share
from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.ranker import DEFAULT_THRESHOLD
from rl_emails_assets.ranking.terms import TERMS, Choice, Numeric
from rl_emails_assets.ranking.training_data import judge, load_mailboxes

MODEL_NAME = "ranker-2"
TRAIN_SHARE = 0.7
MAX_ROWS = 2500
"""Rows of a mailbox that are trained on, evenly spaced in time: a list archive must not outweigh the people."""
_REFERENCE_ROWS = 500
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Taught:
    """A mailbox as the fit sees it; rows in order of time."""

    name: str
    messages: Sequence[RankInput]
    x: Floats
    y: Floats
    received_at: Sequence[datetime]
    answered_at: Sequence[datetime | None]
    threads: Sequence[str]
    received_s: Floats
    answered_s: Floats
    """Seconds since 1970; an answer that never came is infinitely late."""

    @property
    def cut(self) -> int:
        """First row of the test."""
        return int(len(self.y) * TRAIN_SHARE)

    @property
    def source(self) -> str:
        """Mailboxes of one source are left out together: they share the same mail."""
        return self.name.partition("/")[0]

    def known(self, end: int) -> tuple[Floats, Floats]:
        """(target, weight) of the rows before `end` as they were known when row `end` arrived: an answer that came
        later is none yet, and young silence says little."""
        if end == len(self.y):
            return self.y, np.ones(end)
        now = self.received_s[end]
        y = (self.answered_s[:end] < now).astype(float)
        return y, np.where(y > 0, 1.0, settled_share((now - self.received_s[:end]) / _DAY_S))

    def outcomes(self, end: int) -> list[Outcome]:
        """What the owner's own part may learn from when row `end` arrives."""
        told = zip(self.messages, self.received_at, *self.known(end), strict=False)
        return [
            Outcome(message=message, acted=float(y), weight=float(weight), received_at=at)
            for message, at, y, weight in told
        ]


def taught(name: str, rows: pl.DataFrame) -> Taught:
    """Columns and target of a mailbox's rows."""
    return of_messages(
        name,
        [RankInput.from_row(row) for row in rows.iter_rows(named=True)],
        rows["received_at"].to_list(),
        rows["answered_at"].to_list(),
        rows["thread_id"].to_list(),
    )


def of_messages(
    name: str,
    messages: Sequence[RankInput],
    received_at: Sequence[datetime],
    answered_at: Sequence[datetime | None],
    threads: Sequence[str],
) -> Taught:
    """The same of what is read already."""
    return Taught(
        name=name,
        messages=messages,
        x=fitting.columns(messages),
        y=np.array([at is not None for at in answered_at], dtype=float),
        received_at=received_at,
        answered_at=answered_at,
        threads=threads,
        received_s=np.array([at.timestamp() for at in received_at]),
        answered_s=np.array([math.inf if at is None else at.timestamp() for at in answered_at]),
    )


def ends(mailboxes: Sequence[Taught], share: float) -> list[int]:
    """How many rows of each mailbox are its first `share`."""
    return [int(len(box.y) * share) for box in mailboxes]


def fitted(mailboxes: Sequence[Taught], share: float) -> Floats:
    """Weights from the first `share` of each mailbox's time; a mailbox counts as the root of its size."""
    x: list[Floats] = []
    y: list[Floats] = []
    weights: list[Floats] = []
    for box, end in zip(mailboxes, ends(mailboxes, share), strict=True):
        rows = np.linspace(0, end - 1, min(MAX_ROWS, end)).astype(int)
        target, weight = box.known(end)
        x.append(box.x[rows])
        y.append(target[rows])
        weights.append(weight[rows] * (_REFERENCE_ROWS / len(rows)) ** 0.5)
    group = np.repeat(np.arange(len(x)), [len(rows) for rows in x])
    found, _ = fitting.fit(np.vstack(x), np.concatenate(y), group, np.concatenate(weights))
    return found


def left_out(mailboxes: Sequence[Taught], share: float) -> dict[str, Floats]:
    """For each source, the weights learned from the first `share` of all the others."""
    sources = sorted({box.source for box in mailboxes})
    return {source: fitted([box for box in mailboxes if box.source != source], share) for source in sources}


def calibration(mailboxes: Sequence[Taught], weights: dict[str, Floats], share: float) -> tuple[float, float]:
    """(slope, intercept) that make the log odds of left-out mail match what happened in its first `share`, each mailbox
    weighing the same."""
    told = [box.known(end) for box, end in zip(mailboxes, ends(mailboxes, share), strict=True)]
    return fitting.calibrate(
        np.concatenate([box.x[: len(y)] @ weights[box.source] for box, (y, _) in zip(mailboxes, told, strict=True)]),
        np.concatenate([y for y, _ in told]),
        np.concatenate([weight / weight.sum() for _, weight in told]),
    )


def model(
    mailboxes: Sequence[Taught], weights: Floats, slope_base: tuple[float, float], share: float = 1.0
) -> dict[str, Any]:
    """The weights as they are written: taught terms scaled by the calibration and centred on the average message of the
    first `share`, so that a contribution says how the message differs from it; the others as believed."""
    slope, base = slope_base
    weights = weights * slope
    parts = [box.x[:end] for box, end in zip(mailboxes, ends(mailboxes, share), strict=True)]
    mean = np.mean([part.mean(axis=0) for part in parts], axis=0)
    slices = fitting.design().slices
    terms: dict[str, Any] = {}
    for term in TERMS:
        own = weights[slices[term.name]] if term.is_taught else None
        if own is not None and _is_centred(term):
            centre = float(mean[slices[term.name]] @ own)
            own = own - centre
            base += centre
        terms[term.name] = _written(term, own)
    return {
        "name": MODEL_NAME,
        "base_log_odds": round(base, 4),
        "threshold": DEFAULT_THRESHOLD,
        "terms": terms,
    }


def _is_centred(term: Numeric | Choice) -> bool:
    """Verdicts and flags are not: without one, nothing is added."""
    return isinstance(term, Numeric) or (set(term.prior) != {"yes"} and not term.is_scaled_by_confidence)


def _written(term: Numeric | Choice, weights: Floats | None) -> dict[str, Any]:
    if isinstance(term, Choice):
        values = list(term.prior.values()) if weights is None else [float(w) for w in weights]
        return {"log_odds": {name: round(w, 4) for name, w in zip(term.prior, values, strict=True)}}
    values = [*term.prior, term.missing_prior] if weights is None else [float(w) for w in weights]
    return {
        "knots": list(term.knots),
        "log_odds": [round(w, 4) for w in values[:-1]],
        "missing": round(values[-1], 4),
    }


def main() -> None:
    """Train, print what is fitted, and with --write replace the shipped weights."""
    parser = argparse.ArgumentParser(description="Train the shared part of the ranker.")
    parser.add_argument("--data", type=Path, required=True, help="folder with enron-USER.tar.gz and NAME.mbox.gz")
    parser.add_argument("--write", action="store_true", help="replace the shipped model.json")
    arguments = parser.parse_args()
    mailboxes: list[Taught] = []
    for box in load_mailboxes(arguments.data, judge()):
        mailboxes.append(taught(box.name, box.rows))
        print(f"{box.name}: {box.message_count} messages, {box.skipped_count} unreadable, {box.rows.height} to rank")
    of_others = left_out(mailboxes, 1.0)
    slope_base = calibration(mailboxes, of_others, 1.0)
    for each in mailboxes:
        auc = measures.auc(each.x @ of_others[each.source], each.y)
        print(
            each.name.ljust(24), f"{int(each.y.sum())} of {len(each.y)} answered, AUC by others' weights", _shown(auc)
        )
    print(f"calibration slope {slope_base[0]:.3f} intercept {slope_base[1]:.3f}")
    if arguments.write:
        path = Path(__file__).with_name("model.json")
        path.write_text(json.dumps(model(mailboxes, fitted(mailboxes, 1.0), slope_base), indent=1) + "\n")
        print(f"Wrote {path.name}")


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
