"""Constant experts: the same density whatever x says; the gate alone sees x."""

import numpy as np

from skmoe.experts.delegation import DelegatingExperts
from skmoe.experts.homoscedastic import HomoscedasticExperts
from skmoe.experts.logistic import LogisticExperts


class ConstantExperts(DelegatingExperts):
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

    sees_features = False

    @property
    def _bank(self):
        return HomoscedasticExperts(
            self.covariance_type, self.tied, alpha=0.0, min_variance=self.min_variance
        )

    def _view(self, X):
        return X[:, :0]

    def translated(self, theta, change):
        return self._bank.translated(theta, change.without_features())

    def units(self, theta, scaling):
        attributes = self._bank.units(theta, scaling.without_features())
        K, q, _ = attributes["coef_"].shape
        attributes["coef_"] = np.zeros((K, q, len(scaling.X.mean)))
        return attributes


class CategoricalExperts(DelegatingExperts):
    """Experts that know class shares only; the gate alone sees x.

    Notes
    -----
    p_k(c) is the weighted share of class c among the rows of expert k: a bank of logistic experts
    that is shown no feature.

    References
    ----------
    Dayton and Macready (1988), Concomitant-variable latent-class models.

    Examples
    --------
    >>> from skmoe.experts import CategoricalExperts
    >>> CategoricalExperts()
    CategoricalExperts()
    """

    sees_features = False

    @property
    def _bank(self):
        return LogisticExperts(alpha=0.0)

    def _view(self, X):
        return X[:, :0]

    def translated(self, theta, change):
        return self._bank.translated(theta, change.without_features())

    def units(self, theta, scaling):
        attributes = self._bank.units(theta, scaling.without_features())
        shape = (*attributes["intercept_"].shape, len(scaling.X.mean))
        attributes["coef_"] = np.zeros(shape)
        return attributes
