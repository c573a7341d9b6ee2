"""What the models of noise share: estimates, densities and slopes of variances."""

import numpy as np

from skmoe._math.array_api import everywhere

_LOG_2PI = float(np.log(2.0 * np.pi))
TINY = np.finfo(np.float64).tiny
# A variance this close to its floor, as a share of it, is at the floor.
AT_FLOOR = 1e-9


def variance_slope(log_variance, square, count, floor):
    """Slope of -count / 2 * log_variance - square / (2 variance), pooled if tied."""
    if len(log_variance) == 1:
        square, count = square.sum(axis=0, keepdims=True), count.sum(axis=0, keepdims=True)
    variance = np.exp(log_variance)
    slope = 0.5 * (square / variance - count)
    held = (variance <= floor * (1.0 + AT_FLOOR)) & (slope < 0)
    return np.where(held, 0.0, slope)


def pooled_estimate(scatter, count, tied):
    """Return scatter over count, pooled if tied and for experts without weight: (L, q, q)."""
    pooled = scatter.sum(axis=0, keepdims=True) / max(count.sum(), TINY)
    if tied:
        return pooled
    empty = count <= TINY
    own = scatter / np.where(empty, 1.0, count)[:, None, None]
    return np.where(empty[:, None, None], pooled, own)


@everywhere
def sum_of_squares(residual, inverse=None):
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


@everywhere
def whitened_squares(residual, whitener):
    """Return squared lengths (..., n, K) of residuals (..., n, K, q) times whiteners (L, q, q)."""
    # Rows come last in memory as a rule: a stack of (q, q) @ (q, n) products without a copy.
    white = whitener.astype(residual.dtype, copy=False) @ np.moveaxis(residual, -3, -1)
    white *= white
    return np.swapaxes(white.sum(axis=-2), -1, -2)


@everywhere
def normal_log_prob(square, precision, log_variance, n_outputs):
    """Turn squared lengths (..., n, K) into log-densities, in place.

    ``log_variance`` (L,) is the mean over outputs; ``precision`` (L,) or None for whitened ones.
    """
    half = -0.5 if precision is None else (-0.5 * precision).astype(square.dtype, copy=False)
    square *= half
    square -= (0.5 * n_outputs * (log_variance + _LOG_2PI)).astype(square.dtype, copy=False)
    return square


def standard_deviations_of(log_variance, expert):
    """Return the standard deviations (m, n, q) of the experts (m, n); log_variance (L, q)."""
    deviation = np.exp(0.5 * log_variance)
    return deviation[0] if len(deviation) == 1 else deviation[expert]


def for_each(values, n_experts):
    """Repeat shared values (1, ...) for every expert, as a view of shape (K, ...)."""
    return np.broadcast_to(values, (n_experts, *values.shape[1:]))


def drop_shared_axis(values, n_experts):
    """Return values (L, ...) without the first axis if several experts share them."""
    return values[0] if len(values) == 1 < n_experts else values
