"""The highest summit of a mixture density: climbs from where components and pairs peak."""

import math

import numpy as np

from skmoe.distribution.densities import Trials, log_density, log_joint, log_weights

__all__ = ["highest_summit"]

_MAX_CLIMBS = 200


def highest_summit(mixture):
    """Return the global maxima (n, q) of the mixture's densities, in the components' units."""
    starts, heights = _starts(mixture)
    n_starts, n, n_outputs = starts.shape
    # Components whose own peaks are this low add next to nothing to the highest summit.
    worthwhile = heights > heights.max(axis=0) - math.log(10.0 * mixture.shape[1])
    trials = Trials(log_weights(mixture.weights), mixture.components, n_starts)
    summits, heights = _climb(
        trials,
        starts.reshape(-1, n_outputs),
        heights.ravel(),
        np.flatnonzero(worthwhile),
        _spread(mixture.components),
    )
    best = heights.reshape(n_starts, n).argmax(axis=0)
    return summits.reshape(starts.shape)[best, np.arange(n)]


def _spread(components):
    """Return half the central 68% intervals, (n, K, q): finite where variances need not be."""
    spread = 0.5 * (components.ppf(0.8413447460685429) - components.ppf(0.15865525393145707))
    return np.maximum(spread, np.finfo(np.float64).tiny ** 0.25)


def _starts(mixture):
    """Return where to climb from (m, n, q) and the log-densities there (m, n)."""
    means = np.moveaxis(np.asarray(mixture.components.mean(), dtype=np.float64), 1, 0)
    heights = _heights(mixture, means)
    if mixture.shape[2] > 1 and mixture.shape[1] > 1:
        crossings, crossing_heights = _crossings(mixture)
        means = np.concatenate([means, crossings])
        heights = np.concatenate([heights, crossing_heights])
    return means, heights


def _crossings(mixture):
    """Return the K highest points (K, n, q) where a product of two components peaks; heights too.

    Two long, thin densities that cross have a summit there, which belongs to neither mean.
    """
    n, n_experts, n_outputs = mixture.shape
    covariance = np.broadcast_to(
        mixture.components.covariance(), (n, n_experts, n_outputs, n_outputs)
    )
    means = mixture.components.mean()
    i, j = np.triu_indices(n_experts, 1)
    # inv(P_i + P_j) (P_i m_i + P_j m_j) without inverses of each covariance
    offset = (means[:, j] - means[:, i])[..., None]
    shift = covariance[:, i] @ np.linalg.solve(covariance[:, i] + covariance[:, j], offset)
    points = np.moveaxis(means[:, i] + shift[..., 0], 1, 0)
    heights = _heights(mixture, points)
    order = np.argsort(-heights, axis=0)[:n_experts]
    points = np.take_along_axis(points, order[..., None], axis=0)
    return points, np.take_along_axis(heights, order, axis=0)


def _heights(mixture, y):
    """Return the log-densities (m, n) at y (m, n, q), -inf where there are none."""
    heights = log_density(log_weights(mixture.weights), mixture.components, y)
    return np.where(np.isnan(heights), -np.inf, heights)


def _climb(trials, y, heights, active, spread):
    """Return the points y (P, q) and their log-densities (P,) after the active ones have climbed.

    Newton steps of at most one local spread on the log-density, with derivatives from
    differences; a step that does not climb is shortened.
    """
    summits, heights, n = y.copy(), heights.copy(), len(spread)
    shortening = np.ones(len(y))
    for _ in range(_MAX_CLIMBS):
        here = summits[active]
        step, length = _newton_step(trials, active, here, spread[active % n])
        there = here + shortening[active, None] * step
        height = trials(log_density, active, there)
        better = height > heights[active]
        climbed = active[better]
        summits[climbed], heights[climbed] = there[better], height[better]
        shortening[climbed] = np.minimum(1.0, 4.0 * shortening[climbed])
        shortening[active[~better]] *= 0.25
        # Differences settle a summit to about 1e-8 spreads; shorter steps are noise.
        active = active[length * shortening[active] > 1e-8]
        if not len(active):
            break
    return summits, heights


def _newton_step(trials, active, y, spread):
    """Return ascent steps (p, q) at y (p, q) and their lengths (p,) in local spreads."""
    unit = _local_unit(trials(log_joint, active, y), spread)
    n_outputs, width = y.shape[1], 1e-4
    stencil = _stencil(n_outputs)
    values = trials(log_density, active, y + width * stencil[:, None, :] * unit)
    gradient, curvature = _differences(values, n_outputs, width)
    step = _bounded_newton(gradient, curvature)
    length = np.sqrt(np.sum(step * step, axis=1))
    return step * unit, length


def _local_unit(joint, spread):
    """Return the length (p, q) at which the density bends, from the components felt here."""
    share = np.exp(joint - joint.max(axis=-1, keepdims=True))
    share /= share.sum(axis=-1, keepdims=True)
    return 1.0 / np.sqrt(np.einsum("pk,pkq->pq", share, spread**-2.0))


def _stencil(n_outputs):
    """Return offsets (t, q): none, every +e_i, every -e_i, every e_i + e_j, every -e_i - e_j."""
    axes = np.eye(n_outputs)
    i, j = np.triu_indices(n_outputs, 1)
    pairs = axes[i] + axes[j]
    return np.concatenate([np.zeros((1, n_outputs)), axes, -axes, pairs, -pairs])


def _differences(values, n_outputs, width):
    """Return the gradient (p, q) and minus the Hessian (p, q, q) of values (t, p) on a stencil."""
    center = values[0]
    plus, minus = values[1 : n_outputs + 1], values[n_outputs + 1 : 2 * n_outputs + 1]
    forth, back = np.split(values[2 * n_outputs + 1 :], 2)
    with np.errstate(invalid="ignore"):
        gradient = ((plus - minus) / (2.0 * width)).T
        second = (plus - center) + (minus - center)
        curvature = np.empty((len(center), n_outputs, n_outputs))
        diagonal = np.arange(n_outputs)
        curvature[:, diagonal, diagonal] = (-second / width**2).T
        i, j = np.triu_indices(n_outputs, 1)
        mixed = (forth - center) + (back - center) - second[i] - second[j]
        curvature[:, i, j] = curvature[:, j, i] = (-mixed / (2.0 * width**2)).T
    # Beyond the support there is nothing to climb: stay.
    known = np.isfinite(gradient).all(axis=1) & np.isfinite(curvature).all(axis=(1, 2))
    return np.where(known[:, None], gradient, 0.0), np.where(known[:, None, None], curvature, 1.0)


def _bounded_newton(gradient, curvature):
    """Return Newton steps (p, q) of at most unit length, uphill also where the surface is convex.

    ``curvature`` is minus the Hessian, in units in which a component's own is about 1.
    """
    if gradient.shape[1] == 1:
        values, vectors = curvature[:, 0], np.ones_like(curvature)
    else:
        values, vectors = np.linalg.eigh(curvature)
    values = np.where(values > 1e-6, values, 1.0)
    along = np.einsum("pij,pi->pj", vectors, gradient) / values
    step = np.einsum("pij,pj->pi", vectors, along)
    length = np.sqrt(np.sum(step * step, axis=1, keepdims=True))
    return step / np.maximum(length, 1.0)
