"""Gaussian components whose means and deviations differ from row to row."""

from typing import final

import numpy as np
from scipy.special import ndtr, ndtri

from skmoe.base import Components

__all__ = ["RowGaussians"]

_LOG_2PI = float(np.log(2.0 * np.pi))


@final
class RowGaussians(Components):
    """K Gaussians at each of n rows, with independent outputs: y_q ~ N(mean, deviation^2).

    Parameters
    ----------
    means, deviations : array-like of shape (n, K, q)
        In the units of the components; deviations are positive.

    Examples
    --------
    >>> from skmoe.distribution import MixtureDistribution, RowGaussians
    >>> components = RowGaussians([[[0.0], [4.0]]], [[[1.0], [2.0]]])
    >>> answer = MixtureDistribution([[0.5, 0.5]], components)
    >>> answer.mean(), answer.var()
    (array([2.]), array([6.5]))
    """

    def __init__(self, means, deviations):
        self.means = np.asarray(means, dtype=np.float64)
        self.deviations = np.asarray(deviations, dtype=np.float64)

    @property
    def shape(self):
        return self.means.shape

    def take(self, rows):
        """Return the components at some of the rows."""
        return RowGaussians(self.means[rows], self.deviations[rows])

    def gaussians(self):
        """Return means and deviations, (n, K, q) each."""
        return self.means, self.deviations

    def log_prob(self, y):
        z = (y - self.means) / self.deviations
        logs = -0.5 * np.sum(z * z, axis=-1)
        return logs - np.sum(np.log(self.deviations) + 0.5 * _LOG_2PI, axis=-1)

    def mean(self):
        return self.means

    def covariance(self):
        return np.square(self.deviations)[..., None] * np.eye(self.shape[2])

    def cdf(self, y):
        return ndtr((y - self.means) / self.deviations)

    def ppf(self, q):
        return self.means + self.deviations * ndtri(q)

    def sample(self, expert, rng):
        lines = np.arange(self.shape[0])
        white = rng.standard_normal((*expert.shape, self.shape[2]))
        return self.means[lines, expert] + self.deviations[lines, expert] * white
