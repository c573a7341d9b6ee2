"""Constant experts: a Gaussian per expert, whatever x says; the gate alone sees x."""

import numpy as np

from skmoe.base import Experts
from skmoe.experts.linear import LinearExperts


class ConstantExperts(Experts):
    """Experts y ~ N(b_k, Sigma_k): a Gaussian mixture with concomitant variables.

    Parameters
    ----------
    covariance_type : {"spherical", "diag", "full"}, default="full"
        Shape of the covariance over the outputs.
    tied : bool, default=False
        Whether all experts share one covariance.
    min_variance : float, default=1e-8
        Floor of the variance as a share of the variance of y.

    Notes
    -----
    A bank of linear experts that is shown no feature.

    References
    ----------
    Dayton and Macready (1988), Concomitant-variable latent-class models.

    Examples
    --------
    >>> from skmoe.experts import ConstantExperts
    >>> ConstantExperts(tied=True)
    ConstantExperts(tied=True)
    """

    def __init__(self, covariance_type="full", tied=False, min_variance=1e-8):
        self.covariance_type = covariance_type
        self.tied = tied
        self.min_variance = min_variance

    @property
    def _bank(self):
        return LinearExperts(self.covariance_type, self.tied, 0.0, True, self.min_variance)

    def check(self):
        self._bank.check()

    def init(self, X, y, n_experts):
        return self._bank.init(X[:, :0], y, n_experts)

    def log_prob(self, theta, X, y):
        return self._bank.log_prob(theta, X[:, :0], y)

    def mean(self, theta, X):
        return self._bank.mean(theta, X[:, :0])

    def components(self, theta, X):
        return self._bank.components(theta, X[:, :0])

    def statistics(self, theta, X, y, weight):
        return self._bank.statistics(theta, X[:, :0], y, weight)

    def m_step(self, theta, statistics):
        return self._bank.m_step(theta, statistics)

    def hold(self, theta):
        return self._bank.hold(theta)

    def gradient(self, theta, statistics):
        return self._bank.gradient(theta, statistics)

    def n_parameters(self, theta):
        return self._bank.n_parameters(theta)

    def units(self, theta, scaling):
        attributes = self._bank.units(theta, scaling.without_features())
        K, q, _ = attributes["coef_"].shape
        attributes["coef_"] = np.zeros((K, q, len(scaling.X.mean)))
        return attributes
