"""Trains the unwanted-mail model and reports how good it is on what it has not seen.

    python -m rl_emails_assets.classification.train_unwanted --data DIR [--out DIR]

DIR holds labelled/ and mailboxes/. scikit-learn and scipy are needed here and in the evaluation, nowhere else. The same
data and library versions give the same file, byte for byte.
"""

import argparse
import hashlib
import io
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rl_emails_assets.classification.lexer import Lexer
from rl_emails_assets.classification.reading import Reading
from rl_emails_assets.classification.shape import HEADER_FEATURES, SHAPE_FEATURES, UNKNOWN, shape
from rl_emails_assets.classification.unwanted import UNWANTED_CARD, UNWANTED_FILE, WORD_MODELS
from rl_emails_assets.classification.unwanted_corpus import (
    SPAMASSASSIN,
    LabelledMail,
    counts_by_source,
    labelled_mails,
    near_groups,
)
from rl_emails_assets.classification.unwanted_words import ROWS, WordRows

SEED = 20_020_811
FOLDS = 5
INNER_FOLDS = 4
STRENGTH = 50.0
TREES = 220
MIN_GROUPS = 2
"""A row counts only if mail of this many senders' sites shows it: names and slogans of one do not."""
BLANKED_WEIGHT = 0.1
"""Of a second copy of each message with its headers hidden, so that mail without headers finds its way."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Fold = tuple[Ints, Ints]


class UnwantedData:
    """The mails as features: `words` (sparse rows), `shapes` (dense), `labels`, `groups`, and what each is from."""

    def __init__(self, mails: Sequence[LabelledMail]) -> None:
        from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # noqa: PLC0415

        lexer, words = Lexer(), WordRows()
        readings = [Reading(one.given, lexer) for one in mails]
        self.mails = mails
        self.shapes: Floats = np.array([shape(reading) for reading in readings])
        self.labels: Ints = np.array([int(one.is_unwanted) for one in mails])
        self.groups = np.array(near_groups(mails))
        self.tested: Ints = np.flatnonzero([one.source == SPAMASSASSIN for one in mails])
        self.others: Ints = np.flatnonzero([one.source != SPAMASSASSIN for one in mails])
        rows = [words.of(reading) for reading in readings]
        sites: dict[int, set[str]] = defaultdict(set)
        for found, one in zip(rows, mails, strict=True):
            for row in found.tolist():
                if len(sites[row]) < MIN_GROUPS:
                    sites[row].add(one.source[:7] + one.group)
        shared = np.zeros(ROWS, dtype=bool)
        shared[[row for row, of in sites.items() if len(of) >= MIN_GROUPS]] = True
        kept = [found[shared[found]] for found in rows]
        values = [np.full(len(left), 1 / max(1, len(found)) ** 0.5) for left, found in zip(kept, rows, strict=True)]
        starts = np.cumsum([0, *(len(left) for left in kept)])
        self.words = csr_matrix((np.concatenate(values), np.concatenate(kept), starts), shape=(len(mails), ROWS))

    def folds(self, positions: Ints, *, is_grouped: bool, count: int, seed: int) -> list[Fold]:
        """Splits of some of the mails, as positions; grouped, no sender's site and no near copy is on both sides."""
        from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold  # type: ignore[import-untyped]  # noqa: PLC0415

        labels, groups = self.labels[positions], self.groups[positions]
        if is_grouped:
            found = StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(positions, labels, groups)
        else:
            found = StratifiedKFold(count, shuffle=True, random_state=seed).split(positions, labels)
        return [(positions[train], positions[test]) for train, test in found]


class Fitted:
    """Both stages fitted on some of the mails."""

    def __init__(
        self, data: UnwantedData, train: Ints, *, is_grouped: bool, seed: int, labels: Ints | None = None,
        hide_headers: bool = False,
    ) -> None:  # fmt: skip
        from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]  # noqa: PLC0415
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # noqa: PLC0415

        target = data.labels if labels is None else labels
        self.hide_headers = hide_headers
        inner = np.zeros((len(data.labels), WORD_MODELS))
        # What the trees learn from must be what the words say of mail that they have not seen.
        for here, there in data.folds(train, is_grouped=is_grouped, count=INNER_FOLDS, seed=seed + 1):
            inner[there] = _Words(data.words[here], target[here]).scores(data.words[there])
        self.words = _Words(data.words[train], target[train])
        rows = self._features(data, inner, train)
        answers, weights = target[train], np.ones(len(train))
        if not hide_headers:
            copied = np.flatnonzero(np.isin(train, data.tested))
            blanked = rows[copied].copy()
            blanked[:, -len(HEADER_FEATURES) :] = UNKNOWN
            rows, answers = np.concatenate([rows, blanked]), np.concatenate([answers, answers[copied]])
            weights = np.concatenate([weights, np.full(len(copied), BLANKED_WEIGHT)])
        # One thread: beside other work on the machine, OpenMP's threads wait for one another more than they compute.
        with threadpool_limits(1):
            self.trees = HistGradientBoostingClassifier(
                max_iter=TREES, learning_rate=0.05, max_leaf_nodes=10, min_samples_leaf=15, l2_regularization=1.0,
                max_features=0.5, max_depth=5, early_stopping=False, random_state=seed,
            ).fit(rows, answers, weights)  # fmt: skip

    def scores(self, data: UnwantedData, positions: Ints) -> Floats:
        """The log odds of the trees for some of the mails, not yet calibrated."""
        said = np.zeros((len(data.labels), WORD_MODELS))
        said[positions] = self.words.scores(data.words[positions])
        found: Floats = self.trees.decision_function(self._features(data, said, positions))
        return found

    def words_scores(self, data: UnwantedData, positions: Ints) -> Floats:
        """The log odds of the first regression alone: a bag of words."""
        return self.words.scores(data.words[positions])[:, 0]

    def _features(self, data: UnwantedData, said: Floats, positions: Ints) -> Floats:
        rows = np.column_stack([said[positions], data.shapes[positions]])
        if self.hide_headers:
            rows[:, -len(HEADER_FEATURES) :] = UNKNOWN
        return rows

    def arrays(self, calibration: tuple[float, float]) -> dict[str, npt.NDArray[Any]]:
        """The model file's arrays."""
        nodes: list[tuple[float, ...]] = []
        roots: list[int] = []
        for (tree,) in self.trees._predictors:  # noqa: SLF001 - scikit-learn has no public way to its histogram trees
            roots.append(len(nodes))
            for place, node in enumerate(tree.nodes):
                here = roots[-1] + place
                left, right = (here, here) if node["is_leaf"] else (roots[-1] + node["left"], roots[-1] + node["right"])
                # A leaf's threshold must be a number, whatever it compares.
                threshold = 0.0 if node["is_leaf"] else node["num_threshold"]
                nodes.append((node["feature_idx"], threshold, left, right, node["value"]))
        return {
            "rows": self.words.weights.astype(np.float16),
            "bias": self.words.bias,
            "nodes": np.array(nodes, dtype=np.float32),
            "roots": np.array(roots, dtype=np.int32),
            "start": np.array([float(np.ravel(self.trees._baseline_prediction)[0])]),  # noqa: SLF001
            "calibration": np.array(calibration),
        }


class _Words:
    """The first stage fitted: a regression over the rows, and one over the rows times their log count ratios."""

    def __init__(self, rows: Any, labels: Ints) -> None:
        present = (rows > 0).astype(np.float64)
        counts = [1 + np.asarray(present[labels == label].sum(axis=0)).ravel() for label in (1, 0)]
        ratios = np.log((counts[0] / counts[0].sum()) / (counts[1] / counts[1].sum()))
        fitted = [_regression().fit(each, labels) for each in (rows, rows.multiply(ratios).tocsr())]
        self.weights: Floats = np.column_stack([fitted[0].coef_[0], fitted[1].coef_[0] * ratios])
        self.bias: Floats = np.array([float(each.intercept_[0]) for each in fitted])

    def scores(self, rows: Any) -> Floats:
        found: Floats = rows @ self.weights + self.bias
        return found


def out_of_fold(
    data: UnwantedData, *, is_grouped: bool, seed: int = SEED, hide_headers: bool = False, labels: Ints | None = None
) -> tuple[Floats, Floats]:
    """For each SpamAssassin message what a model says that has not seen it (uncalibrated), and its words alone."""
    both, words = np.zeros(len(data.labels)), np.zeros(len(data.labels))
    for train, test in data.folds(data.tested, is_grouped=is_grouped, count=FOLDS, seed=seed):
        known = np.concatenate([train, data.others])
        fitted = Fitted(data, known, is_grouped=is_grouped, seed=seed, hide_headers=hide_headers, labels=labels)
        both[test], words[test] = fitted.scores(data, test), fitted.words_scores(data, test)
    return both[data.tested], words[data.tested]


def platt(scores: Floats, labels: Ints) -> tuple[float, float]:
    """Slope and offset that make log odds of scores (Platt scaling)."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # noqa: PLC0415

    fitted = LogisticRegression(C=1e3).fit(scores.reshape(-1, 1), labels)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def main(arguments: Sequence[str] | None = None, *, say: Callable[[str], Any] = sys.stdout.write) -> int:
    """Trains, writes unwanted.npz and unwanted.json, prints the measures."""
    from sklearn.metrics import f1_score, roc_auc_score  # type: ignore[import-untyped]  # noqa: PLC0415

    parser = argparse.ArgumentParser(
        prog="python -m rl_emails_assets.classification.train_unwanted", description=__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds labelled/ and mailboxes/")
    parser.add_argument("--out", type=Path, default=UNWANTED_FILE.parent, help="where the two files go")
    given = parser.parse_args(arguments)
    mails = labelled_mails(given.data, seed=SEED)
    data = UnwantedData(mails)
    scores, _ = out_of_fold(data, is_grouped=True)
    labels = data.labels[data.tested]
    everything = np.arange(len(mails))
    arrays = Fitted(data, everything, is_grouped=True, seed=SEED).arrays(platt(scores, labels))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    content = buffer.getvalue()
    card = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "seed": SEED,
        "messages": counts_by_source(mails),
        "features": len(SHAPE_FEATURES),
        "split": f"{FOLDS}-fold, by sender's site and near copies",
        "f1": round(float(f1_score(labels, scores > 0)), 4),
        "auc": round(float(roc_auc_score(labels, scores)), 4),
    }
    (given.out / UNWANTED_FILE.name).write_bytes(content)
    (given.out / UNWANTED_CARD.name).write_text(json.dumps(card, indent=2, sort_keys=True) + "\n", "utf-8")
    say(json.dumps(card, indent=2) + "\n")
    return 0


def _regression() -> Any:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    return LogisticRegression(C=STRENGTH, solver="liblinear", max_iter=400, random_state=0)


if __name__ == "__main__":
    raise SystemExit(main())
