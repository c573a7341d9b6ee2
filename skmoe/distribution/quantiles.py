"""Quantiles of a mixture: between those of its components, where its distribution function says."""

import numpy as np

from skmoe._math.roots import increasing_roots
from skmoe.distribution.densities import Trials, marginal_cdf
from skmoe.distribution.discrete import least_integers

__all__ = ["quantiles_at"]


def quantiles_at(mixture, levels):
    """Return the mixture's quantiles (m, n, q) at levels (m,), in the components' units."""
    brackets = [_bracket(mixture, level) for level in levels]
    low, high = (np.concatenate(ends) for ends in zip(*brackets, strict=True))
    trials = Trials(mixture.weights.astype(np.float64), mixture.components, len(levels))
    level = np.repeat(levels, mixture.shape[0])[:, None]

    def excess(active, y):
        return trials(marginal_cdf, active, y) / level[active] - 1.0

    roots = increasing_roots(excess, low, high)
    if getattr(mixture.components, "discrete", False):
        roots = least_integers(excess, roots, np.flatnonzero(level > 0))
    return roots.reshape(len(levels), *mixture.shape[::2])


def _bracket(mixture, level):
    """Return bounds (n, q) of the quantile: the least and the greatest of the components."""
    if not 0.0 <= level <= 1.0:
        missing = np.full(mixture.shape[::2], np.nan)
        return missing, missing
    quantiles = mixture.components.ppf(level)
    idle = mixture.weights[:, :, None] <= 0
    low = np.where(idle, np.inf, quantiles).min(axis=1)
    high = np.where(idle, -np.inf, quantiles).max(axis=1)
    # The ends of the support are reached by the outermost component, no matter its weight.
    return (low if level < 1.0 else high), (high if level > 0.0 else low)
