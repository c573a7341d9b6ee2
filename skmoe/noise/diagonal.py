"""One variance for each output of an expert."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from skmoe._math.extremes import positive_numbers
from skmoe.noise.contract import Noise
from skmoe.noise.estimates import (
    TINY,
    drop_shared_axis,
    for_each,
    normal_log_prob,
    pooled_estimate,
    standard_deviations_of,
    sum_of_squares,
    variance_slope,
)


@final
@dataclass(frozen=True)
class DiagonalNoise(Noise):
    """One variance for each output of an expert.

    Parameters
    ----------
    log_variance : ndarray of shape (L, q)
        L is K, or 1 if the experts share it.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.noise import DiagonalNoise
    >>> noise = DiagonalNoise.fit(np.diag([8.0, 2.0])[None], np.array([2.0]), False, 1e-6)
    >>> noise.publish(1)
    array([[4., 1.]])
    """

    log_variance: np.ndarray

    @classmethod
    def fit(cls, scatter, count, tied, floor):
        covariance = pooled_estimate(scatter, count, tied)
        variance = np.diagonal(covariance, axis1=1, axis2=2)
        return cls(np.log(np.maximum(variance, max(floor, TINY))))

    def log_prob(self, residual):
        n_outputs = residual.shape[-1]
        if n_outputs == 1:
            square, precision = sum_of_squares(residual), np.exp(-self.log_variance[:, 0])
        else:
            square, precision = sum_of_squares(residual, np.exp(-0.5 * self.log_variance)), None
        return normal_log_prob(
            square, precision, self.log_variance.sum(axis=1) / n_outputs, n_outputs
        )

    def gradient(self, scatter, count, floor):
        square = np.diagonal(scatter, axis1=1, axis2=2)
        counts = np.broadcast_to(count[:, None], square.shape)
        return DiagonalNoise(variance_slope(self.log_variance, square, counts, floor))

    def floored(self, floor):
        return replace(self, log_variance=np.maximum(self.log_variance, np.log(max(floor, TINY))))

    def covariance(self, n_experts):
        covariance = np.exp(self.log_variance)[:, :, None] * np.eye(self.log_variance.shape[1])
        return for_each(covariance, n_experts)

    def standard_deviation(self, n_experts):
        return for_each(np.exp(0.5 * self.log_variance), n_experts)

    def publish(self, n_experts):
        return drop_shared_axis(positive_numbers(self.log_variance), n_experts)

    def precision_quadratic(self, B):
        return float(np.sum(np.exp(-self.log_variance) * np.einsum("kpq,kpq->kq", B, B)))

    def scaled(self, scale):
        return DiagonalNoise(self.log_variance + 2.0 * np.log(scale))

    def color(self, white, expert):
        return standard_deviations_of(self.log_variance, expert) * white
