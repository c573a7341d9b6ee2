"""Laplace experts: least absolute deviations."""

import math

import numpy as np
from scipy import stats

from skmoe._math.checks import check_number
from skmoe.experts.predictor import PredictorExperts, sums

# Residuals below this share of an expert's scale pull no harder.
_ROUND = 1e-6
LOG_2 = math.log(2.0)


class LaplaceExperts(PredictorExperts):
    """Experts y ~ Laplace(A_k x + b_k, scale s_k): medians that are linear in x.

    Parameters
    ----------
    alpha : float, default=1e-3
        Strength of the penalty alpha (l1_ratio |A|_1 + (1 - l1_ratio) / 2 |A|^2) on the
        coefficients of standardized features; intercepts are free.
    l1_ratio : float, default=0.0
        Share of the lasso, which sets coefficients to exactly zero.
    min_scale : float, default=1e-4
        Floor of the scale s as a share of the standard deviation of y.
    common_slope : bool, default=False
        Whether all experts have the same slopes and differ in intercepts and noise only.

    Notes
    -----
    log p(y | x) = -log(2 s) - |y - eta| / s. The M-step is least squares with weights
    h / |y - eta|, which never lowers the likelihood; the scale is the weighted mean of absolute
    residuals. The likelihood has no slope where a line passes through a row, so there is no
    acceleration.

    References
    ----------
    Nguyen and McLachlan (2016), Laplace mixture of linear experts.

    Examples
    --------
    >>> from skmoe.experts import LaplaceExperts
    >>> LaplaceExperts(alpha=0.0)
    LaplaceExperts(alpha=0.0)
    """

    damps = False
    settling_steps = 8

    def __init__(self, alpha=1e-3, l1_ratio=0.0, min_scale=1e-4, common_slope=False):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.min_scale = min_scale
        self.common_slope = common_slope

    def check(self):
        super().check()
        check_number("min_scale", self.min_scale, above=0.0)

    def neutral(self, y):
        return np.zeros(y.shape[1]), np.zeros(y.shape[1])

    def log_density(self, y, eta, dispersion):
        logs = np.abs(y - eta) * -np.exp(-dispersion) - dispersion - LOG_2
        return np.sum(logs, axis=-1)

    def derivatives(self, y, eta, dispersion):
        scale = np.exp(dispersion)
        distance = np.maximum(np.abs(y - eta), _ROUND * scale)
        return np.clip((y - eta) / distance, -1.0, 1.0) / scale, 1.0 / (scale * distance)

    def spread(self, y, eta, dispersion, weight):
        """Return sums of absolute residuals in units of the scale."""
        return sums(np.abs(y - eta) * np.exp(-dispersion), weight)

    def new_dispersion(self, dispersion, spread, count, gain):
        left = np.maximum(spread - gain, 0.01 * spread)
        return dispersion + np.log(np.maximum(left / count[:, None], 1e-300))

    def gradient(self, theta, statistics):
        return None

    def bounded(self, dispersion, n_outputs):
        return np.maximum(dispersion, np.log(self.min_scale))

    def moments(self, eta, dispersion):
        return eta, np.broadcast_to(2.0 * np.exp(2.0 * dispersion), eta.shape)

    def frozen(self, eta, dispersion):
        return stats.laplace(loc=eta, scale=np.exp(dispersion))

    def remeasured(self, theta, y):
        return type(theta)(
            theta.coef / y.ratio[:, None],
            (theta.intercept - y.shift) / y.ratio,
            theta.dispersion - np.log(y.ratio),
        )

    def units(self, theta, scaling):
        coef, intercept = self.slopes(theta, scaling)
        return {
            "coef_": coef * scaling.y.scale[:, None],
            "intercept_": intercept * scaling.y.scale + scaling.y.mean,
            "scale_": np.exp(theta.dispersion) * scaling.y.scale,
        }
