"""Densities of a mixture at points of its rows."""

import numpy as np

__all__ = ["Trials", "log_density", "log_joint", "log_sum", "log_weights", "marginal_cdf"]


class Trials:
    """m points at each of n rows, in one axis with the rows running fastest.

    Calls evaluate a function at any of them, so that the points that are done cost no more.
    """

    def __init__(self, weights, components, n_trials):
        self._weights, self._components = weights, components
        self._n_trials = n_trials

    def __call__(self, function, active, y):
        """Return ``function(weights, components, y)`` at the points numbered in active (p,).

        y has shape (..., p, q); the answer has p where y has it.
        """
        n, n_points = len(self._weights), len(self._weights) * self._n_trials
        if len(active) < n_points and hasattr(self._components, "take"):
            rows = active % n
            return function(self._weights[rows], self._components.take(rows), y)
        full = np.zeros((*y.shape[:-2], n_points, y.shape[-1]))
        full[..., active, :] = y
        values = function(
            self._weights,
            self._components,
            full.reshape(*y.shape[:-2], self._n_trials, n, y.shape[-1]),
        )
        axis = y.ndim - 2
        flat = values.reshape(*values.shape[:axis], n_points, *values.shape[axis + 2 :])
        return flat[(slice(None),) * axis + (active,)]


def log_weights(weights):
    """Return logarithms of weights, -inf where they are zero."""
    with np.errstate(divide="ignore"):
        return np.log(weights)


def log_joint(log_weight, components, y):
    """Return log weight times density of each component, (..., n, K), at y (..., n, q)."""
    with np.errstate(over="ignore"):
        return components.log_prob(y[..., None, :]) + log_weight


def log_density(log_weight, components, y):
    """Return the log-densities (..., n) at y (..., n, q)."""
    return log_sum(log_joint(log_weight, components, y))


def log_sum(joint):
    """Return log sum exp over the last axis; -inf where all are."""
    peak = joint.max(axis=-1)
    peak = np.where(np.isfinite(peak), peak, 0.0)
    return peak + log_weights(np.exp(joint - peak[..., None]).sum(axis=-1))


def marginal_cdf(weights, components, y):
    """Return the marginal distribution functions (..., n, q) at y (..., n, q)."""
    values = np.einsum("nk,...nkq->...nq", weights, components.cdf(y[..., None, :]))
    return np.minimum(values, 1.0, out=values)
