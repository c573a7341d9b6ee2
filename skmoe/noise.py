"""Gaussian noise around a bank of K experts with q outputs: spherical, diagonal or full.

Each model holds L covariances: one for each expert (L = K), or one that all share (L = 1, "tied").
What must be positive is stored as a logarithm, so every flat vector is a valid noise model.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import final

import numpy as np

from skmoe.base import Parameters

_LOG_2PI = float(np.log(2.0 * np.pi))
_EPS, _TINY = np.finfo(np.float64).eps, np.finfo(np.float64).tiny
# A variance this close to its floor, as a share of it, is at the floor.
_AT_FLOOR = 1e-9


class Noise(Parameters):
    """The covariances of K Gaussian experts; see the three final classes of this module."""

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
        covariance = _estimate(scatter, count, tied)
        variance = np.trace(covariance, axis1=1, axis2=2) / scatter.shape[-1]
        return cls(np.log(np.maximum(variance, max(floor, _TINY))), scatter.shape[-1])

    # n_outputs is no learned number: it must stay out of the flat vector.
    def flatten(self):
        return np.array(self.log_variance, dtype=np.float64).ravel()

    @property
    def size(self):
        return np.size(self.log_variance)

    def unflatten(self, vector):
        return replace(self, log_variance=np.reshape(vector, np.shape(self.log_variance)))

    def log_prob(self, residual):
        square = _sum_of_squares(residual)
        return _normal(square, np.exp(-self.log_variance), self.log_variance, residual.shape[-1])

    def gradient(self, scatter, count, floor):
        square = np.trace(scatter, axis1=1, axis2=2)
        slope = _variance_slope(self.log_variance, square, count * scatter.shape[-1], floor)
        return replace(self, log_variance=slope)

    def floored(self, floor):
        return replace(self, log_variance=np.maximum(self.log_variance, np.log(max(floor, _TINY))))

    def covariance(self, n_experts):
        covariance = np.exp(self.log_variance)[:, None, None] * np.eye(self.n_outputs)
        return _for_each(covariance, n_experts)

    def standard_deviation(self, n_experts):
        deviation = np.exp(0.5 * self.log_variance)[:, None]
        return np.broadcast_to(deviation, (n_experts, self.n_outputs))

    def publish(self, n_experts):
        return np.exp(self.log_variance)

    def precision_quadratic(self, B):
        return float(np.sum(np.exp(-self.log_variance) * np.einsum("kpq,kpq->k", B, B)))

    def scaled(self, scale):
        log_scale = np.log(np.broadcast_to(scale, (self.n_outputs,)))
        if np.all(log_scale == log_scale[0]):
            return replace(self, log_variance=self.log_variance + 2.0 * log_scale[0])
        return DiagonalNoise(self.log_variance[:, None] + 2.0 * log_scale)

    def color(self, white, expert):
        return _standard_deviations_of(self.log_variance[:, None], expert) * white


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
        covariance = _estimate(scatter, count, tied)
        variance = np.diagonal(covariance, axis1=1, axis2=2)
        return cls(np.log(np.maximum(variance, max(floor, _TINY))))

    def log_prob(self, residual):
        n_outputs = residual.shape[-1]
        if n_outputs == 1:
            square, precision = _sum_of_squares(residual), np.exp(-self.log_variance[:, 0])
        else:
            square, precision = _sum_of_squares(residual, np.exp(-0.5 * self.log_variance)), None
        return _normal(square, precision, self.log_variance.sum(axis=1) / n_outputs, n_outputs)

    def gradient(self, scatter, count, floor):
        square = np.diagonal(scatter, axis1=1, axis2=2)
        counts = np.broadcast_to(count[:, None], square.shape)
        return DiagonalNoise(_variance_slope(self.log_variance, square, counts, floor))

    def floored(self, floor):
        return replace(self, log_variance=np.maximum(self.log_variance, np.log(max(floor, _TINY))))

    def covariance(self, n_experts):
        covariance = np.exp(self.log_variance)[:, :, None] * np.eye(self.log_variance.shape[1])
        return _for_each(covariance, n_experts)

    def standard_deviation(self, n_experts):
        return _for_each(np.exp(0.5 * self.log_variance), n_experts)

    def publish(self, n_experts):
        return _drop_shared_axis(np.exp(self.log_variance), n_experts)

    def precision_quadratic(self, B):
        return float(np.sum(np.exp(-self.log_variance) * np.einsum("kpq,kpq->kq", B, B)))

    def scaled(self, scale):
        return DiagonalNoise(self.log_variance + 2.0 * np.log(scale))

    def color(self, white, expert):
        return _standard_deviations_of(self.log_variance, expert) * white


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
        values, vectors = np.linalg.eigh(_estimate(scatter, count, tied))
        # Below this share of the largest eigenvalue there is rounding only.
        least = np.maximum(_EPS * values[:, -1:], max(floor, _TINY))
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
            return _normal(_sum_of_squares(residual), np.exp(-log_variance), log_variance, 1)
        whitener = np.linalg.inv(self.cholesky()).astype(residual.dtype, copy=False)
        # Rows come last in memory as a rule: a stack of (q, q) @ (q, n) products without a copy.
        white = whitener @ np.moveaxis(residual, -3, -1)
        white *= white
        square = np.swapaxes(white.sum(axis=-2), -1, -2)
        return _normal(square, None, log_variance, n_outputs)

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
        slope[least <= floor * (1.0 + _AT_FLOOR)] = 0.0
        return FullNoise(slope[:, *_lower_triangle(lower.shape[1])])

    def floored(self, floor):
        rows, columns = _lower_triangle(len(self._logarithmic()[0]))
        least = np.where(rows == columns, 0.5 * np.log(max(floor, _TINY)), -np.inf)
        return FullNoise(np.maximum(self.factor, least))

    def cholesky(self):
        """Return the lower Cholesky factors of the covariances, shape (L, q, q)."""
        lower = self._logarithmic()
        diagonal = np.arange(lower.shape[1])
        lower[:, diagonal, diagonal] = np.exp(lower[:, diagonal, diagonal])
        return lower

    def covariance(self, n_experts):
        lower = self.cholesky()
        return _for_each(lower @ np.swapaxes(lower, 1, 2), n_experts)

    def standard_deviation(self, n_experts):
        return _for_each(np.sqrt(np.sum(self.cholesky() ** 2, axis=2)), n_experts)

    def publish(self, n_experts):
        lower = self.cholesky()
        return _drop_shared_axis(lower @ np.swapaxes(lower, 1, 2), n_experts)

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


def _variance_slope(log_variance, square, count, floor):
    """Slope of -count / 2 * log_variance - square / (2 variance), pooled if tied."""
    if len(log_variance) == 1:
        square, count = square.sum(axis=0, keepdims=True), count.sum(axis=0, keepdims=True)
    variance = np.exp(log_variance)
    slope = 0.5 * (square / variance - count)
    held = (variance <= floor * (1.0 + _AT_FLOOR)) & (slope < 0)
    return np.where(held, 0.0, slope)


def _estimate(scatter, count, tied):
    """Return scatter over count, pooled if tied and for experts without weight: (L, q, q)."""
    pooled = scatter.sum(axis=0, keepdims=True) / max(count.sum(), _TINY)
    if tied:
        return pooled
    empty = count <= _TINY
    own = scatter / np.where(empty, 1.0, count)[:, None, None]
    return np.where(empty[:, None, None], pooled, own)


def _free_coordinates(lower):
    """Return triangles (L, q, q) of positive diagonal as free numbers (L, q * (q + 1) // 2)."""
    rows, columns = _lower_triangle(lower.shape[1])
    factor = lower[:, rows, columns]
    on_diagonal = rows == columns
    factor[:, on_diagonal] = np.log(factor[:, on_diagonal])
    return factor


def _sum_of_squares(residual, inverse=None):
    """Return squared lengths (..., n, K) of residuals (..., n, K, q), each scaled by (L, q).

    Outputs are added one by one: each is one stretch of memory when the rows come last there.
    """
    total = None
    for j in range(residual.shape[-1]):
        if inverse is None:
            term = np.square(residual[..., j])
        else:
            term = residual[..., j] * inverse[:, j].astype(residual.dtype, copy=False)
            term *= term
        if total is None:
            total = term
        else:
            total += term
    return total


def _normal(square, precision, log_variance, n_outputs):
    """Turn squared lengths (..., n, K) into log-densities, in place.

    ``log_variance`` (L,) is the mean over outputs; ``precision`` (L,) or None for whitened ones.
    """
    half = -0.5 if precision is None else (-0.5 * precision).astype(square.dtype, copy=False)
    square *= half
    square -= (0.5 * n_outputs * (log_variance + _LOG_2PI)).astype(square.dtype, copy=False)
    return square


def _standard_deviations_of(log_variance, expert):
    """Return the standard deviations (m, n, q) of the experts (m, n); log_variance (L, q)."""
    deviation = np.exp(0.5 * log_variance)
    return deviation[0] if len(deviation) == 1 else deviation[expert]


def _for_each(values, n_experts):
    """Repeat shared values (1, ...) for every expert, as a view of shape (K, ...)."""
    return np.broadcast_to(values, (n_experts, *values.shape[1:]))


def _drop_shared_axis(values, n_experts):
    """Return values (L, ...) without the first axis if several experts share them."""
    return values[0] if len(values) == 1 < n_experts else values
