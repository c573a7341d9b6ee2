"""Negative binomial experts: counts that spread wider than Poisson's."""

import numpy as np
from scipy import stats
from scipy.special import gammaln, polygamma, psi

from skmoe._math.checks import check_number
from skmoe.experts.offset import OffsetExperts
from skmoe.experts.poisson import LARGEST
from skmoe.experts.predictor import sums, typical
from skmoe.targets import COUNTS

# Largest change of a log-size in one step.
_LONGEST = 1.0


class NegativeBinomialExperts(OffsetExperts):
    """Experts y with mean mu_k(x) = exp(A_k x + b_k) and variance mu + mu^2 / r_k.

    Parameters
    ----------
    alpha : float, default=1e-3
        Strength of the penalty alpha (l1_ratio |A|_1 + (1 - l1_ratio) / 2 |A|^2) on the
        coefficients of standardized features; intercepts are free.
    l1_ratio : float, default=0.0
        Share of the lasso, which sets coefficients to exactly zero.
    offset_column : int, str or None, default=None
        Column of the experts' features that is added to the log-mean, in its own units.
    max_size : float, default=1e4
        Ceiling of the size r_k, where the family is all but Poisson's.
    common_slope : bool, default=False
        Whether all experts have the same slopes and differ in intercepts and sizes only.

    Notes
    -----
    log p(y | x) = log Gamma(y + r) - log Gamma(r) - log y! + y log(mu / r)
    - (y + r) log(1 + mu / r). Means move by a damped Fisher step with weights mu r / (r + mu), the
    logarithm of the size by a Newton step of at most 1.

    References
    ----------
    Lawless (1987), Negative binomial and mixed Poisson regression.

    Examples
    --------
    >>> from skmoe.experts import NegativeBinomialExperts
    >>> NegativeBinomialExperts(max_size=100.0)
    NegativeBinomialExperts(max_size=100.0)
    """

    target = COUNTS
    settling_steps = 6

    def __init__(
        self, alpha=1e-3, l1_ratio=0.0, offset_column=None, max_size=1e4, common_slope=False
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.offset_column = offset_column
        self.max_size = max_size
        self.common_slope = common_slope

    def check(self):
        super().check()
        check_number("max_size", self.max_size, above=0.0)

    def response(self, X, y):
        return np.log(y + 0.5) - self.offset_of(X)

    def neutral(self, y):
        return np.log(typical(y)), np.zeros(y.shape[1])

    def log_density(self, y, eta, dispersion):
        size, ratio = np.exp(dispersion), _log_ratio(eta, dispersion)
        y64, r64 = np.asarray(y, dtype=np.float64), np.asarray(size, dtype=np.float64)
        orders = gammaln(y64 + r64) - gammaln(r64) - gammaln(y64 + 1.0)
        logs = orders + y * ratio - (y + size) * np.logaddexp(0.0, ratio)
        return np.sum(logs, axis=-1).astype(eta.dtype, copy=False)

    def derivatives(self, y, eta, dispersion):
        size = np.exp(dispersion)
        odds = 1.0 / (1.0 + np.exp(_log_ratio(eta, dispersion)))
        mean = np.exp(np.clip(eta, -LARGEST, LARGEST))
        return (y - mean) * odds, np.minimum(mean, size * 1e30) * odds

    def spread(self, y, eta, dispersion, weight):
        """Return sums of the first and second derivatives in r."""
        size = np.exp(dispersion.astype(np.float64))
        mean = np.exp(np.clip(eta, -LARGEST, LARGEST).astype(np.float64))
        y = np.asarray(y, dtype=np.float64)
        whole = size + mean
        first = psi(y + size) - psi(size) - np.log1p(mean / size) + (mean - y) / whole
        second = polygamma(1, y + size) - polygamma(1, size) + mean / (size * whole)
        second -= (mean - y) / whole**2
        return np.concatenate([sums(first, weight), sums(second, weight)], axis=1)

    def new_dispersion(self, dispersion, spread, count, gain):
        slope, curvature = _in_logarithm(dispersion, spread)
        # Where the likelihood is convex, a step by its sign.
        floor = 0.05 * np.abs(slope) + 1e-3 * count[:, None] * 1e-6
        step = slope / np.maximum(curvature, floor)
        return dispersion + np.clip(step, -_LONGEST, _LONGEST)

    def dispersion_slope(self, dispersion, spread, count):
        slope, _ = _in_logarithm(dispersion, spread)
        at_end = (np.exp(dispersion) >= self.max_size * (1.0 - 1e-9)) & (slope > 0)
        return np.where(at_end, 0.0, slope)

    def bounded(self, dispersion, n_outputs):
        return np.clip(dispersion, -10.0, np.log(self.max_size))

    def moments(self, eta, dispersion):
        mean = np.exp(np.clip(eta, -LARGEST, LARGEST))
        return mean, mean + mean**2 * np.exp(-dispersion)

    def frozen(self, eta, dispersion):
        return stats.nbinom(np.exp(dispersion), 1.0 / (1.0 + np.exp(_log_ratio(eta, dispersion))))

    def units(self, theta, scaling):
        coef, intercept = self.slopes(theta, scaling)
        return {"coef_": coef, "intercept_": intercept, "size_": np.exp(theta.dispersion)}


def _log_ratio(eta, dispersion):
    """Return log(mu / r)."""
    return np.clip(eta, -LARGEST, LARGEST) - dispersion


def _in_logarithm(dispersion, spread):
    """Return slope and minus second derivative in log r, from those in r."""
    size = np.exp(dispersion)
    first, second = np.split(spread, 2, axis=1)
    return size * first, -(size**2 * second + size * first)
