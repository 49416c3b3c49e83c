"""Fitting the ranker's weights: a penalized logistic regression over the terms, and the measures of how good it is.

The weights are the maximum of the posterior: each is pulled to its prior, and neighbouring knots to each other's
deviation from theirs, so that what the data does not speak about stays as believed. Each mailbox has an intercept of
its own while fitting, so that a mailbox where everything is answered does not teach that its senders are special.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.terms import TERMS, Choice, Numeric

Floats = NDArray[np.float64]

LEVEL_PENALTY = 3.0
STEP_PENALTY = 30.0
"""In units of messages of average weight; chosen on the training mailboxes, flat within a factor of 3."""
_CALIBRATION_STEPS = 40
_CONVERGED = 1e-9


@dataclass(frozen=True, slots=True)
class Design:
    """The columns of all taught terms: `slices` says which are whose, the last of a numeric term being `missing`."""

    slices: dict[str, slice]
    prior: Floats
    penalty: Floats


def taught() -> list[Numeric | Choice]:
    """The terms whose weights come from data."""
    return [term for term in TERMS if term.is_taught]


def design() -> Design:
    """Where each taught term's weights are, what they are pulled to, and how strongly."""
    slices: dict[str, slice] = {}
    priors: list[float] = []
    blocks: list[Floats] = []
    for term in taught():
        if isinstance(term, Numeric):
            own = [*(term.prior or [0.0] * len(term.knots)), term.missing_prior]
            steps = np.diff(np.eye(len(own))[:-1], axis=0)
            block = STEP_PENALTY * steps.T @ steps + LEVEL_PENALTY * np.eye(len(own))
        else:
            own = list(term.prior.values())
            block = LEVEL_PENALTY * np.eye(len(own))
        slices[term.name] = slice(len(priors), len(priors) + len(own))
        priors += own
        blocks.append(block)
    penalty = np.zeros((len(priors), len(priors)))
    for block, where in zip(blocks, slices.values(), strict=True):
        penalty[where, where] = block
    return Design(slices, np.array(priors), penalty)


def columns(messages: Sequence[RankInput]) -> Floats:
    """One row a message, one column a weight: how much of the weight the message gets."""
    parts: list[Floats] = []
    for term in taught():
        if isinstance(term, Numeric):
            part = np.zeros((len(messages), len(term.knots) + 1))
            for row, message in enumerate(messages):
                value = term.read(message)
                if value is None:
                    part[row, -1] = 1.0
                else:
                    at = min(max(value, term.knots[0]), term.knots[-1])
                    right = min(max(int(np.searchsorted(term.knots, at)), 1), len(term.knots) - 1)
                    share = (at - term.knots[right - 1]) / (term.knots[right] - term.knots[right - 1])
                    part[row, right - 1] = 1.0 - share
                    part[row, right] = share
        else:
            names = list(term.prior)
            part = np.zeros((len(messages), len(names)))
            for row, message in enumerate(messages):
                name = term.read(message)
                if name in names:
                    part[row, names.index(name)] = 1.0
        parts.append(part)
    return np.hstack(parts)


def _sigmoid(log_odds: Floats) -> Floats:
    """1 / (1 + exp(-z)) without overflow."""
    value: Floats = 0.5 * (1.0 + np.tanh(0.5 * log_odds))
    return value


def fit(x: Floats, y: Floats, group: NDArray[np.int64], weight: Floats) -> tuple[Floats, Floats]:
    """The weights and each group's intercept, by Newton's method."""
    plan = design()
    groups = np.eye(int(group.max()) + 1)[group]
    full = np.hstack([x, groups])
    size = x.shape[1]
    penalty = np.zeros((full.shape[1], full.shape[1]))
    penalty[:size, :size] = plan.penalty
    penalty[size:, size:] = 1e-3 * np.eye(groups.shape[1])
    centre = np.concatenate([plan.prior, np.zeros(groups.shape[1])])
    rate = (groups.T @ (weight * y) + 0.5) / (groups.T @ weight + 1.0)
    beta = np.concatenate([plan.prior, np.log(rate / (1 - rate)) - groups.T @ (x @ plan.prior) / groups.sum(axis=0)])

    def loss(at: Floats) -> float:
        z = full @ at
        return float(weight @ (np.logaddexp(0.0, z) - y * z) + (at - centre) @ penalty @ (at - centre) / 2)

    current = loss(beta)
    gained = np.inf
    while gained > _CONVERGED * abs(current):
        p = _sigmoid(full @ beta)
        gradient = full.T @ (weight * (p - y)) + penalty @ (beta - centre)
        curvature = full.T @ (full * (weight * p * (1 - p))[:, None]) + penalty
        step = np.linalg.solve(curvature, gradient)
        # A full Newton step can overshoot where the logistic curve is flat; half of it until the loss falls.
        while (next_loss := loss(beta - step)) > current and float(np.abs(step).max()) > _CONVERGED:
            step = step / 2
        beta = beta - step
        gained, current = current - next_loss, next_loss
    return beta[:size], beta[size:]


def calibrate(log_odds: Floats, y: Floats, weight: Floats) -> tuple[float, float]:
    """(slope, intercept) that make log odds of left-out mail match what happened (Platt 1999)."""
    x = np.column_stack([log_odds, np.ones_like(log_odds)])
    beta = np.array([1.0, 0.0])
    for _ in range(_CALIBRATION_STEPS):
        p = _sigmoid(x @ beta)
        curvature = x.T @ (x * (weight * p * (1 - p))[:, None]) + 1e-9 * np.eye(2)
        beta -= np.linalg.solve(curvature, x.T @ (weight * (p - y)))
    return float(beta[0]), float(beta[1])


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
    """Mean precision at each positive, from the top; None without positives."""
    hits = np.asarray(y, dtype=float)[np.argsort(-score, kind="stable")]
    if not hits.sum():
        return None
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1) * hits).sum() / hits.sum())


def calibration_error(p: Floats, y: NDArray[Any], weight: Floats, bins: int = 10) -> float:
    """Expected calibration error: weighted mean distance of predicted and observed rate over equal-mass bins."""
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
