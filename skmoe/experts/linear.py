"""Linear-regression experts with Gaussian noise."""

from sklearn.base import clone

from skmoe._math.checks import check_choice
from skmoe.experts.delegation import DelegatingExperts
from skmoe.experts.heteroscedastic import HeteroscedasticExperts
from skmoe.experts.homoscedastic import HomoscedasticExperts

VARIANCES = ("constant", "linear")


class LinearExperts(DelegatingExperts):
    """Experts y ~ N(A_k x + b_k, Sigma_k), or with a log-variance that is linear in x, too.

    Parameters
    ----------
    covariance_type : {"spherical", "diag", "full"}, default="full"
        Shape of the noise covariance over the outputs; all the same for one output. A spherical
        one is a sphere where every output is measured in its own standard deviation, so that it
        does not depend on the outputs' units.
    tied : bool, default=False
        Whether all experts share one noise covariance.
    alpha : float, default=1e-3
        Strength of the penalty on the coefficients of standardized features, measured in the
        noise; intercepts are free. See `skmoe.experts.homoscedastic.HomoscedasticExperts`.
    l1_ratio : float, default=0.0
        Share of the lasso, which sets coefficients to exactly zero.
    fit_intercept : bool, default=True
        Whether the experts have intercepts. Without, lines pass through the origin of X and y,
        whose columns are then scaled by their root mean squares and not centered.
    min_variance : float, default=1e-8
        Floor of the noise variance as a share of the variance of y.
    variance : {"constant", "linear"}, default="constant"
        Whether an expert's noise is the same everywhere or its log-variance is linear in x:
        y ~ N(A_k x + b_k, exp(C_k x + e_k)), outputs independent given the expert. See
        `skmoe.experts.heteroscedastic.HeteroscedasticExperts`, which has neither
        ``covariance_type`` nor ``tied`` nor ``common_slope`` and always has intercepts.
    common_slope : bool, default=False
        Whether all experts have the same slopes and differ in intercepts and noise only.

    References
    ----------
    Jordan and Jacobs (1994), eqs. 24-26; Jordan and Xu (1995); Aitkin (1987).

    Examples
    --------
    >>> from skmoe.experts import LinearExperts
    >>> LinearExperts(covariance_type="diag", tied=True)
    LinearExperts(covariance_type='diag', tied=True)
    """

    def __init__(
        self,
        covariance_type="full",
        tied=False,
        alpha=1e-3,
        l1_ratio=0.0,
        fit_intercept=True,
        min_variance=1e-8,
        variance="constant",
        common_slope=False,
    ):
        self.covariance_type = covariance_type
        self.tied = tied
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.min_variance = min_variance
        self.variance = variance
        self.common_slope = common_slope

    def check(self):
        check_choice("variance", self.variance, VARIANCES)
        own = not self.tied and not self.common_slope and self.fit_intercept
        if self.variance == "linear" and not own:
            raise ValueError(
                "variance='linear' gives every expert a line and a variance of its own; "
                "tied and common_slope must be False and fit_intercept True."
            )
        super().check()

    def with_common_noise(self):
        return clone(self).set_params(tied=True)

    @property
    def _bank(self):
        if self.variance == "linear":
            return HeteroscedasticExperts(self.alpha, self.l1_ratio, self.min_variance)
        return HomoscedasticExperts(
            self.covariance_type,
            self.tied,
            self.alpha,
            self.l1_ratio,
            self.fit_intercept,
            self.min_variance,
            self.common_slope,
        )
