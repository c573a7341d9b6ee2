"""The softmax gate: a multinomial logistic regression of the responsibilities on x."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from skmoe._math.checks import check_number
from skmoe._math.grams import linear, weighted_crosses, weighted_grams
from skmoe._math.logspace import log_softmax, softmax
from skmoe._math.solve import solve_psd
from skmoe.base import Gate, Parameters, Statistics

# Curvature below this share of the rows' weight is rounding: a separated gate then walks towards
# its limit no further than the gain could be seen.
_DAMPING = 1e-11


@dataclass(frozen=True)
class SoftmaxGateParameters(Parameters):
    """Coefficients (K, d) and intercepts (K,); both sum to zero over the experts."""

    coef: np.ndarray
    intercept: np.ndarray


@dataclass(frozen=True)
class SoftmaxGateStatistics(Statistics):
    """Score (K, d + 1), curvature blocks of the pairs of experts (P, d + 1, d + 1), weight."""

    score: np.ndarray
    curvature: np.ndarray
    total: float


class SoftmaxGate(Gate):
    """Weights proportional to exp(v_k' x + b_k).

    Parameters
    ----------
    alpha : float, default=1e-2
        L2 penalty alpha / 2 * ||V||^2 on the coefficients of standardized features; intercepts are
        free.

    Notes
    -----
    g_k(x) = exp(v_k' x + b_k) / sum_j exp(v_j' x + b_j). The M-step is one Newton step on the
    weighted multinomial log-likelihood from the present parameters; its statistics are the score
    sum_n (h_nk - g_nk) [1, x_n] and, for each pair j < k, the curvature
    sum_n g_nj g_nk [1, x_n] [1, x_n]'. The fitter shortens a step that overshoots. Parameters are
    identified: they sum to zero over the experts.

    References
    ----------
    Jordan and Jacobs (1994), section 4; Jordan and Xu (1995).

    Examples
    --------
    >>> from skmoe.gates import SoftmaxGate
    >>> SoftmaxGate(alpha=0.1)
    SoftmaxGate(alpha=0.1)
    """

    settling_steps = 3

    def __init__(self, alpha=1e-2):
        self.alpha = alpha

    def check(self):
        check_number("alpha", self.alpha)

    def init(self, X, n_experts):
        return SoftmaxGateParameters(np.zeros((n_experts, X.shape[1])), np.zeros(n_experts))

    def log_prob(self, theta, X):
        return log_softmax(linear(X, theta.coef, theta.intercept))

    def weights(self, theta, X):
        return softmax(linear(X, theta.coef, theta.intercept))

    def statistics(self, theta, X, weight):
        total = weight.sum(axis=1)
        gate = softmax(linear(X, theta.coef, theta.intercept))
        first, second = _pairs(gate.shape[1])
        weighted = gate * total[:, None]
        pairs = np.empty((len(first), len(X)), dtype=X.dtype).T
        for p, (j, k) in enumerate(zip(first, second, strict=True)):
            np.multiply(weighted[:, j], gate[:, k], out=pairs[:, p])
        return SoftmaxGateStatistics(
            score=weighted_crosses(X, weight - weighted),
            curvature=weighted_grams(X, pairs),
            total=float(total.sum(dtype=np.float64)),
        )

    def m_step(self, theta, statistics):
        K = len(theta.intercept)
        if K == 1:
            return theta
        basis = _contrasts(K)
        now = basis.T @ np.column_stack([theta.intercept, theta.coef])
        ridge = np.full_like(now, self.alpha)
        ridge[:, 0] = 0.0
        slope = basis.T @ statistics.score - ridge * now
        curvature = _curvature(statistics.curvature, basis)
        curvature[np.diag_indices(len(curvature))] += ridge.ravel() + _DAMPING * statistics.total
        step = solve_psd(curvature[None], slope.reshape(1, -1, 1)).reshape(now.shape)
        new = basis @ (now + step)
        return SoftmaxGateParameters(coef=new[:, 1:], intercept=new[:, 0])

    def gradient(self, theta, statistics):
        return SoftmaxGateParameters(
            coef=statistics.score[:, 1:] - self.alpha * theta.coef, intercept=statistics.score[:, 0]
        )

    def penalty(self, theta):
        return -0.5 * self.alpha * float(np.sum(np.square(theta.coef)))

    def n_parameters(self, theta):
        return (theta.coef.shape[0] - 1) * (theta.coef.shape[1] + 1)

    def units(self, theta, scaling):
        coef = np.where(scaling.X_gate.constant, 0.0, theta.coef / scaling.X_gate.scale)
        intercept = theta.intercept - coef @ scaling.X_gate.mean
        return {"gate_coef_": coef, "gate_intercept_": intercept - intercept.mean()}


@lru_cache
def _pairs(n_experts):
    return np.triu_indices(n_experts, k=1)


@lru_cache
def _contrasts(n_experts):
    """Orthonormal columns (K, K - 1) that sum to zero: the identified directions of the scores."""
    return np.linalg.svd(np.eye(n_experts) - 1.0 / n_experts)[0][:, : n_experts - 1]


def _curvature(pairs, basis):
    """Assemble the curvature in contrast coordinates, ((K - 1) p, (K - 1) p), from its pairs.

    Pair (j, k) curves along the difference of the two scores alone, so its share is the outer
    product of that difference with itself times the pair's Gram.
    """
    K, size = basis.shape
    p = pairs.shape[1]
    first, second = _pairs(K)
    difference = basis[first] - basis[second]
    outer = difference[:, :, None] * difference[:, None, :]
    blocks = outer.reshape(len(first), -1).T @ pairs.reshape(len(first), -1)
    return blocks.reshape(size, size, p, p).transpose(0, 2, 1, 3).reshape(size * p, size * p)
