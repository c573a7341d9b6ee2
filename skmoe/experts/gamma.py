"""Gamma experts: positive numbers whose spread grows with their mean."""

import math

import numpy as np
from scipy import stats
from scipy.special import gammaln, polygamma, psi

from skmoe._math.checks import check_choice, check_number
from skmoe.experts.offset import OffsetExperts
from skmoe.experts.predictor import sums, typical
from skmoe.targets import POSITIVE

# The inverse link bends below this reciprocal of a mean (in units of the mean of y), so that means
# stay positive wherever the predictor goes.
BEND = 1e-4
LOG_BEND = math.log(BEND)
LARGEST = 60.0


class LogLink:
    """log(mean) = eta."""

    def predictor(self, mean):
        """Return eta of a mean."""
        return np.log(mean)

    def log_mean(self, eta):
        """Return log-means."""
        return np.clip(eta, -LARGEST, LARGEST)

    def derivatives(self, y, eta):
        """Return slope and curvature of -(y / mean + log mean) in eta."""
        ratio = y * np.exp(-self.log_mean(eta))
        return ratio - 1.0, ratio

    def response(self, y):
        """Return y on the scale of eta."""
        return np.log(y)

    def units(self, coef, intercept, y_scale):
        """Return the slopes for y in its own units."""
        return coef, intercept + np.log(y_scale)


class InverseLink:
    """1 / mean = eta, bent to BEND exp(eta / BEND - 1) below BEND."""

    def predictor(self, mean):
        """Return eta of a mean."""
        return 1.0 / mean

    def log_mean(self, eta):
        """Return log-means."""
        below = np.maximum(eta / BEND - 1.0, -LARGEST)
        return -np.where(eta >= BEND, np.log(np.maximum(eta, BEND)), below + LOG_BEND)

    def derivatives(self, y, eta):
        """Return slope and curvature of -(y / mean + log mean) in eta."""
        inside = np.maximum(eta, BEND)
        bent = np.exp(np.clip(eta / BEND - 1.0, -LARGEST, 0.0))
        slope = np.where(eta >= BEND, 1.0 / inside - y, 1.0 / BEND - y * bent)
        # Beyond the bend, the curvature that leads a row alone back to it.
        return slope, 1.0 / (inside * np.maximum(inside, BEND + np.abs(BEND - eta) * (eta < BEND)))

    def response(self, y):
        """Return y on the scale of eta, roughly: reciprocals alone would be ruled by small y."""
        return -np.log(y)

    def units(self, coef, intercept, y_scale):
        """Return the slopes for y in its own units."""
        return coef / y_scale[:, None], intercept / y_scale


LINKS = {"log": LogLink, "inverse": InverseLink}


class GammaExperts(OffsetExperts):
    """Experts y ~ Gamma(shape a_k, mean mu_k(x)).

    Parameters
    ----------
    link : {"log", "inverse"}, default="log"
        Whether log mu or 1 / mu is linear in x.
    alpha : float, default=1e-3
        Strength of the penalty alpha (l1_ratio |A|_1 + (1 - l1_ratio) / 2 |A|^2) on the
        coefficients of standardized features; intercepts are free.
    l1_ratio : float, default=0.0
        Share of the lasso, which sets coefficients to exactly zero.
    offset_column : int, str or None, default=None
        Column of the experts' features that is added to the linear predictor, in its own units.
    max_shape : float, default=1e6
        Ceiling of the shape a_k; the coefficient of variation is 1 / sqrt(a_k).
    common_slope : bool, default=False
        Whether all experts have the same slopes and differ in intercepts and shapes only.

    Notes
    -----
    log p(y | x) = a log(a / mu) - log Gamma(a) + (a - 1) log y - a y / mu. Means and shape are
    orthogonal: a damped Newton step moves the first, and log a - psi(a) equals the mean unit
    deviance for the second. With the inverse link, a predictor that falls below 1e-4 of its scale
    goes on exponentially, so that the mean is positive everywhere.

    References
    ----------
    McCullagh and Nelder (1989), Generalized linear models, chapter 8.

    Examples
    --------
    >>> from skmoe.experts import GammaExperts
    >>> GammaExperts(link="inverse")
    GammaExperts(link='inverse')
    """

    target = POSITIVE

    def __init__(
        self,
        link="log",
        alpha=1e-3,
        l1_ratio=0.0,
        offset_column=None,
        max_shape=1e6,
        common_slope=False,
    ):
        self.link = link
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.offset_column = offset_column
        self.max_shape = max_shape
        self.common_slope = common_slope

    def check(self):
        super().check()
        check_choice("link", self.link, LINKS)
        check_number("max_shape", self.max_shape, above=0.0)

    @property
    def _link(self):
        return LINKS[self.link]()

    def response(self, X, y):
        return self._link.response(y)

    def neutral(self, y):
        return self._link.predictor(typical(y)), np.zeros(y.shape[1])

    def log_density(self, y, eta, dispersion):
        log_mean, shape = self._link.log_mean(eta), np.exp(dispersion)
        log_y = np.log(np.maximum(y, np.finfo(eta.dtype).tiny))
        logs = shape * (log_y - log_mean - np.exp(np.minimum(log_y - log_mean, LARGEST)))
        logs += shape * dispersion - gammaln(shape) - log_y
        return np.sum(logs, axis=-1)

    def derivatives(self, y, eta, dispersion):
        slope, curvature = self._link.derivatives(y, eta)
        shape = np.exp(dispersion)
        return shape * slope, shape * curvature

    def spread(self, y, eta, dispersion, weight):
        """Return half the deviances, sums of y / mu - log(y / mu) - 1."""
        log_ratio = np.log(y) - self._link.log_mean(eta)
        return sums(np.exp(np.minimum(log_ratio, LARGEST)) - log_ratio - 1.0, weight)

    def new_dispersion(self, dispersion, spread, count, gain):
        left = spread - gain / np.exp(dispersion)
        return np.log(_shape_of(np.maximum(left, 0.1 * spread) / count[:, None]))

    def dispersion_slope(self, dispersion, spread, count):
        shape = np.exp(dispersion)
        slope = shape * (count[:, None] * (dispersion - psi(shape)) - spread)
        at_end = (shape >= self.max_shape * (1.0 - 1e-9)) & (slope > 0)
        return np.where(at_end, 0.0, slope)

    def bounded(self, dispersion, n_outputs):
        return np.clip(dispersion, -LARGEST, np.log(self.max_shape))

    def moments(self, eta, dispersion):
        mean = np.exp(self._link.log_mean(eta))
        return mean, mean**2 * np.exp(-dispersion)

    def frozen(self, eta, dispersion):
        shape = np.exp(dispersion)
        return stats.gamma(shape, scale=np.exp(self._link.log_mean(eta)) / shape)

    def remeasured(self, theta, y):
        return type(theta)(
            *self._link.units(theta.coef, theta.intercept, 1.0 / y.ratio), theta.dispersion
        )

    def units(self, theta, scaling):
        coef, intercept = self._link.units(*self.slopes(theta, scaling), scaling.y.scale)
        return {"coef_": coef, "intercept_": intercept, "shape_": np.exp(theta.dispersion)}


def _shape_of(deviance):
    """Return the shapes a that solve log a - psi(a) = deviance."""
    s = np.maximum(deviance, 1e-8)
    # A guess, written so that no deviance overflows.
    root = np.hypot(s - 3.0, np.sqrt(24.0 * s))
    a = np.where(s > 3.0, 2.0 / np.maximum(s - 3.0 + root, 1.0), (3.0 - s + root) / (12.0 * s))
    for _ in range(6):
        # Newton's method in log a.
        a *= np.exp(np.clip((np.log(a) - psi(a) - s) / (a * polygamma(1, a) - 1.0), -2.0, 2.0))
    return a
