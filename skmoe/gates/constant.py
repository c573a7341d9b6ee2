"""The constant gate: a mixture of regressions."""

from dataclasses import dataclass, replace

import numpy as np

from skmoe._math.logspace import log_softmax
from skmoe._math.softmax_regression import one_ahead
from skmoe.base import Gate, Parameters, Statistics


@dataclass(frozen=True)
class ConstantGateParameters(Parameters):
    """Scores (K,); weights are their softmax."""

    score: np.ndarray


@dataclass(frozen=True)
class ConstantGateStatistics(Statistics):
    """Weight of rows (K,) that went to each expert."""

    count: np.ndarray


class ConstantGate(Gate):
    """Weights that do not depend on x: the gate of a mixture of regressions.

    Notes
    -----
    g_k(x) = pi_k, and the M-step sets pi_k to the share of the rows that expert k explains.

    References
    ----------
    DeSarbo and Cron (1988), A maximum likelihood methodology for clusterwise linear regression.

    Examples
    --------
    >>> from skmoe.gates import ConstantGate
    >>> ConstantGate()
    ConstantGate()
    """

    sees_features = False

    def init(self, X, n_experts):
        return ConstantGateParameters(np.zeros(n_experts))

    def log_prob(self, theta, X):
        log_weight = log_softmax(theta.score[None, :])[0].astype(X.dtype)
        return np.repeat(log_weight[:, None], len(X), axis=1).T

    def statistics(self, theta, X, weight):
        return ConstantGateStatistics(weight.sum(axis=0, dtype=np.float64))

    def leaning(self, theta, expert, log_odds):
        return replace(theta, score=one_ahead(len(theta.score), expert, log_odds))

    def m_step(self, theta, statistics):
        share = statistics.count / statistics.count.sum()
        return ConstantGateParameters(np.log(np.maximum(share, 1e-300)))

    def gradient(self, theta, statistics):
        weight = np.exp(log_softmax(theta.score[None, :])[0])
        return ConstantGateParameters(statistics.count - statistics.count.sum() * weight)

    def n_parameters(self, theta):
        return len(theta.score) - 1

    def translated(self, theta, change):
        return theta

    def units(self, theta, scaling):
        d = len(scaling.X_gate.mean)
        return {
            "gate_coef_": np.zeros((len(theta.score), d)),
            "gate_intercept_": theta.score - theta.score.mean(),
        }
