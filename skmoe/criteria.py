"""Criteria: what is climbed, and how rows are shared out among the experts."""

import numpy as np

from skmoe._math import logspace
from skmoe.base import Criterion

__all__ = ["Classification", "LogLikelihood"]


class LogLikelihood(Criterion):
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

    def pool_and_share(self, joint):
        return logspace.pool_and_share(joint)

    def predictive_weights(self, gate):
        return gate

    def log_density(self, log_gate, log_prob):
        return logspace.log_sum_exp(log_gate + log_prob)


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

    def log_density(self, log_gate, log_prob):
        return np.take_along_axis(log_prob, log_gate.argmax(axis=1)[:, None], axis=1)[:, 0]


def _one_hot(scores):
    winners = np.zeros_like(scores)
    np.put_along_axis(winners, scores.argmax(axis=1)[:, None], 1.0, axis=1)
    return winners
