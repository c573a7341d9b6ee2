"""The softmax gate whose coefficients are known up to a posterior."""

import numpy as np

from skmoe._math.checks import check_number
from skmoe.base import Gate
from skmoe.softmax_posterior import SoftmaxPosterior


class BayesianSoftmaxGate(Gate):
    """Weights proportional to exp(v_k' x + b_k) with Gaussian posteriors of v and b.

    Parameters
    ----------
    relevance_shape : float, default=0.5
        Shape of the Gamma prior of the coefficients' precisions: small ones let coefficients
        differ in size (automatic relevance determination), large ones make a ridge.

    Notes
    -----
    The coefficients u_k = [b_k, v_k] have priors N(0, diag(lambda_k)^-1), with precisions for
    each expert and feature as in `skmoe.experts.BayesianLinearExperts`, and posteriors
    N(m_k, S_k). With the means
    s_k = m_k' [1, x] and the variances r_k = [1, x]' S_k [1, x] of the scores, the normalizer is
    bounded by a *tilted* bound, for any a:

        E_q[log sum_k exp(score_k)] <=
            sum_k a_k^2 r_k / 2 + log sum_k exp(s_k + (1 - 2 a_k) r_k / 2).

    With a = softmax(s), which is nearly the best choice, it is exact to first order in r, where
    Boehning's and Bouchard's quadratic bounds leave a gap. With h the softmax on the right,
    M-steps move S_k^-1 to diag(E[lambda_k]) + C_k, C_k = sum_n c_nk [1, x_n] [1, x_n]' and
    c = a^2 + h (1 - 2 a), which is a (1 - a) for small r. The mean takes a Newton step under the
    curvature diag(E[lambda_k]) + 2 C_k, which bounds the joint one, since
    diag(a) - a a' <= 2 diag(a (1 - a)), and is exact where two experts compete.

    Answers are softmax(s / sqrt(1 + pi r / 4)) with r = sum_k a_k r_k: for two experts, whose
    difference of scores has the variance 2 r, the usual mean of a logistic function under a
    Gaussian.

    References
    ----------
    Knowles and Minka (2011), Non-conjugate variational message passing for multinomial and binary
    regression, eq. 18. Waterhouse, MacKay and Robinson (1996), Bayesian methods for mixtures of
    experts. Bouchard (2007), Efficient bounds for the softmax function; Boehning (1992).

    Examples
    --------
    >>> from skmoe.gates import BayesianSoftmaxGate
    >>> BayesianSoftmaxGate()
    BayesianSoftmaxGate()
    """

    settling_steps = 10

    def __init__(self, relevance_shape=0.5):
        self.relevance_shape = relevance_shape

    def check(self):
        check_number("relevance_shape", self.relevance_shape, above=0.0)

    @property
    def _posterior(self):
        return SoftmaxPosterior(self.relevance_shape)

    def init(self, X, n_experts):
        return self._posterior.init(X.shape[1], n_experts)

    def evidence(self, theta, X):
        """Return the tilted bound of E_q[log g_k(x)], shape (n, K)."""
        return self._posterior.evidence(theta, X)

    def log_prob(self, theta, X):
        """Return the log-weights (n, K), nearer to each other where scores are not known well."""
        return self._posterior.log_prob(theta, X)

    def statistics(self, theta, X, weight):
        return self._posterior.statistics(theta, X, weight)

    def m_step(self, theta, statistics):
        return self._posterior.m_step(theta, statistics)

    def carry(self, statistics, old, new):
        return self._posterior.carry(statistics, old, new)

    def gradient(self, theta, statistics):
        return self._posterior.gradient(theta, statistics)

    def charges(self, theta):
        return self._posterior.charges(theta)

    def penalty(self, theta):
        """Return minus the divergence of the posteriors from their priors, a float."""
        return -float(self.charges(theta).sum())

    def n_parameters(self, theta):
        """Return how many coefficients the rows, not the prior, determine."""
        return self._posterior.n_parameters(theta)

    def referred(self, theta, expert):
        return self._posterior.referred(theta, expert)

    def translated(self, theta, change):
        return self._posterior.translated(theta, change.X_gate)

    def units(self, theta, scaling):
        coef = np.where(scaling.X_gate.constant, 0.0, theta.coef / scaling.X_gate.scale)
        coef = coef - coef.mean(axis=0)
        intercept = theta.intercept - coef @ scaling.X_gate.mean
        return {"gate_coef_": coef, "gate_intercept_": intercept - intercept.mean()}
