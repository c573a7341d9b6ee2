"""Student-t experts: lines that gross errors cannot bend."""

import numpy as np
from scipy import stats
from scipy.special import gammaln, psi

from skmoe._math.checks import check_number
from skmoe._math.roots import increasing_roots
from skmoe.experts.predictor import PredictorExperts, sums

# Degrees of freedom beyond which a t is a Gaussian.
LARGEST_DF = 1e3


class StudentTExperts(PredictorExperts):
    """Experts y = A_k x + b_k + s_k t, with t Student's t with nu_k degrees of freedom.

    Parameters
    ----------
    df : float or None, default=1.5
        Degrees of freedom nu. None: learned for each expert. The default is heavy enough in the
        tails that hardly ever an expert is given up to gather gross errors, which happens from 3
        on; at 2 and below the variance is infinite.
    min_df : float, default=1.0
        Floor of learned degrees of freedom. Far below 1 the likelihood grows without bound.
    alpha : float, default=1e-3
        Strength of the penalty alpha (l1_ratio |A|_1 + (1 - l1_ratio) / 2 |A|^2) on the
        coefficients of standardized features; intercepts are free.
    l1_ratio : float, default=0.0
        Share of the lasso, which sets coefficients to exactly zero.
    min_variance : float, default=1e-8
        Floor of the squared scale s^2 as a share of the variance of y.
    common_slope : bool, default=False
        Whether all experts have the same slopes and differ in intercepts and noise only.

    Notes
    -----
    The t is a Gaussian whose precision has been drawn; given delta = (y - eta)^2 / s^2 it is
    expected to be u = (nu + 1) / (nu + delta). The M-step is least squares with weights h u, the
    scale the weighted mean of u (y - eta)^2, and nu solves
    log(nu / 2) - psi(nu / 2) + 1 + mean(log u - u) + psi((nu' + 1) / 2) - log((nu' + 1) / 2) = 0,
    nu' the present value. Several outputs are independent given the expert.

    References
    ----------
    Peel and McLachlan (2000), Robust mixture modelling using the t distribution; Chamroukhi
    (2016), Robust mixture of experts modeling using the t distribution.

    Examples
    --------
    >>> from skmoe.experts import StudentTExperts
    >>> StudentTExperts(df=None, min_df=2.0)
    StudentTExperts(df=None, min_df=2.0)
    """

    damps = False
    settling_steps = 5

    def __init__(
        self, df=1.5, min_df=1.0, alpha=1e-3, l1_ratio=0.0, min_variance=1e-8, common_slope=False
    ):
        self.df = df
        self.min_df = min_df
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.min_variance = min_variance
        self.common_slope = common_slope

    def check(self):
        super().check()
        check_number("min_df", self.min_df, above=0.0)
        check_number("min_variance", self.min_variance, above=0.0)
        if self.df is not None:
            check_number("df", self.df, above=0.0)

    def neutral(self, y):
        q = y.shape[1]
        log_df = [] if self.df is not None else [np.log(max(4.0, self.min_df))]
        return np.zeros(q), np.append(np.zeros(q), log_df)

    def log_density(self, y, eta, dispersion):
        log_variance, df = self._split(dispersion, eta.shape[-1])
        square = np.square(y - eta) * np.exp(-log_variance)
        norm = gammaln(0.5 * (df + 1.0)) - gammaln(0.5 * df) - 0.5 * np.log(np.pi * df)
        logs = norm - 0.5 * log_variance - 0.5 * (df + 1.0) * np.log1p(square / df)
        return np.sum(logs, axis=-1)

    def derivatives(self, y, eta, dispersion):
        precision, u = self._precisions(y, eta, dispersion)
        curvature = precision * u
        return curvature * (y - eta), curvature

    def spread(self, y, eta, dispersion, weight):
        """Return sums of u delta, and of log u - u where degrees of freedom are learned."""
        precision, u = self._precisions(y, eta, dispersion)
        scatter = sums(u * precision * np.square(y - eta), weight)
        if self.df is not None:
            return scatter
        return np.append(scatter, sums(np.log(u) - u, weight).sum(axis=1)[:, None], axis=1)

    def new_dispersion(self, dispersion, spread, count, gain):
        q = gain.shape[1]
        left = np.maximum(spread[:, :q] - 2.0 * gain, 0.01 * spread[:, :q])
        variance = np.log(np.maximum(left / count[:, None], 1e-300)) + dispersion[:, :q]
        if self.df is not None:
            return variance
        return np.append(variance, self._new_df(dispersion[:, q:], spread, count, q), axis=1)

    def dispersion_slope(self, dispersion, spread, count):
        q = dispersion.shape[1] - (self.df is None)
        slope = 0.5 * (spread[:, :q] - count[:, None])
        at_floor = np.exp(dispersion[:, :q]) <= self.min_variance * (1.0 + 1e-9)
        slope = np.where(at_floor & (slope < 0), 0.0, slope)
        if self.df is not None:
            return slope
        df = np.exp(dispersion[:, q:])
        mean = spread[:, q:] / np.maximum(count[:, None], 1e-300) / q
        pull = 0.5 * df * q * count[:, None] * _df_slope(df, df, mean)
        held = (df <= self.min_df * (1.0 + 1e-9)) & (pull < 0)
        held |= (df >= LARGEST_DF * (1.0 - 1e-9)) & (pull > 0)
        return np.append(slope, np.where(held, 0.0, pull), axis=1)

    def bounded(self, dispersion, n_outputs):
        low = np.full(dispersion.shape[1], np.log(self.min_variance))
        high = np.full(dispersion.shape[1], np.inf)
        low[n_outputs:], high[n_outputs:] = (
            np.log(self.min_df),
            np.log(max(LARGEST_DF, self.min_df)),
        )
        return np.clip(dispersion, low, high)

    def moments(self, eta, dispersion):
        log_variance, df = self._split(dispersion, eta.shape[-1])
        heavy = df <= 2.0
        variance = np.exp(log_variance) * df / np.where(heavy, 1.0, df - 2.0)
        return eta, np.broadcast_to(np.where(heavy, np.inf, variance), eta.shape)

    def frozen(self, eta, dispersion):
        log_variance, df = self._split(dispersion, eta.shape[-1])
        return stats.t(df, loc=eta, scale=np.exp(0.5 * log_variance))

    def remeasured(self, theta, y):
        dispersion, q = theta.dispersion.copy(), len(y.ratio)
        dispersion[:, :q] -= 2.0 * np.log(y.ratio)
        return type(theta)(
            theta.coef / y.ratio[:, None], (theta.intercept - y.shift) / y.ratio, dispersion
        )

    def units(self, theta, scaling):
        q = theta.coef.shape[1]
        coef, intercept = self.slopes(theta, scaling)
        log_variance, df = self._split(theta.dispersion, q)
        return {
            "coef_": coef * scaling.y.scale[:, None],
            "intercept_": intercept * scaling.y.scale + scaling.y.mean,
            "scale_": np.exp(0.5 * log_variance) * scaling.y.scale,
            "df_": np.broadcast_to(df, (len(coef), 1)).copy(),
        }

    def _split(self, dispersion, n_outputs):
        """Return log squared scales (K, q) and degrees of freedom (K, 1)."""
        if self.df is not None:
            return dispersion, np.array([[self.df]], dtype=dispersion.dtype)
        return dispersion[:, :n_outputs], np.exp(dispersion[:, n_outputs:])

    def _precisions(self, y, eta, dispersion):
        """Return 1 / s^2 (K, q) and the expected factors u (n, K, q) of it."""
        log_variance, df = self._split(dispersion, eta.shape[-1])
        precision = np.exp(-log_variance)
        return precision, (df + 1.0) / (df + np.square(y - eta) * precision)

    def _new_df(self, log_df, spread, count, q):
        df = np.exp(log_df)
        mean = spread[:, q:] / count[:, None] / q
        low = np.full_like(df, self.min_df)
        high = np.full_like(df, max(LARGEST_DF, self.min_df))

        def excess(active, at):
            return -_df_slope(at, df[active], mean[active])

        inside = (excess(np.arange(len(df)), low) < 0) & (excess(np.arange(len(df)), high) > 0)
        ends = np.where(excess(np.arange(len(df)), low) >= 0, low, high)
        roots = increasing_roots(excess, low, np.where(inside, high, low))
        return np.log(np.where(inside, roots, ends))


def _df_slope(df, now, mean):
    """Return 2 / nu times the slope in log nu, a row, of the complete data's log-likelihood."""
    half, half_now = 0.5 * df, 0.5 * (now + 1.0)
    return np.log(half) - psi(half) + 1.0 + mean + psi(half_now) - np.log(half_now)
