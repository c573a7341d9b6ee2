"""Criteria: what is climbed, and how rows are shared out among the experts."""

from abc import abstractmethod
from zlib import crc32

import numpy as np

from skmoe._math import logspace
from skmoe._math.checks import check_count
from skmoe.base import Criterion, Division

__all__ = [
    "Classification",
    "CompetitiveError",
    "LogLikelihood",
    "SHORT_NAMES",
    "SquaredError",
    "StochasticAssignment",
]


class SoftCriterion(Criterion):
    """A criterion whose answer is the mixture of all experts."""

    def pool_and_share(self, joint):
        return logspace.pool_and_share(joint)

    def predictive_weights(self, gate):
        return gate

    def log_density(self, mixture, theta, block):
        log_gate = mixture.gate.log_prob(theta.gate, block.X_gate)
        log_prob = mixture.experts.log_prob(theta.experts, block.X, block.y)
        return logspace.log_sum_exp(log_gate + log_prob)


class LogLikelihood(SoftCriterion):
    """The observed log-likelihood: rows are shared in proportion to the experts' evidence.

    Notes
    -----
    Pool log sum_k exp(joint_k); share h_k = exp(joint_k) / sum_j exp(joint_j), the posterior
    probability that expert k made the row (the "burden").

    References
    ----------
    Jordan and Jacobs (1994), Hierarchical mixtures of experts and the EM algorithm, eq. 21.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.criteria import LogLikelihood
    >>> pooled, share = LogLikelihood().pool_and_share(np.log([[0.1, 0.3]]))
    >>> share.round(2)
    array([[0.25, 0.75]])
    """

    takes_arrays = True


class StochasticAssignment(SoftCriterion):
    """The observed log-likelihood, climbed by drawing an expert for every row (stochastic EM).

    Parameters
    ----------
    random_state : int, default=0
        Seed of the draws.

    Notes
    -----
    Pool log sum_k exp(joint_k); share one for an expert drawn with the posterior probabilities,
    zero for all others. Passes wander around the optima and may leave poor ones; the best place
    is kept. The draws for a block of rows follow from the seed and from its joint evidence, so
    that a pass at one place is the same each time, for any number of threads.

    References
    ----------
    Celeux and Diebolt (1985), The SEM algorithm: a probabilistic teacher algorithm derived from
    the EM algorithm for the mixture problem.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.criteria import StochasticAssignment
    >>> joint = np.log(np.tile([[0.1, 0.3]], (1000, 1)))
    >>> StochasticAssignment().pool_and_share(joint)[1].mean(axis=0).round(1)
    array([0.2, 0.8])
    """

    smooth = False
    monotone = False
    patience = 30

    def __init__(self, random_state=0):
        self.random_state = random_state

    def check(self):
        """Raise ValueError or TypeError for a seed that cannot be used."""
        check_count("random_state", self.random_state, least=0)

    def pool_and_share(self, joint):
        pooled, share = logspace.pool_and_share(joint)
        rng = np.random.default_rng([self.random_state, crc32(np.ascontiguousarray(joint))])
        level = rng.random(len(share))[:, None]
        # Rounding must not leave a level above the last sum.
        drawn = np.minimum((share.cumsum(axis=1) < level).sum(axis=1), share.shape[1] - 1)
        return pooled, _one_hot_at(drawn, share)


class Classification(Criterion):
    """The classification likelihood: every row belongs to its best expert (hard mixture).

    Notes
    -----
    Pool max_k joint_k; share one for the winner, zero for all others. The answer is that of the
    most weighted expert alone, f(x) = f_k(x) with k = argmax_k g_k(x).

    References
    ----------
    Celeux and Govaert (1992), A classification EM algorithm for clustering and two stochastic
    versions.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.criteria import Classification
    >>> Classification().pool_and_share(np.log([[0.1, 0.3]]))[1]
    array([[0., 1.]])
    """

    smooth = False

    def pool_and_share(self, joint):
        return joint.max(axis=1), _one_hot(joint)

    def predictive_weights(self, gate):
        return _one_hot(gate)

    def log_density(self, mixture, theta, block):
        winner = mixture.gate.log_prob(theta.gate, block.X_gate).argmax(axis=1)
        log_prob = mixture.experts.log_prob(theta.experts, block.X, block.y)
        return np.take_along_axis(log_prob, winner[:, None], axis=1)[:, 0]


class ErrorCriterion(SoftCriterion):
    """An error function of 1991, measured in one Gaussian noise that all experts share."""

    is_likelihood = False

    def suited(self, experts, gate):
        if not gate.follows_score:
            raise ValueError(
                f"criterion={self!r} moves the gate by its score, which {gate!r} cannot follow; "
                "allowed are 'softmax', 'mlp' and 'tree' gates."
            )
        experts = experts.with_common_noise()
        experts.check()
        return experts

    @abstractmethod
    def divide(self, mixture, theta, block):
        """Return the Division of a block of rows at theta."""


class SquaredError(ErrorCriterion):
    """The squared error of the blend: experts cooperate, and the answer is one Gaussian around it.

    Notes
    -----
    With the blend f = sum_k g_k f_k and the residual r = y - f, a row pools log N(r; 0, Sigma), so
    that the least squared error is what is found. As sum_k g_k = 1, for any moves d_k of the
    experts' answers -|r - sum_k g_k d_k|^2 >= -sum_k g_k |r - d_k|^2: a step in which expert k
    learns f_k + r under the weight g_k never lowers it. The gate follows the shares
    g_k (1 + r' Sigma^-1 (f_k - f)), which add up to one and whose distance from g is the slope.

    References
    ----------
    Hampshire and Waibel (1992), The meta-pi network; Jacobs, Jordan, Nowlan and Hinton (1991),
    Adaptive mixtures of local experts, eq. 1.1.

    Examples
    --------
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
    >>> est = MixtureOfExpertsRegressor(2, criterion="squared_error", random_state=0).fit(X, y)
    >>> est.predict_distribution(X).weights.shape  # one Gaussian a row
    (10, 1)
    """

    def divide(self, mixture, theta, block):
        weights = mixture.gate.weights(theta.gate, block.X_gate)
        components = mixture.experts.components(theta.experts, block.X)
        blend, means = components.blended(weights), components.mean()
        apart = means - blend.mean()
        residual = block.y[:, None, :] - blend.mean()
        precision = blend.noise.precision(1)[0].astype(residual.dtype)
        pull = np.einsum("nq,nkq->nk", residual[:, 0] @ precision, apart)
        return Division(
            pooled=blend.log_prob(block.y[:, None, :])[:, 0],
            share=weights,
            gate_share=weights * (1.0 + pull),
            answers=means + residual,
        )

    def answer(self, weights, components):
        return np.ones_like(weights[:, :1]), components.blended(weights)

    def log_density(self, mixture, theta, block):
        weights = mixture.gate.weights(theta.gate, block.X_gate)
        components = mixture.experts.components(theta.experts, block.X)
        return components.blended(weights).log_prob(block.y[:, None, :])[:, 0]


class CompetitiveError(ErrorCriterion):
    """The experts' own errors, weighted by the gate: each row pays for whom it asks.

    Notes
    -----
    A row pools l = sum_k g_k l_k, l_k = log N(y; f_k, Sigma), so that sum_k g_k |y - f_k|^2 is
    least in the noise found. Expert k learns y under the weight g_k; the gate follows the shares
    g_k (1 + l_k - l), which add up to one and whose distance from g is the slope.

    References
    ----------
    Jacobs, Jordan, Nowlan and Hinton (1991), Adaptive mixtures of local experts, eq. 1.2.

    Examples
    --------
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
    >>> est = MixtureOfExpertsRegressor(2, criterion="competitive", random_state=0).fit(X, y)
    >>> est.predict_gate(X).shape
    (10, 2)
    """

    def divide(self, mixture, theta, block):
        weights = mixture.gate.weights(theta.gate, block.X_gate)
        logs = mixture.experts.log_prob(theta.experts, block.X, block.y)
        pooled = np.einsum("nk,nk->n", weights, logs)
        return Division(pooled, weights, weights * (1.0 + logs - pooled[:, None]), block.y)


SHORT_NAMES = {
    "likelihood": LogLikelihood,
    "classification": Classification,
    "stochastic": StochasticAssignment,
    "squared_error": SquaredError,
    "competitive": CompetitiveError,
}


def _one_hot(scores):
    return _one_hot_at(scores.argmax(axis=1), scores)


def _one_hot_at(winner, like):
    winners = np.zeros_like(like)
    np.put_along_axis(winners, winner[:, None], 1.0, axis=1)
    return winners
