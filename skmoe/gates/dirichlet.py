"""The constant gate whose weights are known up to a posterior."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, polygamma, psi

from skmoe._math.checks import check_number
from skmoe._math.gamma import gamma_excess
from skmoe.base import Gate, Parameters
from skmoe.gates.constant import ConstantGateStatistics


@dataclass(frozen=True)
class DirichletGateParameters(Parameters):
    """Logarithms (K,) of the concentrations of the Dirichlet posterior."""

    log_concentration: np.ndarray


class DirichletGate(Gate):
    """Weights that do not depend on x, with a Dirichlet posterior.

    Parameters
    ----------
    concentration : float, default=1.0
        Rows that the prior gives to all experts together. Below K, experts that are not needed
        lose their rows.

    Notes
    -----
    pi ~ Dirichlet(c / K), and q(pi) = Dirichlet(a) with a_k = c / K + N_k. Learning sees
    E_q[log pi_k] = psi(a_k) - psi(sum_j a_j); answers use the mean a_k / sum_j a_j.

    References
    ----------
    Waterhouse, MacKay and Robinson (1996), Bayesian methods for mixtures of experts. Corduneanu
    and Bishop (2001), Variational Bayesian model selection for mixture distributions.

    Examples
    --------
    >>> from skmoe.gates import DirichletGate
    >>> DirichletGate(concentration=0.5)
    DirichletGate(concentration=0.5)
    """

    sees_features = False

    def __init__(self, concentration=1.0):
        self.concentration = concentration

    def check(self):
        check_number("concentration", self.concentration, above=0.0)

    def init(self, X, n_experts):
        return DirichletGateParameters(np.zeros(n_experts))

    def evidence(self, theta, X):
        """Return E_q[log pi_k], shape (n, K)."""
        a = np.exp(theta.log_concentration)
        return _for_rows(psi(a) - psi(a.sum()), X)

    def log_prob(self, theta, X):
        a = np.exp(theta.log_concentration)
        return _for_rows(theta.log_concentration - np.log(a.sum()), X)

    def statistics(self, theta, X, weight):
        return ConstantGateStatistics(weight.sum(axis=0, dtype=np.float64))

    def m_step(self, theta, statistics):
        count = statistics.count
        return DirichletGateParameters(np.log(count + self.concentration / len(count)))

    def gradient(self, theta, statistics):
        a, count = np.exp(theta.log_concentration), statistics.count
        short = count + self.concentration / len(count) - a
        slope = short * polygamma(1, a) - short.sum() * polygamma(1, a.sum())
        return DirichletGateParameters(a * slope)

    def penalty(self, theta):
        """Return minus the divergence of the posterior from the prior, a float."""
        a = np.exp(theta.log_concentration)
        prior = np.full(len(a), self.concentration / len(a))
        divergence = gamma_excess(a).sum() - gamma_excess(a.sum())
        divergence -= gammaln(prior.sum()) - gammaln(prior).sum()
        return float(np.dot(prior, psi(a) - psi(a.sum())) - divergence)

    def n_parameters(self, theta):
        return len(theta.log_concentration) - 1

    def translated(self, theta, change):
        return theta

    def units(self, theta, scaling):
        score, d = theta.log_concentration, len(scaling.X_gate.mean)
        return {
            "gate_coef_": np.zeros((len(score), d)),
            "gate_intercept_": score - score.mean(),
        }


def _for_rows(logs, X):
    return np.repeat(logs.astype(X.dtype)[:, None], len(X), axis=1).T
