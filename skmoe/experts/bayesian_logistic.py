"""Logistic experts whose coefficients are known up to a posterior."""

from dataclasses import dataclass

import numpy as np

from skmoe._math.checks import check_number
from skmoe.base import Parameters, Statistics
from skmoe.experts.categorical import ways
from skmoe.experts.logistic import SoftmaxExperts
from skmoe.softmax_posterior import (
    SoftmaxPosterior,
    SoftmaxPosteriorParameters,
    SoftmaxPosteriorStatistics,
)
from skmoe.targets import CLASSES


@dataclass(frozen=True)
class BayesianLogisticParameters(Parameters):
    """Means (K, C, d) and (K, C), and roots (K, C, p, p) of the covariances, of K experts."""

    coef: np.ndarray
    intercept: np.ndarray
    root: np.ndarray


@dataclass(frozen=True)
class BayesianLogisticStatistics(Statistics):
    """Scores (K, C, p), curvatures (K, C, p, p) and weights of trials (K,)."""

    score: np.ndarray
    curvature: np.ndarray
    total: np.ndarray


class BayesianLogisticExperts(SoftmaxExperts):
    """Experts that are logistic regressions with Gaussian posteriors of their coefficients.

    Parameters
    ----------
    relevance_shape : float, default=0.5
        Shape of the Gamma prior of the coefficients' precisions: small ones let coefficients
        differ in size (automatic relevance determination), large ones make a ridge.

    Notes
    -----
    Each expert is the softmax regression of `skmoe.gates.BayesianSoftmaxGate` with the classes
    in place of the experts, and learns under the same tilted bound. Answers are nearer to
    each other where few rows have been seen.

    References
    ----------
    Knowles and Minka (2011), Non-conjugate variational message passing for multinomial and binary
    regression. Bishop and Svensen (2003), Bayesian hierarchical mixtures of experts.

    Examples
    --------
    >>> from skmoe.experts import BayesianLogisticExperts
    >>> BayesianLogisticExperts(relevance_shape=1.0)
    BayesianLogisticExperts(relevance_shape=1.0)
    """

    target = CLASSES
    settling_steps = 10
    switches_off = True
    takes_notes = False

    def __init__(self, relevance_shape=0.5):
        self.relevance_shape = relevance_shape

    def check(self):
        check_number("relevance_shape", self.relevance_shape, above=0.0)

    @property
    def _posterior(self):
        return SoftmaxPosterior(self.relevance_shape)

    def init(self, X, y, n_experts):
        return _stacked([self._posterior.init(X.shape[1], y.shape[1])] * n_experts)

    def log_probability(self, theta, X):
        return _by_row([self._posterior.log_prob(part, X) for part in _parts(theta)])

    def log_prob(self, theta, X, y):
        return np.einsum("nkc,nc->nk", self.log_probability(theta, X), y) + ways(y)[:, None]

    def evidence(self, theta, X, y):
        """Return the tilted bound of E_q[log p(y | x)], shape (n, K)."""
        logs = _by_row([self._posterior.evidence(part, X) for part in _parts(theta)])
        return np.einsum("nkc,nc->nk", logs, y) + ways(y)[:, None]

    def statistics(self, theta, X, y, weight):
        found = [
            self._posterior.statistics(part, X, weight[:, k, None] * y)
            for k, part in enumerate(_parts(theta))
        ]
        return BayesianLogisticStatistics(
            np.stack([each.score for each in found]),
            np.stack([each.curvature for each in found]),
            np.array([each.total for each in found]),
        )

    def m_step(self, theta, statistics):
        pairs = zip(_parts(theta), _sums(statistics), strict=True)
        return _stacked([self._posterior.m_step(*pair) for pair in pairs])

    def gradient(self, theta, statistics):
        pairs = zip(_parts(theta), _sums(statistics), strict=True)
        return _stacked([self._posterior.gradient(*pair) for pair in pairs])

    def carry(self, statistics, old, new):
        rows = zip(_sums(statistics), _parts(old), _parts(new), strict=True)
        score = np.stack([self._posterior.carry(*each).score for each in rows])
        return BayesianLogisticStatistics(score, statistics.curvature, statistics.total)

    def hold(self, theta):
        return theta

    def charges(self, theta):
        return np.array([self._posterior.charges(part).sum() for part in _parts(theta)])

    def penalty(self, theta):
        """Return minus the divergence of the posteriors from their priors, a float."""
        return -float(self.charges(theta).sum())

    def n_parameters(self, theta):
        """Return how many coefficients the rows, not the prior, determine."""
        return sum(self._posterior.n_parameters(part) for part in _parts(theta))

    def translated(self, theta, change):
        return _stacked([self._posterior.translated(part, change.X) for part in _parts(theta)])


def _parts(theta):
    """Return the parameters of the experts, one by one."""
    rows = zip(theta.coef, theta.intercept, theta.root, strict=True)
    return [SoftmaxPosteriorParameters(*each) for each in rows]


def _sums(statistics):
    """Return the statistics of the experts, one by one."""
    rows = zip(statistics.score, statistics.curvature, statistics.total, strict=True)
    return [SoftmaxPosteriorStatistics(*each) for each in rows]


def _stacked(parts):
    names = ("coef", "intercept", "root")
    return BayesianLogisticParameters(
        *(np.stack([getattr(part, name) for part in parts]) for name in names)
    )


def _by_row(logs):
    """Return arrays (n, C) of K experts as one (n, K, C), rows running fastest."""
    return np.moveaxis(np.stack([each.T for each in logs]), 2, 0)
