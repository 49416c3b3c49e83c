"""How good scores are: order (AUC, average precision) and honesty (calibration error, Brier score)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def auc(score: Floats, y: NDArray[Any]) -> float | None:
    """Probability that a positive scores above a negative, ties half; None without both."""
    positives = int(np.sum(y))
    negatives = len(y) - positives
    if not positives or not negatives:
        return None
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[np.asarray(y, dtype=bool)].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(score: Floats, y: NDArray[Any]) -> float | None:
    """Mean precision at each positive, from the top, in the order given among ties; None without positives."""
    hits = np.asarray(y, dtype=float)[np.argsort(-score, kind="stable")]
    if not hits.sum():
        return None
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1) * hits).sum() / hits.sum())


def brier(p: Floats, y: NDArray[Any], weight: Floats | None = None) -> float:
    """Mean squared distance of probability and outcome: 0 is perfect, the rate times its complement is knowing only
    the rate."""
    return float(np.average((p - np.asarray(y, dtype=float)) ** 2, weights=weight))


def calibration_error(p: Floats, y: NDArray[Any], weight: Floats | None = None, bins: int = 10) -> float:
    """Expected calibration error: weighted mean distance of predicted and observed rate over equal-mass bins."""
    weight = np.ones(len(p)) if weight is None else weight
    order = np.argsort(p, kind="stable")
    mass = np.cumsum(weight[order]) / weight.sum()
    bucket = np.minimum((mass * bins - 1e-12).astype(int), bins - 1)
    error = 0.0
    for index in range(bins):
        rows = order[bucket == index]
        if len(rows):
            w = weight[rows]
            error += abs(float((w * (p[rows] - np.asarray(y, dtype=float)[rows])).sum()))
    return error / float(weight.sum())
