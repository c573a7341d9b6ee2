"""Poisson experts: counts whose log-mean is linear in x."""

import numpy as np
from scipy import stats
from scipy.special import gammaln

from skmoe.experts.offset import OffsetExperts
from skmoe.experts.predictor import typical
from skmoe.targets import COUNTS

# Logarithms of means beyond this are numbers no count can have.
LARGEST = 60.0


class PoissonExperts(OffsetExperts):
    """Experts y ~ Poisson(exp(A_k x + b_k)).

    Parameters
    ----------
    alpha : float, default=1e-3
        Strength of the penalty alpha (l1_ratio |A|_1 + (1 - l1_ratio) / 2 |A|^2) on the
        coefficients of standardized features; intercepts are free.
    l1_ratio : float, default=0.0
        Share of the lasso, which sets coefficients to exactly zero.
    offset_column : int, str or None, default=None
        Column of the experts' features that is an offset: added to the log-mean, in its own
        units, with coefficient 1 (the logarithm of an exposure).
    common_slope : bool, default=False
        Whether all experts have the same slopes and differ in intercepts only.

    Notes
    -----
    log p(y | x) = y eta - exp(eta) - log y!, eta = A_k x + b_k (+ offset). The M-step is one
    Newton step, damped where it is long. Several outputs are independent given the expert.

    References
    ----------
    Wang, Cockburn and Puterman (1998), Analysis of patent data: a mixed-Poisson-regression-model
    approach.

    Examples
    --------
    >>> from skmoe.experts import PoissonExperts
    >>> PoissonExperts(alpha=0.1)
    PoissonExperts(alpha=0.1)
    """

    target = COUNTS

    def __init__(self, alpha=1e-3, l1_ratio=0.0, offset_column=None, common_slope=False):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.offset_column = offset_column
        self.common_slope = common_slope

    def response(self, X, y):
        return np.log(y + 0.5) - self.offset_of(X)

    def neutral(self, y):
        return np.log(typical(y)), np.zeros(0)

    def log_density(self, y, eta, dispersion):
        eta = np.clip(eta, -LARGEST, LARGEST)
        return np.sum(y * eta - np.exp(eta) - gammaln(y + 1.0), axis=-1)

    def derivatives(self, y, eta, dispersion):
        mean = np.exp(np.clip(eta, -LARGEST, LARGEST))
        return y - mean, mean

    def moments(self, eta, dispersion):
        mean = np.exp(np.clip(eta, -LARGEST, LARGEST))
        return mean, mean

    def frozen(self, eta, dispersion):
        return stats.poisson(np.exp(np.clip(eta, -LARGEST, LARGEST)))

    def units(self, theta, scaling):
        coef, intercept = self.slopes(theta, scaling)
        return {"coef_": coef, "intercept_": intercept}
