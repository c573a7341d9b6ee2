"""What several test modules share."""

from dataclasses import fields, is_dataclass

import numpy as np


def flat(record):
    """Return every number of a (nested) record as one float64 vector."""
    if is_dataclass(record):
        return np.concatenate([flat(getattr(record, f.name)) for f in fields(record)])
    return np.ravel(np.asarray(record, dtype=np.float64))


def perturbed(theta, rng, spread=0.3):
    """Return parameters some way off theta, in their free coordinates."""
    return theta.unflatten(theta.flatten() + spread * rng.standard_normal(theta.size))


def random_weights(rng, n_rows, n_experts):
    """Return arbitrary responsibilities (n, K) times row weights that are not all alike."""
    share = rng.dirichlet(np.full(n_experts, 0.7), size=n_rows)
    return share * rng.uniform(0.5, 2.0, size=(n_rows, 1))


def gradient(function, vector, step=1e-5):
    """Return the gradient of a scalar function by central differences."""
    slopes = np.empty(len(vector))
    for i in range(len(vector)):
        shift = np.zeros(len(vector))
        shift[i] = step
        slopes[i] = (function(vector + shift) - function(vector - shift)) / (2.0 * step)
    return slopes


def falls(bounds):
    """Return how far each of the bounds lies below its predecessor, as a share of its size."""
    bounds = np.asarray(bounds)
    return -np.diff(bounds) / np.maximum(np.abs(bounds[1:]), 1.0)


def answers(target, rng, n_rows, q):
    """Return answers (n, q) of the kind a family takes; classes as q + 1 columns of 0 and 1."""
    if target.classes:
        return np.eye(q + 1)[rng.randint(q + 1, size=n_rows)]
    if target.discrete:
        return rng.poisson(3.0, size=(n_rows, q)).astype(np.float64)
    if target.least == 0.0:
        return rng.gamma(2.0, size=(n_rows, q))
    return rng.standard_normal((n_rows, q))


def support(target, size=40_001):
    """Return points of one output's support, and what a sum over them stands for at each."""
    if target.discrete:
        points = np.arange(2_000.0)
        return points, np.ones(len(points))
    t = np.linspace(-22.0, 22.0, size)
    points, slope = (np.exp(t), np.exp(t)) if target.least == 0.0 else (np.sinh(t), np.cosh(t))
    return points, slope * (t[1] - t[0])
