"""The softmax gate: a multinomial logistic regression of the responsibilities on x."""

from dataclasses import dataclass, replace

import numpy as np

from skmoe._math.checks import check_fraction, check_number
from skmoe._math.elastic_net import snapped
from skmoe._math.grams import linear, weighted_crosses, weighted_grams
from skmoe._math.logspace import log_softmax, softmax
from skmoe._math.softmax_regression import (
    carried_score,
    curvature_weights,
    elastic_net_penalty,
    one_ahead,
    softmax_step,
)
from skmoe._math.sums import row_totals
from skmoe._math.sums import total as total_of
from skmoe.base import Gate, Parameters, Statistics


@dataclass(frozen=True)
class SoftmaxGateParameters(Parameters):
    """Coefficients (K, d) and intercepts (K,); both sum to zero over the experts."""

    coef: np.ndarray
    intercept: np.ndarray


@dataclass(frozen=True)
class SoftmaxGateStatistics(Statistics):
    """Score (K, d + 1), curvature blocks (P, d + 1, d + 1) of pairs or of experts, weight."""

    score: np.ndarray
    curvature: np.ndarray
    total: float


class SoftmaxGate(Gate):
    """Weights proportional to exp(v_k' x + b_k).

    Parameters
    ----------
    alpha : float, default=1e-2
        Strength of the penalty alpha (l1_ratio |V|_1 + (1 - l1_ratio) / 2 |V|^2) on the
        coefficients of standardized features; intercepts are free.
    l1_ratio : float, default=0.0
        Share of the lasso, which sets coefficients to exactly zero.

    Notes
    -----
    g_k(x) = exp(v_k' x + b_k) / sum_j exp(v_j' x + b_j). The M-step is one Newton step on the
    weighted multinomial log-likelihood from the present parameters; its statistics are the score
    sum_n (h_nk - g_nk) [1, x_n] and, for each pair j < k, the curvature
    sum_n g_nj g_nk [1, x_n] [1, x_n]'. The fitter shortens a step that overshoots. From 7 experts
    on, each takes a step of its own under the curvature sum_n g_nk [1, x_n] [1, x_n]', which bounds
    the joint one and costs K Grams where pairs cost K (K - 1) / 2. Parameters are
    identified: they sum to zero over the experts. With a lasso the coefficients are its own choice
    among equal gates, the one of least penalty, and a step maximizes the quadratic model of the
    likelihood minus the penalty by coordinate ascent.

    References
    ----------
    Jordan and Jacobs (1994), section 4; Jordan and Xu (1995). Huynh and Chamroukhi (2019),
    Regularized maximum likelihood estimation and feature selection in mixtures-of-experts models.

    Examples
    --------
    >>> from skmoe.gates import SoftmaxGate
    >>> SoftmaxGate(alpha=0.1)
    SoftmaxGate(alpha=0.1)
    """

    settling_steps = 3
    follows_score = True
    takes_arrays = True

    def __init__(self, alpha=1e-2, l1_ratio=0.0):
        self.alpha = alpha
        self.l1_ratio = l1_ratio

    def check(self):
        check_number("alpha", self.alpha)
        check_fraction("l1_ratio", self.l1_ratio)

    def init(self, X, n_experts):
        return SoftmaxGateParameters(np.zeros((n_experts, X.shape[1])), np.zeros(n_experts))

    def log_prob(self, theta, X):
        return log_softmax(linear(X, theta.coef, theta.intercept))

    def weights(self, theta, X):
        return softmax(linear(X, theta.coef, theta.intercept))

    def statistics(self, theta, X, weight):
        total = row_totals(weight)
        gate = softmax(linear(X, theta.coef, theta.intercept))
        return SoftmaxGateStatistics(
            score=weighted_crosses(X, weight - gate * total[:, None]),
            curvature=weighted_grams(X, curvature_weights(gate, total)),
            total=total_of(total),
        )

    def slope(self, theta, X, weight):
        excess = weight - self.weights(theta, X) * row_totals(weight)[:, None]
        score = weighted_crosses(X, excess)
        return self.gradient(theta, SoftmaxGateStatistics(score, curvature=None, total=0.0))

    def leaning(self, theta, expert, log_odds):
        return replace(theta, intercept=one_ahead(len(theta.intercept), expert, log_odds))

    def m_step(self, theta, statistics):
        now = np.column_stack([theta.intercept, theta.coef])
        new = now + softmax_step(
            now,
            statistics.score,
            statistics.curvature,
            statistics.total,
            self.alpha,
            self.l1_ratio,
        )
        return SoftmaxGateParameters(coef=new[:, 1:], intercept=new[:, 0])

    def hold(self, theta):
        return replace(theta, coef=snapped(theta.coef, self.alpha * self.l1_ratio))

    def carry(self, statistics, old, new):
        move = np.column_stack([new.intercept - old.intercept, new.coef - old.coef])
        score = carried_score(statistics.score, statistics.curvature, move)
        return replace(statistics, score=score)

    def gradient(self, theta, statistics):
        if self.alpha * self.l1_ratio > 0:
            return None
        return SoftmaxGateParameters(
            coef=statistics.score[:, 1:] - self.alpha * theta.coef, intercept=statistics.score[:, 0]
        )

    def penalty(self, theta):
        return elastic_net_penalty(theta.coef, self.alpha, self.l1_ratio)

    def n_parameters(self, theta):
        K, d = theta.coef.shape
        if self.alpha * self.l1_ratio > 0:
            return K - 1 + np.count_nonzero(theta.coef)
        return (K - 1) * (d + 1)

    def translated(self, theta, change):
        return SoftmaxGateParameters(*change.X_gate.of_lines(theta.coef, theta.intercept))

    def units(self, theta, scaling):
        coef = np.where(scaling.X_gate.constant, 0.0, theta.coef / scaling.X_gate.scale)
        intercept = theta.intercept - coef @ scaling.X_gate.mean
        return {"gate_coef_": coef, "gate_intercept_": intercept - intercept.mean()}
