"""Train the shipped ranker and measure it: `python -m rl_emails_assets.ranking.train --data DIR [--write]`.

Measured twice, never on mail that was trained on: with the first 70 % of each mailbox's time as training and the last
30 % as test, and with each mailbox (a list with all its owners) left out of training altogether. The written weights
come from all the mail, scaled and shifted to what happened in the left-out mailboxes.
"""

import argparse
import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rl_emails_assets.ranking import fitting, measures
from rl_emails_assets.ranking.fitting import Floats
from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.terms import TERMS, Choice, Numeric, reply_rate
from rl_emails_assets.ranking.training_data import load_mailboxes

MODEL_NAME = "ranker-1"
TRAIN_SHARE = 0.7
MAX_ROWS = 2500
"""Rows of a mailbox that are trained on, evenly spaced in time: a list archive must not outweigh the people."""
_NEVER = 1e6


@dataclass(frozen=True, slots=True)
class Taught:
    """A mailbox as the fit sees it; rows in order of time."""

    name: str
    x: Floats
    y: Floats
    reply_rate: Floats
    recency: Floats

    @property
    def cut(self) -> int:
        """First row of the test."""
        return int(len(self.y) * TRAIN_SHARE)

    @property
    def source(self) -> str:
        """Mailboxes of one source are left out together: they share the same mail."""
        return self.name.partition("/")[0]


def taught(name: str, rows: pl.DataFrame) -> Taught:
    """Columns, target and baselines of a mailbox's rows."""
    messages = [RankInput.from_row(row) for row in rows.iter_rows(named=True)]
    return Taught(
        name=name,
        x=fitting.columns(messages),
        y=rows["is_replied"].cast(pl.Float64).to_numpy(),
        reply_rate=np.array([reply_rate(m.sender_replied_count, m.sender_received_count) for m in messages]),
        recency=np.array(
            [-_NEVER if m.sender_days_since_sent is None else -m.sender_days_since_sent for m in messages]
        ),
    )


def fitted(mailboxes: list[Taught], share: float) -> Floats:
    """Weights from the first `share` of each mailbox's time; a mailbox counts as the root of its size."""
    kept = [
        np.linspace(0, int(len(m.y) * share) - 1, min(MAX_ROWS, int(len(m.y) * share))).astype(int) for m in mailboxes
    ]
    weights, _ = fitting.fit(
        np.vstack([m.x[rows] for m, rows in zip(mailboxes, kept, strict=True)]),
        np.concatenate([m.y[rows] for m, rows in zip(mailboxes, kept, strict=True)]),
        np.concatenate([np.full(len(rows), index) for index, rows in enumerate(kept)]),
        np.concatenate([np.full(len(rows), (500 / len(rows)) ** 0.5) for rows in kept]),
    )
    return weights


def measured(mailboxes: list[Taught]) -> tuple[list[dict[str, Any]], Floats, tuple[float, float], float]:
    """Figures of each mailbox, the log odds of all left-out mail, its calibration, and the calibration's error."""
    in_time = fitted(mailboxes, TRAIN_SHARE)
    report: list[dict[str, Any]] = []
    left_out: list[Floats] = []
    for box in mailboxes:
        weights = fitted([other for other in mailboxes if other.source != box.source], 1.0)
        left_out.append(box.x @ weights)
        test = slice(box.cut, None)
        y = box.y[test]
        report.append(
            {
                "mailbox": box.name,
                "messages": len(box.y),
                "test_messages": len(y),
                "test_replies": int(y.sum()),
                "auc": measures.auc(box.x[test] @ in_time, y),
                "ap": measures.average_precision(box.x[test] @ in_time, y),
                "auc_left_out": measures.auc(left_out[-1], box.y),
                "auc_left_out_test": measures.auc(left_out[-1][test], y),
                "auc_reply_rate": measures.auc(box.reply_rate[test], y),
                "auc_recency": measures.auc(box.recency[test], y),
            }
        )
    early, late = ([s(b.cut) for b in mailboxes] for s in (lambda cut: slice(0, cut), lambda cut: slice(cut, None)))
    calibration = _calibrated(mailboxes, left_out, early)
    p = 1 / (1 + np.exp(-(calibration[0] * _joined(left_out, late) + calibration[1])))
    error = measures.calibration_error(p, _joined([b.y for b in mailboxes], late), _equal(mailboxes, late))
    everything = [slice(None)] * len(mailboxes)
    return report, _joined(left_out, everything), _calibrated(mailboxes, left_out, everything), error


def _joined(values: list[Floats], parts: list[slice]) -> Floats:
    return np.concatenate([value[part] for value, part in zip(values, parts, strict=True)])


def _equal(mailboxes: list[Taught], parts: list[slice]) -> Floats:
    """Each mailbox weighs the same."""
    return np.concatenate(
        [np.full(len(b.y[part]), 1 / len(b.y[part])) for b, part in zip(mailboxes, parts, strict=True)]
    )


def _calibrated(mailboxes: list[Taught], scores: list[Floats], parts: list[slice]) -> tuple[float, float]:
    return fitting.calibrate(_joined(scores, parts), _joined([b.y for b in mailboxes], parts), _equal(mailboxes, parts))


def model(mailboxes: list[Taught], calibration: tuple[float, float]) -> dict[str, Any]:
    """The weights as they are written: taught terms scaled by the calibration and centred on the average message, so
    that a contribution says how the message differs from it; the others as believed."""
    slope, base = calibration
    weights = fitted(mailboxes, 1.0) * slope
    everything = [slice(None)] * len(mailboxes)
    share = _equal(mailboxes, everything)
    mean = (np.vstack([box.x for box in mailboxes]) * (share / share.sum())[:, None]).sum(axis=0)
    slices = fitting.design().slices
    terms: dict[str, Any] = {}
    for term in TERMS:
        own = weights[slices[term.name]] if term.is_taught else None
        if own is not None and _is_centred(term):
            centre = float(mean[slices[term.name]] @ own)
            own = own - centre
            base += centre
        terms[term.name] = _written(term, own)
    return {"name": MODEL_NAME, "base_log_odds": round(base, 4), "terms": terms}


def _is_centred(term: Numeric | Choice) -> bool:
    return isinstance(term, Numeric) or set(term.prior) != {"yes"}


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
    """Train, print the figures, and with --write replace the shipped weights."""
    parser = argparse.ArgumentParser(description="Train the ranker and measure it on left-out mail.")
    parser.add_argument("--data", type=Path, required=True, help="folder with enron-USER.tar.gz and NAME.mbox.gz")
    parser.add_argument("--write", action="store_true", help="replace the shipped model.json")
    arguments = parser.parse_args()
    mailboxes = []
    for box in load_mailboxes(arguments.data):
        mailboxes.append(taught(box.name, box.rows))
        print(f"{box.name}: {box.message_count} messages, {box.skipped_count} unreadable, {box.rows.height} to rank")
    report, _, calibration, error = measured(mailboxes)
    figures = [name for name in report[0] if name.startswith(("auc", "ap"))]
    for row in report:
        print(
            row["mailbox"].ljust(24),
            row["test_replies"],
            "of",
            row["test_messages"],
            *(f"{n} {_shown(row[n])}" for n in figures),
        )
    for name in figures:
        values = [row[name] for row in report if row[name] is not None]
        print("mean".ljust(24), name, _shown(statistics.fmean(values)), f"({len(values)} mailboxes)")
    print(f"calibration slope {calibration[0]:.3f} intercept {calibration[1]:.3f}, ECE on the last 30 %: {error:.4f}")
    if arguments.write:
        path = Path(__file__).with_name("model.json")
        path.write_text(json.dumps(model(mailboxes, calibration), indent=1) + "\n")
        print(f"Wrote {path.name}")


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
