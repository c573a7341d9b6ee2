"""Softmax regressions on summed rows: what a gate and a logistic expert have in common.

A problem has C classes; its coefficients are a table (C, p) whose columns sum to zero over the
classes, intercepts first.
"""

from functools import lru_cache

import numpy as np

from skmoe._math.array_api import everywhere
from skmoe._math.elastic_net import elastic_net
from skmoe._math.newton import damped, newton_step
from skmoe._math.pairs import MOST_PAIRED, pairs
from skmoe._math.solve import solve_psd

# Curvature below this share of the rows' weight is rounding: a separated problem then walks towards
# its limit no further than the gain could be seen.
DAMPING = 1e-11


@lru_cache
def contrasts(n_classes):
    """Orthonormal columns (C, C - 1) that sum to zero: the identified directions of the scores."""
    return np.linalg.svd(np.eye(n_classes) - 1.0 / n_classes)[0][:, : n_classes - 1]


@everywhere
def curvature_weights(probability, total):
    """Return the row weights (n, P) of the Grams that `softmax_step` asks for.

    Parameters
    ----------
    probability : ndarray of shape (n, C)
    total : ndarray of shape (n,)
        Weight of the rows.

    Returns
    -------
    ndarray
        total_n p_nj p_nk for the pairs of few classes; total_n p_nk for each of many.
    """
    return curvature_weights_of_all(probability.T[None], total[None])


def curvature_weights_of_all(probability, total):
    """Return the `curvature_weights` of N regressions side by side, shape (n, N P).

    Parameters
    ----------
    probability : ndarray of shape (N, C, n)
    total : ndarray of shape (N, n)
    """
    N, C, n = probability.shape
    weighted = probability * total[:, None]
    if C > MOST_PAIRED:
        return weighted.reshape(N * C, n).T
    first, second = pairs(C)
    products = np.empty((N, len(first), n), dtype=weighted.dtype)
    for p, (j, k) in enumerate(zip(first, second, strict=True)):
        np.multiply(weighted[:, j], probability[:, k], out=products[:, p])
    return products.reshape(-1, n).T


def n_curves(n_classes):
    """Return how many columns of `curvature_weights` so many classes have (an int)."""
    return n_classes if n_classes > MOST_PAIRED else len(pairs(n_classes)[0])


def softmax_step(now, score, curvature, total, alpha, l1_ratio):
    """Return the penalized Newton step (C, p) from the table ``now`` (C, p).

    Many classes step one by one, each under the curvature sum_n p_nc [1, x_n] [1, x_n]': as
    diag(p) - p p' <= diag(p), the steps together never overshoot in the quadratic model. Long
    steps are damped as in `skmoe._math.newton.damped`.

    Parameters
    ----------
    now, score : ndarrays of shape (C, p)
    curvature : ndarray of shape (P, p, p)
        Grams under the `curvature_weights`.
    total : float
        Weight of the rows.
    alpha, l1_ratio : float
        Penalty alpha (l1_ratio |V|_1 + (1 - l1_ratio) / 2 |V|^2); intercepts are free.
    """
    if len(now) == 1:
        return np.zeros_like(now)
    if len(now) > MOST_PAIRED:
        return _step_of_many(now, score, curvature, total, alpha, l1_ratio)
    if alpha * l1_ratio == 0:
        return _steps_of_few(now[None], score[None], curvature[None], np.array([total]), alpha)[0]
    move = _sparse_step(now, score, curvature, total, alpha, l1_ratio)
    return move * _shortening(move[None], curvature[None])[0]


def softmax_steps(now, score, curvature, total, alpha, l1_ratio):
    """Return the steps (N, C, p) of N regressions side by side; see `softmax_step`.

    Parameters
    ----------
    now, score : ndarrays of shape (N, C, p)
    curvature : ndarray of shape (N, P, p, p)
    total : ndarray of shape (N,)
    alpha, l1_ratio : float
    """
    if 1 < now.shape[1] <= MOST_PAIRED and alpha * l1_ratio == 0:
        return _steps_of_few(now, score, curvature, total, alpha)
    rows = zip(now, score, curvature, total, strict=True)
    return np.stack([softmax_step(*each, alpha, l1_ratio) for each in rows])


def _steps_of_few(now, score, curvature, total, alpha):
    """Return damped Newton steps (N, C, p) of N regressions of few classes, under a ridge."""
    basis = contrasts(now.shape[1])
    inner = basis.T @ now
    ridge = np.full(inner.shape[1:], alpha)
    ridge[:, 0] = 0.0
    slope = basis.T @ score - ridge * inner
    curved = _curvature(curvature, basis)
    curved[:, *np.diag_indices(curved.shape[1])] += ridge.ravel() + DAMPING * total[:, None]
    step = solve_psd(curved, slope.reshape(len(now), -1, 1)).reshape(inner.shape)
    # What does not sum to zero changes no probability, and goes.
    move = basis @ (inner + step) - now
    return move * _shortening(move, curvature)[:, None, None]


def carried_score(score, curvature, move):
    """Return the score (C, p) after a move (C, p) of the table, by the quadratic model."""
    if len(score) > MOST_PAIRED:
        return score - np.einsum("cpq,cq->cp", curvature, move)
    first, second = pairs(len(score))
    pull = np.einsum("apq,aq->ap", curvature, move[first] - move[second])
    carried = score.copy()
    np.subtract.at(carried, first, pull)
    np.add.at(carried, second, pull)
    return carried


def _sparse_step(now, score, curvature, total, alpha, l1_ratio):
    """Newton step under a lasso: coefficients themselves are penalized, not their contrasts."""
    C, p = now.shape
    curved = _curvature(curvature[None], np.eye(C))[0]
    curved[np.diag_indices(C * p)] += DAMPING * total
    penalized = np.full((C, p), alpha)
    penalized[:, 0] = 0.0
    flat = now.ravel()
    new = elastic_net(
        curved[None],
        (score.ravel() + curved @ flat)[None],
        flat[None],
        l1_ratio * penalized.ravel(),
        (1.0 - l1_ratio) * penalized.ravel(),
    ).reshape(C, p)
    new[:, 0] -= new[:, 0].mean()
    return new - now


def _step_of_many(now, score, curvature, total, alpha, l1_ratio):
    penalized = np.append(0.0, np.full(now.shape[1] - 1, alpha))
    curved = curvature + DAMPING * total * np.eye(now.shape[1])
    step = newton_step(now, score, curved, penalized * l1_ratio, penalized * (1.0 - l1_ratio))
    step = damped(step, curved, curved[:, 0, 0])
    free = slice(0, 1) if alpha * l1_ratio > 0 else slice(None)
    step[:, free] -= step[:, free].mean(axis=0)
    return step


def _shortening(step, curvature):
    """Return by how much to shorten steps (N, C, p): as `damped`, over all pairs of classes."""
    first, second = pairs(step.shape[1])
    difference = step[:, first] - step[:, second]
    square = np.einsum("nap,napq,naq->n", difference, curvature, difference)
    mass = curvature[:, :, 0, 0].sum(axis=1)
    reach = np.sqrt(np.maximum(square, 0.0) / np.maximum(mass, 1e-300))
    return np.where(reach > 1e-8, np.log1p(reach) / np.maximum(reach, 1e-8), 1.0)


def _curvature(blocks, basis):
    """Assemble curvatures (N, s p, s p) in the coordinates of a basis (C, s), from their pairs.

    Pair (j, k) curves along the difference of the two scores alone, so its share is the outer
    product of that difference with itself times the pair's Gram.
    """
    C, size = basis.shape
    N, P, p, _ = blocks.shape
    first, second = pairs(C)
    difference = basis[first] - basis[second]
    outer = difference[:, :, None] * difference[:, None, :]
    joined = outer.reshape(P, -1).T @ blocks.reshape(N, P, -1)
    joined = joined.reshape(N, size, size, p, p).transpose(0, 1, 3, 2, 4)
    return joined.reshape(N, size * p, size * p)


def elastic_net_penalty(coef, alpha, l1_ratio):
    """Return minus alpha (l1_ratio |V|_1 + (1 - l1_ratio) / 2 |V|^2), a float."""
    lasso = float(np.abs(coef).sum()) if l1_ratio > 0 else 0.0
    return -alpha * (l1_ratio * lasso + 0.5 * (1.0 - l1_ratio) * float(np.square(coef).sum()))


def one_ahead(n_scores, which, log_odds):
    """Return scores (n_scores,) that sum to zero, one of which leads the others by log_odds."""
    scores = np.full(n_scores, -log_odds / n_scores)
    scores[which] += log_odds
    return scores
