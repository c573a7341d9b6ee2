"""Gaussian densities around the means of a bank of experts."""

from __future__ import annotations

from typing import final

import numpy as np
from scipy.special import ndtr, ndtri

from skmoe.base import Components


@final
class GaussianComponents(Components):
    """K Gaussian densities of y at each of n rows.

    Parameters
    ----------
    mean : ndarray of shape (n, K, q)
        Means; best a transposed view of an array (q, K, n).
    noise : skmoe.noise.Noise
        Covariances, the same at all rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.experts.gaussian import GaussianComponents
    >>> from skmoe.noise import SphericalNoise
    >>> mean = np.array([[[0.0], [3.0]]])  # one row, two experts, one output
    >>> components = GaussianComponents(mean, SphericalNoise(np.log([1.0, 4.0])))
    >>> components.cdf(np.zeros((1, 1, 1))).round(3)
    array([[[0.5  ],
            [0.067]]])
    >>> components.ppf(0.5)
    array([[[0.],
            [3.]]])
    """

    def __init__(self, mean, noise):
        self._mean = mean
        self.noise = noise

    @property
    def shape(self):
        return self._mean.shape

    def take(self, rows):
        """Return the components of the given rows: an index array of shape (p,) or a slice."""
        # Indexing the transposed array keeps the rows last in memory.
        return GaussianComponents(self._mean.T[..., rows].T, self.noise)

    def gaussians(self):
        """Return means and deviations, (n, K, q) each."""
        deviations = self.noise.standard_deviation(self.shape[1])
        return self._mean, np.broadcast_to(deviations, self.shape)

    def blended(self, weights):
        """Return one component a row: the weighted mean of all, in the noise that they share.

        Parameters
        ----------
        weights : ndarray of shape (n, K)
        """
        blend = np.einsum("nk,nkq->nq", weights, self._mean)
        return GaussianComponents(blend[:, None, :], self.noise)

    def log_prob(self, y):
        return self.noise.log_prob(y - self._mean)

    def mean(self):
        return self._mean

    def covariance(self):
        return self.noise.covariance(self.shape[1])

    def cdf(self, y):
        z = y - self._mean
        z /= self.noise.standard_deviation(self.shape[1]).astype(z.dtype, copy=False)
        return ndtr(z, out=z)

    def ppf(self, q):
        shift = ndtri(q) * self.noise.standard_deviation(self.shape[1])
        return self._mean + shift.astype(self._mean.dtype, copy=False)

    def sample(self, expert, rng):
        white = rng.standard_normal((*expert.shape, self.shape[2]))
        return self._mean[np.arange(self.shape[0]), expert] + self.noise.color(white, expert)
