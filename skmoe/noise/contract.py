"""What every model of noise promises."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import fields, replace

import numpy as np

from skmoe.base import Parameters


class Noise(Parameters):
    """The covariances of K Gaussian experts; see its three final classes."""

    @classmethod
    @abstractmethod
    def fit(cls, scatter, count, tied, floor):
        """Return the noise of greatest likelihood.

        Parameters
        ----------
        scatter : ndarray of shape (K, q, q)
            Weighted sums of the residuals' outer products.
        count : ndarray of shape (K,)
            Sums of the weights. An expert without weight gets the pooled covariance.
        tied : bool
            Whether all experts share one covariance (L = 1) or not (L = K).
        floor : float
            Least variance (full: least eigenvalue of a covariance), in squared units of y.
        """

    @abstractmethod
    def log_prob(self, residual):
        """Return log-densities (..., n, K) of the residuals (..., n, K, q), in their dtype."""

    @abstractmethod
    def covariance(self, n_experts):
        """Return the covariances, shape (K, q, q); a read-only view if they are tied."""

    def precision(self, n_experts):
        """Return the inverse covariances, shape (K, q, q)."""
        return np.linalg.inv(self.covariance(n_experts))

    @abstractmethod
    def gradient(self, scatter, count, floor):
        """Return the slope of the log-likelihood in the free coordinates, as noise of this layout.

        Parameters
        ----------
        scatter : ndarray of shape (K, q, q)
            Weighted sums of the residuals' outer products.
        count : ndarray of shape (K,)
        floor : float
            Variances at the floor have slope zero where the likelihood would lower them.
        """

    @abstractmethod
    def floored(self, floor):
        """Return this noise with variances (full: pivots) of at least ``floor``."""

    @abstractmethod
    def standard_deviation(self, n_experts):
        """Return the outputs' standard deviations, shape (K, q)."""

    @abstractmethod
    def publish(self, n_experts):
        """Return the covariances in the shape that users read.

        Spherical: (K,), diagonal: (K, q), full: (K, q, q); when K > 1 experts share one
        covariance (1,), (q,) and (q, q).
        """

    @abstractmethod
    def precision_quadratic(self, B):
        """Return sum_k tr(inv(Sigma_k) B_k' B_k), a float, for B of shape (K, p, q)."""

    @abstractmethod
    def scaled(self, scale):
        """Return the noise of ``y * scale``, for positive scales of shape (q,)."""

    def n_parameters(self):
        """Return the number of free parameters, an int."""
        return self.size

    def keep(self, other, chosen):
        """Return this noise with the covariances of ``other`` where ``chosen`` (L,) is true."""
        kept = {}
        for field in fields(self):
            own, old = getattr(self, field.name), getattr(other, field.name)
            if np.ndim(own):
                kept[field.name] = np.where(chosen.reshape(-1, *[1] * (own.ndim - 1)), old, own)
        return replace(self, **kept)

    @abstractmethod
    def color(self, white, expert):
        """Return noise of the experts (m, n) made of standard normal draws (m, n, q)."""
