"""The multilayer-perceptron gate: linear, ReLU, linear, softmax."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils import check_random_state

from skmoe._math.checks import check_count, check_number
from skmoe._math.grams import linear, weighted_crosses, weighted_grams
from skmoe._math.logspace import log_softmax, softmax
from skmoe._math.newton import damped, newton_step
from skmoe._math.softmax_regression import curvature_weights, one_ahead, softmax_step
from skmoe.base import Gate, Parameters, Statistics

# Curvature added to that of the layers, as a share of the rows' weight: a unit that no expert
# listens to has none of its own, and a layer moves while the other one does.
_INERTIA = 0.02


@dataclass(frozen=True)
class MLPGateParameters(Parameters):
    """Hidden weights (H, d) and intercepts (H,), output weights (K, H) and intercepts (K,)."""

    hidden_coef: np.ndarray
    hidden_intercept: np.ndarray
    coef: np.ndarray
    intercept: np.ndarray


@dataclass(frozen=True)
class MLPGateStatistics(Statistics):
    """Scores and curvatures of the two layers, and the weight of the rows.

    Hidden: (H, d + 1) and (H, d + 1, d + 1); output: (K, H + 1) and, for pairs of experts or, of
    many, for each, (P, H + 1, H + 1).
    """

    hidden_score: np.ndarray
    hidden_curvature: np.ndarray
    score: np.ndarray
    curvature: np.ndarray
    total: float


class MLPGate(Gate):
    """Weights of a network with one hidden layer: softmax(V relu(W x + b) + c).

    Parameters
    ----------
    hidden : int, default=16
        Number of hidden units H.
    alpha : float, default=0.1
        Penalty alpha / 2 * (||W||^2 + ||V||^2); intercepts are free.
    random_state : int, RandomState or None, default=0
        Seed of the hidden weights at the start; output weights start at zero.

    Notes
    -----
    The M-step is one step uphill: a Newton step for the output layer, which is a softmax
    regression on the hidden units, and a Gauss-Newton step for every hidden unit, whose curvature
    is the Gram of the rows under the weights 1[a_j > 0] (sum_k g_k v_kj^2 - (sum_k g_k v_kj)^2).
    The fitter shortens a step that overshoots.

    References
    ----------
    Eigen, Ranzato and Sutskever (2013), Learning factored representations in a deep mixture of
    experts, section 3: the form of the gate.

    Examples
    --------
    >>> from skmoe.gates import MLPGate
    >>> MLPGate(hidden=8)
    MLPGate(hidden=8)
    """

    settling_steps = 25
    follows_score = True

    def __init__(self, hidden=16, alpha=0.1, random_state=0):
        self.hidden = hidden
        self.alpha = alpha
        self.random_state = random_state

    def check(self):
        check_count("hidden", self.hidden)
        check_number("alpha", self.alpha)

    def init(self, X, n_experts):
        d, rng = X.shape[1], check_random_state(self.random_state)
        directions = rng.standard_normal((self.hidden, d)) / np.sqrt(max(d, 1))
        return MLPGateParameters(
            hidden_coef=directions,
            hidden_intercept=rng.uniform(-1.0, 1.0, self.hidden),
            coef=np.zeros((n_experts, self.hidden)),
            intercept=np.zeros(n_experts),
        )

    def log_prob(self, theta, X):
        return log_softmax(linear(_activation(theta, X), theta.coef, theta.intercept))

    def weights(self, theta, X):
        return softmax(linear(_activation(theta, X), theta.coef, theta.intercept))

    def statistics(self, theta, X, weight):
        total = weight.sum(axis=1)
        active = _activation(theta, X)
        gate = softmax(linear(active, theta.coef, theta.intercept))
        excess = weight - gate * total[:, None]
        coef = theta.coef.astype(X.dtype)
        bend = gate @ np.square(coef) - np.square(gate @ coef)
        bend *= (active > 0) * total[:, None]
        return MLPGateStatistics(
            hidden_score=weighted_crosses(X, (excess @ coef) * (active > 0)),
            hidden_curvature=weighted_grams(X, np.maximum(bend, 0.0)),
            score=weighted_crosses(active, excess),
            curvature=weighted_grams(active, curvature_weights(gate, total)),
            total=float(total.sum(dtype=np.float64)),
        )

    def slope(self, theta, X, weight):
        active = _activation(theta, X)
        gate = softmax(linear(active, theta.coef, theta.intercept))
        excess = weight - gate * weight.sum(axis=1)[:, None]
        through = (excess @ theta.coef.astype(X.dtype)) * (active > 0)
        scores = weighted_crosses(X, through), weighted_crosses(active, excess)
        return self.gradient(theta, MLPGateStatistics(scores[0], None, scores[1], None, 0.0))

    def leaning(self, theta, expert, log_odds):
        return replace(theta, intercept=one_ahead(len(theta.intercept), expert, log_odds))

    def m_step(self, theta, statistics):
        if len(theta.intercept) == 1:
            return theta
        now = np.column_stack([theta.intercept, theta.coef])
        curvature = statistics.curvature + _inertia(statistics, now.shape[1])
        output = now + softmax_step(
            now, statistics.score, curvature, statistics.total, self.alpha, 0.0
        )
        hidden = np.column_stack([theta.hidden_intercept, theta.hidden_coef])
        ridge = np.append(0.0, np.full(hidden.shape[1] - 1, self.alpha))
        # Units move together: the square of a sum of H is at most H times the sum of squares.
        curvature = len(hidden) * statistics.hidden_curvature
        curvature += _inertia(statistics, hidden.shape[1])
        step = newton_step(hidden, statistics.hidden_score, curvature, 0.0, ridge)
        hidden = hidden + damped(step, curvature, curvature[:, 0, 0])
        return MLPGateParameters(hidden[:, 1:], hidden[:, 0], output[:, 1:], output[:, 0])

    def gradient(self, theta, statistics):
        return MLPGateParameters(
            hidden_coef=statistics.hidden_score[:, 1:] - self.alpha * theta.hidden_coef,
            hidden_intercept=statistics.hidden_score[:, 0],
            coef=statistics.score[:, 1:] - self.alpha * theta.coef,
            intercept=statistics.score[:, 0],
        )

    def penalty(self, theta):
        squares = np.square(theta.hidden_coef).sum() + np.square(theta.coef).sum()
        return -0.5 * self.alpha * float(squares)

    def n_parameters(self, theta):
        """Return the free parameters: a unit's scale can move between its two layers."""
        H, d = theta.hidden_coef.shape
        K = len(theta.intercept)
        return H * (d + 1) + (K - 1) * (H + 1) - H if K > 1 else 0

    def units(self, theta, scaling):
        hidden = np.where(scaling.X_gate.constant, 0.0, theta.hidden_coef / scaling.X_gate.scale)
        shift = theta.hidden_intercept - hidden @ scaling.X_gate.mean
        return {
            "gate_coefs_": [hidden, theta.coef],
            "gate_intercepts_": [shift, theta.intercept],
        }


def _activation(theta, X):
    """Return the hidden units relu(W x + b), shape (n, H), rows running fastest."""
    scores = linear(X, theta.hidden_coef, theta.hidden_intercept)
    return np.maximum(scores, 0.0, out=scores)


def _inertia(statistics, size):
    return _INERTIA * statistics.total * np.eye(size)
