"""One variance for all outputs of an expert."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from skmoe._math.extremes import positive_numbers
from skmoe.noise.contract import Noise
from skmoe.noise.diagonal import DiagonalNoise
from skmoe.noise.estimates import (
    TINY,
    for_each,
    normal_log_prob,
    pooled_estimate,
    standard_deviations_of,
    sum_of_squares,
    variance_slope,
)


@final
@dataclass(frozen=True)
class SphericalNoise(Noise):
    """One variance for all outputs of an expert.

    Parameters
    ----------
    log_variance : ndarray of shape (L,)
        L is K, or 1 if the experts share it.
    n_outputs : int, default=1
        Number of outputs q; a shape, not a learned number.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.noise import SphericalNoise
    >>> scatter = np.array([8.0, 3.0]).reshape(2, 1, 1)
    >>> noise = SphericalNoise.fit(scatter, np.array([2.0, 3.0]), tied=False, floor=1e-6)
    >>> noise.publish(2)
    array([4., 1.])
    """

    log_variance: np.ndarray
    n_outputs: int = 1

    @classmethod
    def fit(cls, scatter, count, tied, floor):
        covariance = pooled_estimate(scatter, count, tied)
        variance = np.trace(covariance, axis1=1, axis2=2) / scatter.shape[-1]
        return cls(np.log(np.maximum(variance, max(floor, TINY))), scatter.shape[-1])

    # n_outputs is no learned number: it must stay out of the flat vector.
    def flatten(self):
        return np.array(self.log_variance, dtype=np.float64).ravel()

    @property
    def size(self):
        return np.size(self.log_variance)

    def unflatten(self, vector):
        return replace(self, log_variance=np.reshape(vector, np.shape(self.log_variance)))

    def log_prob(self, residual):
        square = sum_of_squares(residual)
        return normal_log_prob(
            square, np.exp(-self.log_variance), self.log_variance, residual.shape[-1]
        )

    def gradient(self, scatter, count, floor):
        square = np.trace(scatter, axis1=1, axis2=2)
        slope = variance_slope(self.log_variance, square, count * scatter.shape[-1], floor)
        return replace(self, log_variance=slope)

    def floored(self, floor):
        return replace(self, log_variance=np.maximum(self.log_variance, np.log(max(floor, TINY))))

    def covariance(self, n_experts):
        covariance = np.exp(self.log_variance)[:, None, None] * np.eye(self.n_outputs)
        return for_each(covariance, n_experts)

    def standard_deviation(self, n_experts):
        deviation = np.exp(0.5 * self.log_variance)[:, None]
        return np.broadcast_to(deviation, (n_experts, self.n_outputs))

    def publish(self, n_experts):
        return positive_numbers(self.log_variance)

    def precision_quadratic(self, B):
        return float(np.sum(np.exp(-self.log_variance) * np.einsum("kpq,kpq->k", B, B)))

    def scaled(self, scale):
        log_scale = np.log(np.broadcast_to(scale, (self.n_outputs,)))
        if np.all(log_scale == log_scale[0]):
            return replace(self, log_variance=self.log_variance + 2.0 * log_scale[0])
        return DiagonalNoise(self.log_variance[:, None] + 2.0 * log_scale)

    def color(self, white, expert):
        return standard_deviations_of(self.log_variance[:, None], expert) * white
