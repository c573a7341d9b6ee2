"""Quantiles and modes of mixtures over whole numbers."""

import numpy as np

from skmoe.distribution.densities import log_density, log_weights

__all__ = ["highest_probability", "least_integers"]

_MAX_STEPS = 10_000
_ROUNDING = 1e-12


def least_integers(excess, roots, active):
    """Return the least whole numbers (P, q) where an increasing step function is not negative.

    Parameters
    ----------
    excess : callable
        ``excess(active, y)``: values (p, q) at y (p, q) of the functions numbered in active (p,).
    roots : ndarray of shape (P, q)
        Where a search over real numbers ended: at the jump, or on the flat stretch behind it.
    active : ndarray of int
        Functions to look at; the others keep their roots.
    """
    active = active[np.isfinite(roots[active]).all(axis=1)]
    answer = roots.copy()
    if not len(active):
        return answer
    near = np.rint(roots[active])
    candidates = np.stack([near - 1.0, near, near + 1.0])
    reached = np.stack([excess(active, at) for at in candidates]) >= -_ROUNDING
    first = reached.argmax(axis=0)
    least = np.take_along_axis(candidates, first[None], axis=0)[0]
    answer[active] = np.where(reached.any(axis=0), least, near)
    return answer


def highest_probability(mixture):
    """Return the most probable answers (n, q), whole numbers in the components' units.

    Components that can list their few ``choices()`` (C, q) are asked for all of them. Else one
    output is climbed at a time, from every component's mean, until no neighbor is more probable.
    """
    n, _, n_outputs = mixture.shape
    log_weight = log_weights(mixture.weights)

    def height(y):
        return log_density(log_weight, mixture.components, y)

    if hasattr(mixture.components, "choices"):
        choices = mixture.components.choices()
        points = np.broadcast_to(choices[:, None, :], (len(choices), n, n_outputs))
        heights = height(points)
    else:
        means = np.moveaxis(np.floor(mixture.components.mean()), 1, 0)
        points, heights = _climb(height, means)
    return points[heights.argmax(axis=0), np.arange(n)]


def _climb(height, points):
    """Return points (m, n, q) of whole numbers that no neighbor excels, and their heights."""
    heights = height(points)
    moves = [step * unit for unit in np.eye(points.shape[-1]) for step in (1.0, -1.0)]
    for _ in range(_MAX_STEPS):
        climbed = False
        for move in moves:
            moved = np.maximum(points + move, 0.0)
            there = height(moved)
            better = there > heights
            points = np.where(better[..., None], moved, points)
            heights = np.where(better, there, heights)
            climbed |= better.any()
        if not climbed:
            break
    return points, heights
