"""First guesses of who made which row, from random directions of (x, y).

Directions are random, rows are not: where rows are asked for, they are those that lie at random
places of the weight along a random direction. So a row of weight two starts where two equal rows
do.
"""

import numpy as np

from skmoe._math.grams import weighted_crosses, weighted_grams
from skmoe._math.solve import solve_psd
from skmoe.batches import Block

__all__ = ["chosen_rows", "kicked_shares", "random_shares", "slices", "subsample"]

# How sure a first guess is. Soft ones smooth small optima away; crisp ones find small experts.
CERTAINTIES = 0.9, 0.99


def subsample(block, rng, n_rows):
    """Return at most n_rows rows, spread evenly over the weight along a random direction.

    Equal rows are neighbors along any direction, so that repeated rows and integer weights give
    the same subsample.
    """
    if block.total <= n_rows:
        return block
    chosen, repeats = chosen_rows(block, rng, n_rows)
    X = np.asfortranarray(block.X[chosen])
    X_gate = X if block.X_gate is block.X else np.asfortranarray(block.X_gate[chosen])
    group = None if block.group is None else block.group[chosen]
    return Block(X, X_gate, block.y[chosen], repeats.astype(block.weight.dtype), group)


def chosen_rows(block, rng, n_rows):
    """Return the numbers of a subsample's rows, and how often each of them was met."""
    at = (np.arange(n_rows) + 0.5) * (block.total / n_rows)
    return np.unique(_rows_at(block, at, rng), return_counts=True)


def _rows_at(block, at, rng):
    """Return the numbers of the rows that hold the places ``at`` of the weight along a line."""
    line = _settled(_project(block.X, rng) + _project(block.y, rng))
    order = np.argsort(line, kind="stable")
    reached = np.cumsum(block.weight[order], dtype=np.float64)
    return order[np.minimum(np.searchsorted(reached, at), len(order) - 1)]


def random_shares(experts, block, n_experts, n_init, rng):
    """Yield n_init first guesses (n, K) of who made which row."""
    response = experts.response(block.X, block.y)
    residual = _residual(block, response)
    kinds = (_slices, _cones, _bands, _lines, _layers, _cells, _planes)
    for i in range(n_init):
        kind = kinds[i % len(kinds)]
        seen = response if kind in (_layers, _cells, _planes) else residual
        scores = kind(block, seen, n_experts, rng)
        yield _soften(scores, CERTAINTIES[i % 2])


def slices(block, n_slices, rng):
    """Return shares (n, n_slices): slices of random weight along a random direction of x."""
    return _soften(_slices(block, None, n_slices, rng), CERTAINTIES[-1])


def kicked_shares(experts, block, share, n_kicks, rng):
    """Yield shares (n, K) in which two experts have thrown their rows together and drawn anew."""
    fresh = random_shares(experts, block, 2, n_kicks, rng)
    for halves in fresh:
        pair = rng.permutation(share.shape[1])[:2]
        kicked = share.copy(order="F")
        kicked[:, pair] = share[:, pair].sum(axis=1)[:, None] * halves
        yield kicked


def _soften(scores, certainty):
    """One-hot shares of the highest scores, with a little left for everyone."""
    n, K = scores.shape
    share = np.full((n, K), (1.0 - certainty) / K, dtype=scores.dtype, order="F")
    share[np.arange(n), scores.argmax(axis=1)] += certainty
    return share


def _slices(block, residual, n_experts, rng):
    """Slices of random weight along a direction of x."""
    return _quantile_scores(_project(block.X_gate, rng), block.weight, n_experts, rng)


def _cones(block, residual, n_experts, rng):
    """The cells of a random softmax gate over (x, residual)."""
    joint = np.column_stack([block.X_gate, residual * rng.uniform(0.0, 2.0)])
    normals = rng.standard_normal((n_experts, joint.shape[1]))
    offsets = 0.5 * rng.standard_normal(n_experts)
    return (joint @ normals.T / np.sqrt(joint.shape[1]) + offsets).astype(block.X.dtype)


def _bands(block, residual, n_experts, rng):
    """Slices of random weight along a direction of (x, residual)."""
    mixed = _project(block.X_gate, rng) * rng.uniform(0.0, 1.0) + _project(residual, rng)
    return _quantile_scores(mixed, block.weight, n_experts, rng)


def _lines(block, residual, n_experts, rng):
    """The nearest of random lines through the residuals."""
    q, d = residual.shape[1], block.X.shape[1]
    slopes = rng.standard_normal((n_experts, q, d)) / np.sqrt(max(d, 1))
    offsets = rng.standard_normal((n_experts, q))
    distance = np.zeros((block.n_rows, n_experts))
    for j in range(q):
        line = block.X @ slopes[:, j].T + offsets[:, j]
        distance += np.square(residual[:, j, None] - line)
    return (-distance).astype(block.X.dtype)


def _layers(block, response, n_experts, rng):
    """Slices of random weight along a direction of (x, y) that leans on y."""
    mixed = _project(block.X_gate, rng) * rng.uniform(0.0, 1.0) + _project(response, rng)
    return _quantile_scores(mixed, block.weight, n_experts, rng)


def _cells(block, response, n_experts, rng):
    """The nearest of K rows in (x, y)."""
    joint = np.column_stack([block.X_gate, response * rng.uniform(0.0, 3.0)])
    total = block.total
    centers = joint[_rows_at(block, rng.uniform(0.0, total, n_experts), rng)]
    distance = np.square(joint[:, None, :] - centers).sum(axis=2)
    return (-distance).astype(block.X.dtype)


def _planes(block, response, n_experts, rng):
    """The nearest of K planes, each through as many rows as it has coefficients."""
    d = block.X.shape[1]
    ones = np.ones((block.n_rows, 1), dtype=block.X.dtype)
    design = np.hstack([ones, block.X])
    total = block.total
    distance = np.empty((block.n_rows, n_experts))
    for k in range(n_experts):
        rows = _rows_at(block, rng.uniform(0.0, total, d + 2), rng)
        # A little ridge: rows that coincide leave the plane free to tilt.
        gram = design[rows].T @ design[rows] + 1e-3 * np.eye(d + 1)
        plane = np.linalg.solve(gram, design[rows].T @ response[rows])
        distance[:, k] = np.square(response - design @ plane).sum(axis=1)
    return (-distance).astype(block.X.dtype)


def _quantile_scores(line, weight, n_experts, rng):
    """Scores whose largest entry names the slice of each row; slices have random weights."""
    line = _settled(line)
    order = np.argsort(line, kind="stable")
    reached = np.cumsum(weight[order], dtype=np.float64)
    widths = rng.dirichlet(np.full(n_experts, 2.0))
    cuts = np.cumsum(widths)[:-1] * reached[-1]
    # The cut value, not the rank, decides: equal rows fall into the same slice.
    values = line[order[np.minimum(np.searchsorted(reached, cuts), len(line) - 1)]]
    slices = np.searchsorted(values, line, side="left")
    scores = np.zeros((len(line), n_experts), dtype=np.asarray(weight).dtype)
    scores[np.arange(len(line)), slices] = 1.0
    return scores


def _settled(line):
    """Return places on a line without their last digits: equal rows lie at equal places.

    A product may round the same row differently here and there.
    """
    return np.round(line, 10 if line.dtype == np.float64 else 4)


def _project(A, rng):
    """Project the rows of A (n, d) on a random unit vector, shape (n,)."""
    direction = rng.standard_normal(A.shape[1])
    norm = np.linalg.norm(direction)
    return A @ (direction / norm if norm > 0 else direction).astype(A.dtype)


def _residual(block, response):
    """Residuals (n, q) of one linear regression of the response, scaled to unit variance."""
    weight = block.weight[:, None]
    gram = weighted_grams(block.X, weight)[0]
    gram[np.diag_indices(len(gram))] += 1e-6 * gram[0, 0]
    cross = weighted_crosses(block.X, weight * response).T
    coef = solve_psd(gram[None], cross[None])[0]
    residual = response - coef[0] - block.X @ coef[1:]
    spread = np.sqrt(np.average(np.square(residual), axis=0, weights=block.weight))
    return residual / np.where(spread > 0, spread, 1.0)
