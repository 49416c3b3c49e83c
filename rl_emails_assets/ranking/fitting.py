"""Fitting the ranker's shared weights: a penalized logistic regression over the terms.

The weights are the maximum of the posterior: each is pulled to its prior, and neighbouring knots to each other's
deviation from theirs, so that what the data does not speak about stays as believed. Each mailbox has an intercept of
its own while fitting, so that a mailbox where everything is answered does not teach that its senders are special.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rl_emails_assets.ranking import solver
from rl_emails_assets.ranking.columns import Sparse, sparse, widths
from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.terms import TERMS, Choice, Numeric

Floats = NDArray[np.float64]

LEVEL_PENALTY = 3.0
STEP_PENALTY = 30.0
"""In units of messages of average weight; chosen on the training mailboxes, flat within a factor of 3."""
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
    slices = widths(taught())
    priors: list[float] = []
    penalty = np.zeros((0, 0))
    for term in taught():
        if isinstance(term, Numeric):
            own = [*(term.prior or [0.0] * len(term.knots)), term.missing_prior]
            steps = np.diff(np.eye(len(own))[:-1], axis=0)
            block = STEP_PENALTY * steps.T @ steps + LEVEL_PENALTY * np.eye(len(own))
        else:
            own = list(term.prior.values())
            block = LEVEL_PENALTY * np.eye(len(own))
        priors += own
        size = len(penalty)
        penalty = np.pad(penalty, (0, len(own)))
        penalty[size:, size:] = block
    return Design(slices, np.array(priors), penalty)


def columns(messages: Sequence[RankInput]) -> Floats:
    """One row a message, one column a weight: how much of the weight the message gets."""
    return sparse(messages, taught()).dense()


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
        p = solver.sigmoid(full @ beta)
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
    """(slope, intercept) that make log odds of left-out mail match what happened (Platt 1999), the slope held near 1
    where there is next to nothing to see it by."""
    x = Sparse(np.tile(np.array([[0, 1]]), (len(y), 1)), np.column_stack([log_odds, np.ones_like(log_odds)]), 2)
    found = solver.fit(x, log_odds, y, weight / weight.mean(), np.array([1.0, 1e-3]))
    return 1.0 + float(found[0]), float(found[1])
