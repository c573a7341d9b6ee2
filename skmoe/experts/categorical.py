"""Probabilities of classes at the rows of a table, and experts that know nothing but them."""

from typing import final

import numpy as np
from scipy.special import gammaln

from skmoe.base import Components


def ways(y):
    """Return log n! / prod_c y_c!, shape (...): orders in which n trials (..., C) may have come."""
    total = y.sum(axis=-1)
    if (total <= 1).all():
        return np.zeros_like(total)
    return gammaln(total + 1.0) - gammaln(y + 1.0).sum(axis=-1)


@final
class CategoricalComponents(Components):
    """K distributions over C classes at each of n rows; an answer is a row of zeros and a one.

    Parameters
    ----------
    log_probability : ndarray of shape (n, K, C)

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.experts.categorical import CategoricalComponents
    >>> components = CategoricalComponents(np.log([[[0.25, 0.75]]]))
    >>> np.exp(components.log_prob(np.array([[[0.0, 1.0]]]))).round(2)
    array([[0.75]])
    """

    discrete = True

    def __init__(self, log_probability):
        self._logs = log_probability

    @property
    def shape(self):
        return self._logs.shape

    def take(self, rows):
        """Return the components of the given rows: an index array of shape (p,) or a slice."""
        return CategoricalComponents(self._logs[rows])

    def choices(self):
        """Return the possible answers, shape (C, C)."""
        return np.eye(self.shape[2])

    def log_prob(self, y):
        return np.sum(self._logs * y, axis=-1) + ways(y)

    def mean(self):
        return np.exp(self._logs)

    def covariance(self):
        p = np.exp(self._logs)
        return p[..., None] * (np.eye(p.shape[-1]) - p[..., None, :])

    def cdf(self, y):
        below = np.where(y >= 0.0, -np.expm1(self._logs), 0.0)
        return np.where(y >= 1.0, 1.0, below)

    def ppf(self, q):
        return np.where(q <= -np.expm1(self._logs), 0.0, 1.0)

    def sample(self, expert, rng):
        p = np.exp(self._logs[np.arange(self.shape[0]), expert])
        reached = np.cumsum(p, axis=-1)
        level = rng.random(expert.shape)[..., None] * reached[..., -1:]
        return np.eye(self.shape[2])[(level >= reached[..., :-1]).sum(axis=-1)]
