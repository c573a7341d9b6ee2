"""First guesses of who made which row, from random directions of (x, y).

Directions are random, rows never are: a row of weight two starts where two equal rows do.
"""

import numpy as np

from skmoe._math.grams import weighted_crosses, weighted_grams
from skmoe._math.solve import solve_psd
from skmoe.batches import Block

__all__ = ["random_shares", "subsample"]


def subsample(block, rng, n_rows):
    """Return at most n_rows rows, spread evenly over the weight along a random direction.

    Equal rows are neighbors along any direction, so that repeated rows and integer weights give
    the same subsample.
    """
    if block.n_rows <= n_rows:
        return block
    line = _project(block.X, rng) + _project(block.y, rng)
    order = np.argsort(line, kind="stable")
    reached = np.cumsum(block.weight[order], dtype=np.float64)
    at = (np.arange(n_rows) + 0.5) * (reached[-1] / n_rows)
    chosen, repeats = np.unique(order[np.searchsorted(reached, at)], return_counts=True)
    X = np.asfortranarray(block.X[chosen])
    X_gate = X if block.X_gate is block.X else np.asfortranarray(block.X_gate[chosen])
    group = None if block.group is None else block.group[chosen]
    return Block(X, X_gate, block.y[chosen], repeats.astype(block.weight.dtype), group)


def random_shares(experts, block, n_experts, n_init, rng):
    """Yield n_init first guesses (n, K) of who made which row."""
    residual = _residual(block, experts.response(block.X, block.y))
    kinds = (_slices, _cones, _bands, _lines)
    for i in range(n_init):
        scores = kinds[i % len(kinds)](block, residual, n_experts, rng)
        yield _soften(scores)


def _soften(scores, certainty=0.9):
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


def _quantile_scores(line, weight, n_experts, rng):
    """Scores whose largest entry names the slice of each row; slices have random weights."""
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
