"""A penalized logistic regression on sparse columns, by Newton's method with conjugate gradients.

Thousands of weights (a person's senders and words) on ten thousand messages take about a second, in plain numpy and
always the same to the bit: no random start, no sampling.
"""

from dataclasses import dataclass

import numpy as np

from rl_emails_assets.ranking.columns import Floats, Sparse

_NEWTON_STEPS = 30
_GRADIENT_STEPS = 200
_CONVERGED = 1e-7
_INNER = 1e-2


def sigmoid(log_odds: Floats) -> Floats:
    """1 / (1 + exp(-z)) without overflow."""
    value: Floats = 0.5 * (1.0 + np.tanh(0.5 * log_odds))
    return value


def fit(x: Sparse, offset: Floats, y: Floats, weight: Floats, penalty: Floats, coupled: Floats | None = None) -> Floats:
    """The weights that maximize the likelihood of `y` (0-1) given offset + x @ weights, less what they are believed to
    be before any data: around 0.

    `penalty` is one positive number a column, the inverse variance. `coupled` is added to it for the first columns: a
    positive semidefinite matrix that ties neighbours to each other.
    """
    beta = np.zeros(x.width)
    z = offset.copy()
    believed = _Prior(penalty, np.zeros((0, 0)) if coupled is None else coupled)

    def loss(z: Floats, beta: Floats) -> float:
        return float(weight @ (np.logaddexp(0.0, z) - y * z) + beta @ believed.times(beta) / 2)

    current = loss(z, beta)
    for _ in range(_NEWTON_STEPS):
        p = sigmoid(z)
        gradient = x.transposed_times(weight * (p - y)) + believed.times(beta)
        step = _solved(x, weight * p * (1.0 - p), believed, gradient)
        change = x.times(step)
        size = 1.0
        # A full Newton step can overshoot where the logistic curve is flat; half of it until the loss falls.
        while (next_loss := loss(z - size * change, beta - size * step)) > current and size > _CONVERGED:
            size /= 2
        beta = beta - size * step
        z = z - size * change
        gained, current = current - next_loss, next_loss
        if gained <= _CONVERGED * max(1.0, abs(current)):
            break
    return beta


@dataclass(frozen=True, slots=True)
class _Prior:
    penalty: Floats
    coupled: Floats

    def times(self, weights: Floats) -> Floats:
        found = self.penalty * weights
        size = len(self.coupled)
        found[:size] += self.coupled @ weights[:size]
        return found

    @property
    def diagonal(self) -> Floats:
        found = self.penalty.copy()
        found[: len(self.coupled)] += np.diag(self.coupled)
        return found


def _solved(x: Sparse, curve: Floats, prior: _Prior, right: Floats) -> Floats:
    """`right` divided by the curvature, well enough for a Newton step, by preconditioned conjugate gradients."""
    diagonal = x.transposed_times(curve, power=2) + prior.diagonal
    found = np.zeros_like(right)
    rest = right.copy()
    scaled = rest / diagonal
    direction = scaled.copy()
    size = float(rest @ scaled)
    goal = _INNER**2 * size
    for _ in range(_GRADIENT_STEPS):
        if size <= goal or size == 0.0:
            break
        applied = x.transposed_times(curve * x.times(direction)) + prior.times(direction)
        length = size / float(direction @ applied)
        found += length * direction
        rest -= length * applied
        scaled = rest / diagonal
        size, previous = float(rest @ scaled), size
        direction = scaled + (size / previous) * direction
    return found
