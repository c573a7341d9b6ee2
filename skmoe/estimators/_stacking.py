"""How members are best pooled: what they count for and how wide they are, told by rows held out."""

import numpy as np

from skmoe._math.logspace import pool_and_share
from skmoe.distribution.pool import pooled
from skmoe.estimators._spread import best_spread

__all__ = ["Stack", "stacked_shares"]

# Rows that every member has in advance, and steps that weigh them.
PRIOR_ROWS, STEPS = 1.0, 200
# How many rows' worth of belief there is that members are as wide as they should be.
SPREAD_ROWS = 20.0
# What a nat of calibration counts for beside a nat of density: a pool's density hardly tells its
# widths, where sure members do not let it.
CALIBRATION = 4.0
# An answer further out than this counts as one that is just there.
LEAST_TAIL = 1e-12


class Stack:
    """What members said of rows held out, and how it is best pooled.

    Parameters
    ----------
    answers : list of MixtureDistribution
    y : ndarray of shape (n,) or (n, q)
    weight : ndarray of shape (n,) or None

    Attributes
    ----------
    shares : ndarray of shape (m,)
        What members count for, each as wide as it is.
    """

    def __init__(self, answers, y, weight):
        self.answers, self.y = answers, np.asarray(y, dtype=np.float64)
        self.weight = np.ones(len(self.y)) if weight is None else weight
        logs = np.array([answer.logpdf(self.y) for answer in answers])
        self.shares = stacked_shares(logs, self.weight)

    def best_spread(self):
        """Return how wide members should be under these shares, a number."""
        return best_spread(self._merit, SPREAD_ROWS)

    def _merit(self, spread):
        """Return the log-density of the rows less what miscalibration costs, a float."""
        pool = pooled(self.answers, self.shares, spread)
        return self.weight @ pool.logpdf(self.y) - CALIBRATION * self._miscalibration(pool)

    def _miscalibration(self, pool):
        """Return by how many nats tail probabilities are unlike those of a calibrated pool.

        Shares of answers that lie further out, 2 min(F, 1 - F), are uniform there, and minus their
        logarithms exponential with mean 1. For a mean of v, n rows are likelier by
        n (v - 1 - log v) under an exponential density of their own.
        """
        below = pool.cdf(self.y)
        outside = np.maximum(2.0 * np.minimum(below, 1.0 - below), LEAST_TAIL)
        mean = np.average(-np.log(outside), axis=0, weights=self.weight)
        return self.weight.sum() * np.mean(mean - 1.0 - np.log(mean))


def stacked_shares(logs, weight=None):
    """Return the shares (m,) of members under which held-out rows are likeliest.

    Parameters
    ----------
    logs : ndarray of shape (m, n)
        Log-densities of the rows under each member. Without rows all members count the same.
    weight : ndarray of shape (n,) or None
        Weights of the rows.

    Notes
    -----
    EM for the weights of a mixture, each member with `PRIOR_ROWS` rows of its own beforehand.
    """
    m, n = logs.shape
    weight = np.ones(n) if weight is None else weight
    shares = np.full(m, 1.0 / m)
    for _ in range(STEPS):
        responsible = pool_and_share(logs.T + np.log(shares))[1]
        counts = responsible.T @ weight + PRIOR_ROWS
        shares = counts / counts.sum()
    return shares
