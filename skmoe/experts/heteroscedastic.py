"""Linear experts whose noise depends on x, too."""

import math

import numpy as np
from scipy import stats

from skmoe._math.checks import check_number
from skmoe._math.newton import damped
from skmoe.experts.predictor import PredictorExperts

# Log-variances (of standardized y) beyond this are numbers, not noise.
LARGEST = 20.0
LOG_2PI = math.log(2.0 * math.pi)


class HeteroscedasticExperts(PredictorExperts):
    """Experts y ~ N(A_k x + b_k, exp(C_k x + e_k)): the log-variance is linear in x, too.

    Parameters
    ----------
    alpha : float, default=1e-3
        Strength of the penalty alpha (l1_ratio |.|_1 + (1 - l1_ratio) / 2 |.|^2) on the
        coefficients A and C of standardized features; intercepts are free.
    l1_ratio : float, default=0.0
        Share of the lasso, which sets coefficients to exactly zero.
    min_variance : float, default=1e-6
        Floor of the noise variance as a share of the variance of y, at every x.

    Notes
    -----
    With s = C x + e the M-step is weighted least squares with weights h exp(-s) for the mean, and
    a damped Fisher step for s, whose slope is ((y - mean)^2 exp(-s) - 1) / 2 and whose information
    is 1 / 2 a row. Several outputs are independent given the expert.

    References
    ----------
    Aitkin (1987), Modelling variance heterogeneity in normal regression using GLIM.

    Examples
    --------
    >>> from skmoe.experts import HeteroscedasticExperts
    >>> HeteroscedasticExperts(alpha=0.1)
    HeteroscedasticExperts(alpha=0.1)
    """

    settling_steps = 5

    def __init__(self, alpha=1e-3, l1_ratio=0.0, min_variance=1e-6):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.min_variance = min_variance

    def check(self):
        super().check()
        check_number("min_variance", self.min_variance, above=0.0)

    def n_predictors(self, n_outputs):
        return 2 * n_outputs

    def neutral(self, y):
        return np.zeros(2 * y.shape[1]), np.zeros(0)

    def log_density(self, y, eta, dispersion):
        mean, log_variance, _ = self._split(eta)
        square = np.square(y - mean) * np.exp(-log_variance)
        return -0.5 * np.sum(square + log_variance + LOG_2PI, axis=-1)

    def derivatives(self, y, eta, dispersion):
        mean, log_variance, inside = self._split(eta)
        precision = np.exp(-log_variance)
        excess = np.square(y - mean) * precision - 1.0
        # Where the variance is held at its floor or ceiling it has no slope to leave by.
        return (
            np.concatenate([precision * (y - mean), 0.5 * excess * inside], axis=-1),
            np.concatenate([precision, np.full_like(excess, 0.5)], axis=-1),
        )

    def moments(self, eta, dispersion):
        mean, log_variance, _ = self._split(eta)
        return mean, np.exp(log_variance)

    def frozen(self, eta, dispersion):
        mean, log_variance, _ = self._split(eta)
        return stats.norm(loc=mean, scale=np.exp(0.5 * log_variance))

    def remeasured(self, theta, y):
        # Means are measured in the unit of y; logarithms of variances are shifted by it.
        ratio = np.append(y.ratio, np.ones_like(y.ratio))
        shift = np.append(y.shift, 2.0 * np.log(y.ratio))
        return type(theta)(
            theta.coef / ratio[:, None], (theta.intercept - shift) / ratio, theta.dispersion
        )

    def units(self, theta, scaling):
        q, y_scale = self._n_outputs(theta), scaling.y.scale
        coef, intercept = self.slopes(theta, scaling)
        return {
            "coef_": coef[:, :q] * y_scale[:, None],
            "intercept_": intercept[:, :q] * y_scale + scaling.y.mean,
            "variance_coef_": coef[:, q:],
            "variance_intercept_": intercept[:, q:] + 2.0 * np.log(y_scale),
        }

    def _n_outputs(self, theta):
        return theta.coef.shape[1] // 2

    def _split(self, eta):
        """Return means, log-variances within their bounds, and where they are inside."""
        q = eta.shape[-1] // 2
        mean, log_variance = eta[..., :q], eta[..., q:]
        low = math.log(self.min_variance)
        inside = (log_variance > low) & (log_variance < LARGEST)
        return mean, np.clip(log_variance, low, LARGEST), inside

    def _damp(self, step, curvature, n_predictors):
        of_variance = np.arange(len(step)) % n_predictors >= n_predictors // 2
        short = damped(step, curvature, curvature[:, 0, 0])
        return np.where(of_variance[:, None], short, step)
