"""Constant experts: the same density whatever x says; the gate alone sees x."""

from sklearn.base import clone

from skmoe.experts.delegation import BlindExperts
from skmoe.experts.homoscedastic import HomoscedasticExperts
from skmoe.experts.logistic import LogisticExperts


class ConstantExperts(BlindExperts):
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

    def with_common_noise(self):
        return clone(self).set_params(tied=True)

    @property
    def _bank(self):
        return HomoscedasticExperts(
            self.covariance_type, self.tied, alpha=0.0, min_variance=self.min_variance
        )


class CategoricalExperts(BlindExperts):
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

    @property
    def _bank(self):
        return LogisticExperts(alpha=0.0)
