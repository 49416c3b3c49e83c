"""Trains the request model from the labelled sentences and reports how good it is on what it has not seen.

    python -m rl_emails_assets.classification.train_requests --data DIR [--out DIR]

DIR holds labelled/ and mailboxes/. scikit-learn and scipy are needed here and nowhere else. The same data and library
versions give the same file, byte for byte.

Two steps. The voices are learned from a few hundred thousand sentences of mail without labels: what is left of a
sentence without its "please", "can you" and question marks must tell whether they were there. The model is learned
from the labelled sets, with the voices among its features. The sentences of the labelled sets are kept out of the first
step, so that no text of a test fold has been seen in any step.
"""

import argparse
import hashlib
import io
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rl_emails_assets.classification import corpus
from rl_emails_assets.classification.corpus import Sentence
from rl_emails_assets.classification.cues import CUES
from rl_emails_assets.classification.lexer import Lexer
from rl_emails_assets.classification.request_corpus import distinct_sentences, near_groups, unlabelled
from rl_emails_assets.classification.request_features import (
    PAIRS,
    PLEASE,
    PRIOR_ROWS,
    ROWS,
    Hashes,
    prior_rows,
    sentence_features,
)
from rl_emails_assets.classification.requests import (
    PRIOR_FEATURES,
    PRIORS,
    REQUESTS_CARD,
    REQUESTS_FILE,
    voice_features,
)

SEED = 20_011_130
FOLDS = 5
STRENGTHS = (1.0, 2.0)
"""Inverse regularization; chosen inside the training folds."""
OTHER_SET_WEIGHT = 0.1
"""Of a sentence of the actionable set when the shipped model is trained: its labels are noisy, and to it a question is
nothing to act on. At 0.3 the Parakweet folds lose 1 point of F1, at 0.1 none."""
_PRIOR_DECAY = 3e-6
_PRIOR_PASSES = 6
_POSITIVE_WEIGHT = 4.0
_MODALS = frozenset(("can", "could", "will", "would"))

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Weights = dict[str, npt.NDArray[Any]]
Report = dict[str, Any]

_WIDTH = ROWS + PAIRS + len(CUES) + PRIOR_FEATURES


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained model before it is written: a weight for each column, and how its score becomes log odds."""

    coefficients: Floats
    bias: float
    slope: float
    offset: float
    threshold: float
    strength: float

    def log_odds(self, rows: Any) -> Floats:
        """Of the sentences whose features are the rows of a sparse matrix."""
        score: Floats = rows @ self.coefficients + self.bias
        return self.slope * score + self.offset


def fit_voices(data: Path, but: Sequence[str], *, seed: int = SEED) -> tuple[Weights, Report]:
    """The two tables that are learned without labels, from mail that holds none of the sentences of `but`."""
    return fit_voices_on(unlabelled(data, but), seed=seed)


def fit_voices_on(found: Sequence[Sequence[str]], *, seed: int = SEED) -> tuple[Weights, Report]:
    """The same, from sentences given as tokens."""
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # noqa: PLC0415
    from sklearn.linear_model import SGDClassifier  # type: ignore[import-untyped]  # noqa: PLC0415

    hashes = Hashes()
    columns = [prior_rows(tokens, hashes) for tokens in found]
    starts = np.cumsum([0, *map(len, columns)])
    values = np.repeat([max(1, len(one)) ** -0.5 for one in columns], np.diff(starts))
    matrix = csr_matrix(
        (values, np.fromiter((row for one in columns for row in one), dtype=np.int32, count=starts[-1]), starts),
        shape=(len(columns), PRIOR_ROWS),
    )
    matrix.sum_duplicates()
    targets = {
        "please": np.array([is_polite(tokens) for tokens in found]),
        "question": np.array(["?" in tokens[-3:] for tokens in found]),
    }
    table = np.zeros((PRIOR_ROWS, len(PRIORS)), dtype=np.int8)
    scale, bias = np.zeros(len(PRIORS)), np.zeros(len(PRIORS))
    report: Report = {"sentences": len(found)}
    for column, name in enumerate(PRIORS):
        fitted = SGDClassifier(
            loss="log_loss", alpha=_PRIOR_DECAY, max_iter=_PRIOR_PASSES, tol=None, random_state=seed,
            class_weight={True: _POSITIVE_WEIGHT, False: 1.0},
        ).fit(matrix, targets[name])  # fmt: skip
        table[:, column], scale[column] = _small(fitted.coef_[0])
        bias[column] = fitted.intercept_[0]
        report[name] = {"share": _round(targets[name].mean())}
    weights: Weights = {"prior_rows": table, "prior_scale": scale, "prior_bias": bias}
    return weights, report


def is_polite(tokens: Sequence[str]) -> bool:
    """Whether a sentence asks in so many words: "please", "can you", "let me know"."""
    if not PLEASE.isdisjoint(tokens):
        return True
    return any(
        (left in _MODALS and right == "you") or (left == "let" and right in ("me", "us"))
        for left, right in pairwise(tokens)
    )


def design(texts: Sequence[str], voices: Weights) -> Any:
    """The features of sentences as a sparse matrix, as `RequestModel.log_odds` weighs them."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415

    lexer, hashes = Lexer(), Hashes()
    scale = voices["prior_scale"].astype(np.float64)
    table = voices["prior_rows"]
    starts, columns, values = [0], [], []
    for text in texts:
        tokens = lexer.tokens(text)
        found = sentence_features(tokens, hashes)
        of_grams, of_places, of_pairs, of_turns = found.scales
        for positions, first, weight in (
            (found.grams, 0, of_grams),
            (found.places, 0, of_places),
            (found.turns, 0, of_turns),
            (found.pairs, ROWS, of_pairs),
            (found.cues, ROWS + PAIRS, 1.0),
        ):
            columns += [first + position for position in positions]
            values += [weight] * len(positions)
        rows = prior_rows(tokens, hashes)
        scores = table[rows].astype(np.float64).sum(axis=0) * scale / max(1, len(rows)) ** 0.5 + voices["prior_bias"]
        columns += range(ROWS + PAIRS + len(CUES), _WIDTH)
        values += voice_features(scores.tolist())
        starts.append(len(columns))
    matrix = csr_matrix((values, columns, starts), shape=(len(texts), _WIDTH))
    matrix.sum_duplicates()
    return matrix


def fit(rows: Any, labels: Ints, groups: Ints, weights: Floats | None = None, *, seed: int = SEED) -> Fitted:
    """A model of the rows. Strength, calibration and threshold come from folds inside them, groups kept together."""
    from sklearn.model_selection import StratifiedGroupKFold  # type: ignore[import-untyped]  # noqa: PLC0415

    weight = np.ones(len(labels)) if weights is None else weights
    # Columns that no row has would be carried through every step of every fit.
    used = np.unique(rows.indices)
    coefficients = np.zeros(rows.shape[1])
    rows = rows[:, used]
    splits = list(StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels, groups))
    best: tuple[float, float, Floats] | None = None
    for strength in STRENGTHS:
        scores = np.zeros(len(labels))
        for train, test in splits:
            fitted = _regression(strength).fit(rows[train], labels[train], weight[train])
            scores[test] = fitted.decision_function(rows[test])
        loss = float(np.average(np.logaddexp(0, np.where(labels == 1, -scores, scores)), weights=weight))
        if best is None or loss < best[0]:
            best = loss, strength, scores
    assert best is not None  # noqa: S101 - STRENGTHS is not empty
    _, strength, scores = best
    calibration = _regression(1e3).fit(scores.reshape(-1, 1), labels, weight)
    slope, offset = float(calibration.coef_[0, 0]), float(calibration.intercept_[0])
    final = _regression(strength).fit(rows, labels, weight)
    coefficients[used] = final.coef_[0]
    return Fitted(
        coefficients=coefficients,
        bias=float(final.intercept_[0]),
        slope=slope,
        offset=offset,
        threshold=best_threshold(slope * scores + offset, labels, weight),
        strength=strength,
    )


def best_threshold(scores: Floats, labels: Ints, weights: Floats | None = None) -> float:
    """The score from which on saying yes has the highest F1: midway to the next lower one."""
    weight = np.ones(len(labels)) if weights is None else weights
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum((weight * labels)[order])
    f1 = 2 * hits / (np.cumsum(weight[order]) + (weight * labels).sum())
    at = int(f1.argmax())
    return float(scores[order[at]] + scores[order[min(at + 1, len(order) - 1)]]) / 2


def weights_of(fitted: Fitted, voices: Weights) -> Weights:
    """The arrays of the file."""
    rows, row_scale = _small(fitted.coefficients[:ROWS])
    pairs, pair_scale = _small(fitted.coefficients[ROWS : ROWS + PAIRS])
    cues = fitted.coefficients[ROWS + PAIRS : ROWS + PAIRS + len(CUES)]
    return {
        "rows": rows,
        "pairs": pairs,
        "cues": cues.astype(np.float32),
        "voices": fitted.coefficients[-PRIOR_FEATURES:].astype(np.float32),
        "bias": np.array([fitted.bias], dtype=np.float32),
        "scale": np.array([row_scale, pair_scale], dtype=np.float32),
        "calibration": np.array([fitted.slope, fitted.offset], dtype=np.float32),
        "threshold": np.array([fitted.threshold], dtype=np.float32),
        **{name: voices[name].astype(np.float32) for name in ("prior_scale", "prior_bias")},
        "prior_rows": voices["prior_rows"],
    }


def main(arguments: Sequence[str] | None = None, *, say: Callable[[str], Any] = sys.stdout.write) -> int:
    """Trains on both labelled sets, writes requests.npz and requests.json, prints the card.

    How good it is out of fold and on the other set is measured by `rl-emails eval` (evaluation/requests.py).
    """
    parser = argparse.ArgumentParser(
        prog="python -m rl_emails_assets.classification.train_requests", description=__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds labelled/ and mailboxes/")
    parser.add_argument("--out", type=Path, default=REQUESTS_FILE.parent, help="where the two files go")
    given = parser.parse_args(arguments)
    first = distinct_sentences(corpus.parakweet_sentences(given.data))
    second = distinct_sentences(corpus.actionable_sentences(given.data))
    both: list[Sentence] = [*first, *second]
    texts = [sentence.text for sentence in both]
    voices, voice_report = fit_voices(given.data, texts)
    labels = np.array([int(sentence.is_request) for sentence in both])
    weight = np.where(np.arange(len(both)) < len(first), 1.0, OTHER_SET_WEIGHT)
    fitted = fit(design(texts, voices), labels, np.array(near_groups(texts)), weight)
    content = file_bytes(weights_of(fitted, voices))
    card = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "seed": SEED,
        "sentences": {"parakweet": len(first), "actionable": len(second)},
        "without_labels": voice_report,
        "strength": fitted.strength,
        "threshold": _round(fitted.threshold),
    }
    (given.out / REQUESTS_FILE.name).write_bytes(content)
    (given.out / REQUESTS_CARD.name).write_text(json.dumps(card, indent=2, sort_keys=True) + "\n", "utf-8")
    say(json.dumps(card, indent=2) + "\n")
    return 0


def file_bytes(weights: Weights) -> bytes:
    """The weights file: numpy's archive, compressed, its arrays in the order of their names."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name: weights[name] for name in sorted(weights)}
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _small(values: Floats) -> tuple[npt.NDArray[np.int8], float]:
    """Whole numbers of one byte and the factor that makes them the values again."""
    factor = max(float(np.abs(values).max()), 1e-9) / 127
    return np.round(values / factor).astype(np.int8), factor


def _regression(strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    return LogisticRegression(C=strength, max_iter=500)


def _round(value: object) -> float:
    return round(float(value), 3)  # type: ignore[arg-type]


if __name__ == "__main__":
    raise SystemExit(main())
