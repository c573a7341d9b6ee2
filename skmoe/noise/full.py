"""A full covariance matrix for each expert, by its Cholesky factor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np

from skmoe._math.extremes import positive_numbers
from skmoe.noise.contract import Noise
from skmoe.noise.estimates import (
    AT_FLOOR,
    TINY,
    drop_shared_axis,
    for_each,
    normal_log_prob,
    pooled_estimate,
    sum_of_squares,
    whitened_squares,
)


@final
@dataclass(frozen=True)
class FullNoise(Noise):
    """A full covariance matrix for each expert, by its Cholesky factor.

    Parameters
    ----------
    factor : ndarray of shape (L, q * (q + 1) // 2)
        Lower triangles, row by row, of the Cholesky factors of the covariances, with the
        logarithms of their diagonals. L is K, or 1 if the experts share it.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.noise import FullNoise
    >>> scatter = np.array([[[8.0, 2.0], [2.0, 4.0]]])
    >>> FullNoise.fit(scatter, np.array([2.0]), False, 1e-6).publish(1).round(6)
    array([[[4., 1.],
            [1., 2.]]])
    """

    factor: np.ndarray

    @classmethod
    def fit(cls, scatter, count, tied, floor):
        values, vectors = np.linalg.eigh(pooled_estimate(scatter, count, tied))
        # Below this share of the largest eigenvalue there is rounding only.
        least = np.maximum(np.finfo(np.float64).eps * values[:, -1:], max(floor, TINY))
        roots = np.sqrt(np.maximum(values, least))
        # Unlike Cholesky's, the triangle of a QR factorization exists however singular they are.
        upper = np.linalg.qr(np.swapaxes(vectors * roots[:, None, :], 1, 2), mode="r")
        signs = np.where(np.diagonal(upper, axis1=1, axis2=2) < 0, -1.0, 1.0)
        return cls(_free_coordinates(np.swapaxes(upper * signs[:, :, None], 1, 2)))

    def log_prob(self, residual):
        log_diagonal = np.diagonal(self._logarithmic(), axis1=1, axis2=2)
        n_outputs = log_diagonal.shape[1]
        log_variance = 2.0 * log_diagonal.sum(axis=1) / n_outputs
        if n_outputs == 1:
            return normal_log_prob(sum_of_squares(residual), np.exp(-log_variance), log_variance, 1)
        square = whitened_squares(residual, np.linalg.inv(self.cholesky()))
        return normal_log_prob(square, None, log_variance, n_outputs)

    def gradient(self, scatter, count, floor):
        if len(self.factor) == 1:
            scatter, count = scatter.sum(axis=0, keepdims=True), count.sum(keepdims=True)
        lower = self.cholesky()
        whitener = np.linalg.inv(lower)
        white = whitener @ scatter @ np.swapaxes(whitener, 1, 2)
        slope = np.tril(np.swapaxes(whitener, 1, 2) @ white)
        diagonal = np.arange(lower.shape[1])
        slope[:, diagonal, diagonal] *= lower[:, diagonal, diagonal]
        slope[:, diagonal, diagonal] -= count[:, None]
        least = np.linalg.eigvalsh(lower @ np.swapaxes(lower, 1, 2))[:, 0]
        slope[least <= floor * (1.0 + AT_FLOOR)] = 0.0
        return FullNoise(slope[:, *_lower_triangle(lower.shape[1])])

    def floored(self, floor):
        rows, columns = _lower_triangle(len(self._logarithmic()[0]))
        least = np.where(rows == columns, 0.5 * np.log(max(floor, TINY)), -np.inf)
        return FullNoise(np.maximum(self.factor, least))

    def cholesky(self):
        """Return the lower Cholesky factors of the covariances, shape (L, q, q)."""
        lower = self._logarithmic()
        diagonal = np.arange(lower.shape[1])
        lower[:, diagonal, diagonal] = np.exp(lower[:, diagonal, diagonal])
        return lower

    def covariance(self, n_experts):
        lower = self.cholesky()
        return for_each(lower @ np.swapaxes(lower, 1, 2), n_experts)

    def standard_deviation(self, n_experts):
        return for_each(np.sqrt(np.sum(self.cholesky() ** 2, axis=2)), n_experts)

    def publish(self, n_experts):
        lower = self.cholesky()
        # Squares of deviations may leave the numbers where the deviations do not.
        deviation = np.hypot.reduce(lower, axis=2)
        lower /= deviation[:, :, None]
        log_deviation = np.log(deviation)
        size = positive_numbers(log_deviation[:, :, None] + log_deviation[:, None, :])
        return drop_shared_axis(lower @ np.swapaxes(lower, 1, 2) * size, n_experts)

    def precision_quadratic(self, B):
        white = np.linalg.inv(self.cholesky()) @ np.swapaxes(B, 1, 2)
        return float(np.sum(white * white))

    def scaled(self, scale):
        lower = self.cholesky()
        scale = np.broadcast_to(scale, lower.shape[1:2])
        return FullNoise(_free_coordinates(scale[:, None] * lower))

    def color(self, white, expert):
        lower = self.cholesky()
        if len(lower) == 1:
            return white @ lower[0].T
        colored = np.empty_like(white)
        for k, factor in enumerate(lower):
            chosen = expert == k
            colored[chosen] = white[chosen] @ factor.T
        return colored

    def _logarithmic(self):
        """Return the stored triangles as matrices (L, q, q), logarithms on the diagonals."""
        n_outputs = int((np.sqrt(8 * self.factor.shape[1] + 1) - 1) / 2)
        lower = np.zeros((len(self.factor), n_outputs, n_outputs))
        rows, columns = _lower_triangle(n_outputs)
        lower[:, rows, columns] = self.factor
        return lower


@lru_cache
def _lower_triangle(n_outputs):
    return np.tril_indices(n_outputs)


def _free_coordinates(lower):
    """Return triangles (L, q, q) of positive diagonal as free numbers (L, q * (q + 1) // 2)."""
    rows, columns = _lower_triangle(lower.shape[1])
    factor = lower[:, rows, columns]
    on_diagonal = rows == columns
    factor[:, on_diagonal] = np.log(factor[:, on_diagonal])
    return factor
