"""Trains the genre model from the labelled sets and reports how good it is on what it has not seen.

    python -m rl_emails_assets.classification.train --data DIR [--out DIR]

DIR holds labelled/ (see docs/reference/classification.md). scikit-learn and scipy are needed here and nowhere else.
The same data and library versions give the same file, byte for byte.
"""

import argparse
import hashlib
import io
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rl_emails_assets.classification import corpus
from rl_emails_assets.classification.corpus import Document
from rl_emails_assets.classification.document import (
    DOCUMENT_CUES,
    GENRES,
    document_cues,
    document_tokens,
    plain_subject,
)
from rl_emails_assets.classification.hashing import SIZE, pair_row, row_of, token_hash
from rl_emails_assets.classification.lexer import MAX_CHARS, Lexer
from rl_emails_assets.classification.model import CARD_FILE, MODEL_FILE

SEED = 20_011_130
FOLDS = 5
GENRE_STRENGTH = 1.0
USUAL_TEMPERATURE = 0.85
MAX_PER_GROUP = 60
"""Messages of one sender or list that are used: a busy one must not decide what its genre looks like."""
MIN_GROUPS = 5
"""A feature counts only if it occurs with this many senders or lists: names, hosts and slogans do not."""

Features = dict[int, float]
Report = dict[str, Any]
Weights = dict[str, npt.NDArray[Any]]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def document_features(lexer: Lexer, document: Document) -> Features:
    """The features of a message as `Model.genre_probabilities` sums them."""
    tokens = document_tokens(lexer, document.subject, lexer.tokens(document.text[:MAX_CHARS]))
    scale = 1 / len(tokens) ** 0.5
    hashes = [token_hash(token) for token in tokens]
    found: Features = defaultdict(float)
    for hashed in hashes:
        found[row_of(hashed)] += scale
    for left, right in pairwise(hashes):
        found[pair_row(left, right)] += scale
    for cue in document_cues(plain_subject(document.subject), tokens):
        found[SIZE + cue] = 1.0
    return dict(found)


def distinct_documents(found: Sequence[Document], *, seed: int = SEED) -> list[Document]:
    """The documents without repetition of the same opening, at most `MAX_PER_GROUP` of one group and genre."""
    kept: dict[str, Document] = {}
    for document in found:
        kept.setdefault(" ".join(document.text.lower().split())[:400] or document.subject, document)
    groups: dict[tuple[str, str], list[Document]] = defaultdict(list)
    for document in kept.values():
        groups[document.genre, document.group].append(document)
    chosen: list[Document] = []
    generator = random.Random(seed)  # noqa: S311 - a sample, not a secret
    for key in sorted(groups):
        members = groups[key]
        chosen += members if len(members) <= MAX_PER_GROUP else generator.sample(members, MAX_PER_GROUP)
    return chosen


def shared_features(features: Sequence[Features], groups: Sequence[str], least: int = MIN_GROUPS) -> list[Features]:
    """The same features without the hashed ones that occur with fewer than `least` groups."""
    owners: dict[int, set[str]] = defaultdict(set)
    for one, group in zip(features, groups, strict=True):
        for position in one:
            owners[position].add(group)
    kept = {position for position, of in owners.items() if position >= SIZE or len(of) >= least}
    return [{position: value for position, value in one.items() if position in kept} for one in features]


def genres_only(found: Sequence[Document]) -> Weights:
    """Weights of the genre model without measuring it: for an evaluation that trains it on part of the documents.

    The temperature is the one that the whole gave (docs/reference/classification.md).
    """
    lexer = Lexer()
    groups = [_domain(document) for document in found]
    columns = _Columns(shared_features([document_features(lexer, document) for document in found], groups))
    labels = np.array([GENRES.index(document.genre) for document in found])
    return _genre_weights(columns, labels, _balance(labels), USUAL_TEMPERATURE)


def fit_genres(found: Sequence[Document], *, seed: int = SEED) -> tuple[Weights, Report]:
    """Weights of the genre model, and its measures on senders and lists that it has not seen."""
    from sklearn.metrics import f1_score  # type: ignore[import-untyped]  # noqa: PLC0415
    from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]  # noqa: PLC0415

    lexer = Lexer()
    groups = [_domain(document) for document in found]
    columns = _Columns(shared_features([document_features(lexer, document) for document in found], groups))
    labels = np.array([GENRES.index(document.genre) for document in found])
    balance = _balance(labels)
    scores = np.full((len(labels), len(GENRES)), -20.0)
    splitter = GroupKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in splitter.split(labels, labels, groups):
        fitted = _regression(GENRE_STRENGTH).fit(columns.rows(train), labels[train], balance[train])
        scores[np.ix_(test, fitted.classes_)] = fitted.decision_function(columns.rows(test))
    temperature = min(
        np.arange(0.4, 3.01, 0.05).tolist(),
        key=lambda candidate: float(-np.log(_softmax(scores / candidate)[np.arange(len(labels)), labels]).mean()),
    )
    likely = _softmax(scores / temperature)
    chosen = likely.argmax(axis=1)
    weights = _genre_weights(columns, labels, balance, temperature)
    f1 = f1_score(labels, chosen, labels=list(range(len(GENRES))), average=None, zero_division=0.0)
    right = chosen == labels
    report = {
        "messages": dict(sorted(Counter(f"{one.source}/{one.genre}" for one in found).items())),
        "split": f"{FOLDS}-fold, by sender domain, list or template",
        "accuracy": _round(right.mean()),
        "f1": {genre: _round(value) for genre, value in zip(GENRES, f1, strict=True)},
        "calibration_error": _round(calibration_error(likely.max(axis=1), right)),
    }
    return weights, report


def _balance(labels: Ints) -> Floats:
    counts = Counter(labels.tolist())
    return np.array([(len(labels) / len(counts) / counts[label]) ** 0.5 for label in labels.tolist()])


def _genre_weights(columns: "_Columns", labels: Ints, balance: Floats, temperature: float) -> Weights:
    final = _regression(GENRE_STRENGTH).fit(columns.rows(np.arange(len(labels))), labels, balance)
    rows = np.zeros((SIZE, len(GENRES)), dtype=np.float16)
    cues = np.zeros((len(DOCUMENT_CUES), len(GENRES)), dtype=np.float32)
    bias = np.full(len(GENRES), -20.0, dtype=np.float32)
    for position, genre in enumerate(final.classes_.tolist()):
        whole = columns.spread(final.coef_[position], len(DOCUMENT_CUES))
        rows[:, genre], cues[:, genre], bias[genre] = whole[:SIZE], whole[SIZE:], final.intercept_[position]
    return {
        "genre_rows": rows,
        "genre_cues": cues,
        "genre_bias": bias,
        "genre_temperature": np.array([temperature], dtype=np.float32),
    }


def calibration_error(probabilities: Floats, outcomes: npt.NDArray[Any], bins: int = 10) -> float:
    """Expected calibration error: the mean gap of stated probability and frequency over equally wide bins, 0 to 1."""
    placed = np.minimum((probabilities * bins).astype(int), bins - 1)
    gap = 0.0
    for chosen in range(bins):
        here = placed == chosen
        if here.any():
            gap += float(here.mean() * abs(probabilities[here].mean() - outcomes[here].mean()))
    return gap


def model_bytes(weights: Weights) -> bytes:
    """The model file: numpy's archive, compressed, its arrays in the order of their names."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name: weights[name] for name in sorted(weights)}
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def main(arguments: Sequence[str] | None = None, *, say: Callable[[str], Any] = sys.stdout.write) -> int:
    """Trains, writes model.npz and model.json, prints the measures."""
    parser = argparse.ArgumentParser(prog="python -m rl_emails_assets.classification.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds labelled/")
    parser.add_argument("--out", type=Path, default=MODEL_FILE.parent, help="where the two files go")
    given = parser.parse_args(arguments)
    weights, report = fit_genres(distinct_documents(corpus.documents(given.data)))
    content = model_bytes(weights)
    card = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "seed": SEED,
        "genres": report,
    }
    (given.out / MODEL_FILE.name).write_bytes(content)
    (given.out / CARD_FILE.name).write_text(json.dumps(card, indent=2, sort_keys=True) + "\n", "utf-8")
    say(json.dumps(card, indent=2) + "\n")
    return 0


class _Columns:
    """Sparse rows over the features that occur, so that the fit does not carry 65,536 empty columns."""

    def __init__(self, features: Sequence[Features]) -> None:
        from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # noqa: PLC0415

        self.positions = sorted({position for one in features for position in one})
        place = {position: column for column, position in enumerate(self.positions)}
        starts = np.cumsum([0, *(len(one) for one in features)])
        columns = [place[position] for one in features for position in one]
        values = [value for one in features for value in one.values()]
        self._matrix = csr_matrix((values, columns, starts), shape=(len(features), len(self.positions)))

    def rows(self, chosen: Ints) -> Any:
        return self._matrix[chosen]

    def spread(self, coefficients: Floats, cue_count: int) -> Floats:
        whole = np.zeros(SIZE + cue_count)
        whole[self.positions] = coefficients
        return whole


def _regression(strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # noqa: PLC0415

    return LogisticRegression(C=strength, max_iter=300)


def _softmax(scores: Floats) -> Floats:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float64)


def _round(value: object) -> float:
    return round(float(value), 3)  # type: ignore[arg-type]


def _domain(document: Document) -> str:
    # Enron's people share one domain and are many: there the sender is the group.
    return document.group if document.source == "enron" else document.group.rpartition("@")[2]


if __name__ == "__main__":
    raise SystemExit(main())
