"""The continuous ranked probability score of predictive mixtures."""

import numpy as np
from scipy.special import ndtr

__all__ = ["component_knots", "gaussian_crps", "integrated_crps", "ranked_crps"]

_SQRT_2PI = float(np.sqrt(2.0 * np.pi))
# Quantiles of the components between which a mixture's distribution function is smooth.
LEVELS = np.array([1e-7, 1e-4, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0 - 1e-4, 1.0 - 1e-7])
# Components of less weight than this in a row lend no quantiles.
LEAST_WEIGHT = 1e-4
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(4)


def gaussian_crps(weights, means, deviations, y):
    """Return the scores (n, q) of mixtures of K Gaussians.

    Parameters
    ----------
    weights : ndarray of shape (n, K)
    means, deviations : ndarray of shape (n, K, q)
    y : ndarray of shape (n, q)

    Notes
    -----
    E|Y - y| - E|Y - Y'| / 2, and E|Z| = m (2 Phi(m / s) - 1) + 2 s phi(m / s) for Z ~ N(m, s^2).

    References
    ----------
    Grimit, Gneiting, Berrocal and Johnson (2006), The continuous ranked probability score for
    circular variables and its application to mesoscale forecast ensemble verification, eq. 4.
    """
    score = np.einsum("nk,nkq->nq", weights, _absolute(y[:, None] - means, deviations))
    for k in range(weights.shape[1]):
        apart = _absolute(means[:, k, None] - means, np.hypot(deviations[:, k, None], deviations))
        pairs = weights * weights[:, k, None]
        score -= 0.5 * np.einsum("nk,nkq->nq", pairs, apart)
    return score


def _absolute(mean, deviation):
    """Return E|Z| of Z ~ N(mean, deviation^2)."""
    z = mean / deviation
    density = np.exp(-0.5 * np.square(z)) / _SQRT_2PI
    return mean * (2.0 * ndtr(z) - 1.0) + 2.0 * deviation * density


def integrated_crps(cdf, knots, y):
    """Return the scores (n, q) of continuous distributions, by Gauss's rule between knots.

    Parameters
    ----------
    cdf : callable
        ``cdf(x)``: distribution functions (m, n, q) at x (m, n, q).
    knots : ndarray of shape (m, n, q)
        Places, in any order, between which the distribution functions are smooth; nan for none.
    y : ndarray of shape (n, q)

    Notes
    -----
    The integral of (F(x) - 1{x >= y})^2.
    """
    knots = np.where(np.isnan(knots), y, knots)
    ends = np.sort(np.concatenate([knots, y[None]]), axis=0)
    half, middle = 0.5 * np.diff(ends, axis=0), 0.5 * (ends[1:] + ends[:-1])
    score = np.zeros(y.shape)
    for node, share in zip(_NODES, _NODE_WEIGHTS, strict=True):
        x = middle + node * half
        score += share * np.sum(half * np.square(cdf(x) - (x >= y)), axis=0)
    return score


def ranked_crps(cdf, last, y):
    """Return the scores (n, q) of distributions over whole numbers from 0 to ``last``."""
    score = np.zeros(y.shape)
    for whole in range(int(last) + 1):
        score += np.square(cdf(np.full(y.shape, float(whole))) - (whole >= y))
    return score


def component_knots(weights, components):
    """Return quantiles (m, n, q) of the components that matter; nan where they do not."""
    matters = np.where((weights > LEAST_WEIGHT).T[:, :, None], 0.0, np.nan)
    quantiles = np.stack([np.moveaxis(components.ppf(level), 1, 0) for level in LEVELS])
    kept = ~np.isnan(matters).all(axis=(1, 2))
    knots = quantiles[:, kept] + matters[kept]
    return knots.reshape(-1, *knots.shape[2:])
