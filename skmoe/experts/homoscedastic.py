"""Linear-regression experts with Gaussian noise that is the same everywhere."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import clone

from skmoe._math.checks import check_choice, check_flag, check_fraction, check_number
from skmoe._math.elastic_net import elastic_net, snapped
from skmoe._math.grams import lines, residuals, weighted_grams, weighted_products
from skmoe._math.solve import solve_psd
from skmoe.base import Experts, Parameters, Statistics
from skmoe.experts.common_slope import common_regression
from skmoe.experts.gaussian import GaussianComponents
from skmoe.noise import DiagonalNoise, FullNoise, Noise, SphericalNoise
from skmoe.targets import REAL

# An expert that holds less than this learns nothing at all.
LEAST_ROWS = 1e-6

NOISES = {"spherical": SphericalNoise, "diag": DiagonalNoise, "full": FullNoise}


@dataclass(frozen=True)
class LinearParameters(Parameters):
    """Coefficients (K, q, d), intercepts (K, q) and noise of K linear experts."""

    coef: np.ndarray
    intercept: np.ndarray
    noise: Noise


@dataclass(frozen=True)
class LinearStatistics(Statistics):
    """Weighted sums of [1, x] [1, x]' (K, p, p), [1, x] y' (K, p, q) and y y' (K, q, q)."""

    gram: np.ndarray
    cross: np.ndarray
    square: np.ndarray


class HomoscedasticExperts(Experts):
    """Experts y ~ N(A_k x + b_k, Sigma_k).

    Parameters
    ----------
    covariance_type : {"spherical", "diag", "full"}, default="full"
        Shape of the noise covariance over the outputs; all the same for one output. A spherical
        one is a sphere where every output is measured in its own standard deviation, so that it
        does not depend on the outputs' units.
    tied : bool, default=False
        Whether all experts share one noise covariance.
    alpha : float, default=1e-3
        Strength of the penalty on the coefficients of standardized features; intercepts are free.
    l1_ratio : float, default=0.0
        Share of the lasso, which sets coefficients to exactly zero.
    fit_intercept : bool, default=True
        Whether the experts have intercepts. Without, lines pass through the origin of X and y,
        whose columns are then scaled by their root mean squares and not centered.
    min_variance : float, default=1e-8
        Floor of the noise variance as a share of the variance of y.
    common_slope : bool, default=False
        Whether all experts have the same slopes and differ in intercepts and noise only. Needs
        intercepts.

    Notes
    -----
    The M-step is weighted least squares: with G_k = sum_n h_nk [1, x_n] [1, x_n]' and
    C_k = sum_n h_nk [1, x_n] y_n', the coefficients solve (G_k + alpha I) B_k = C_k and the
    covariance is the weighted mean of squared residuals. The penalty is measured in the noise, as
    in `sklearn.linear_model.Ridge` and `ElasticNet`: alpha times (1 - l1_ratio) / 2 *
    tr(Sigma_k^-1 A_k A_k') + l1_ratio * sum_j (Sigma_k^-1)_jj |A_kj|_1. An expert that holds
    fewer rows than it has coefficients learns these (as far as the penalty tells them apart) but
    keeps its noise: it would run through its rows and its likelihood to infinity.

    References
    ----------
    Jordan and Jacobs (1994), eqs. 24-26; Jordan and Xu (1995).

    Examples
    --------
    >>> from skmoe.experts.homoscedastic import HomoscedasticExperts
    >>> HomoscedasticExperts(covariance_type="diag", tied=True)
    HomoscedasticExperts(covariance_type='diag', tied=True)
    """

    takes_arrays = True

    def __init__(
        self,
        covariance_type="full",
        tied=False,
        alpha=1e-3,
        l1_ratio=0.0,
        fit_intercept=True,
        min_variance=1e-8,
        common_slope=False,
    ):
        self.covariance_type = covariance_type
        self.tied = tied
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.min_variance = min_variance
        self.common_slope = common_slope

    @property
    def target(self):
        """Real numbers, which lines through the origin leave where they are."""
        return REAL if self.fit_intercept else replace(REAL, shifted=False)

    @property
    def centers(self):
        """Whether the columns of X are centered."""
        return self.fit_intercept

    def check(self):
        check_choice("covariance_type", self.covariance_type, NOISES)
        check_flag("tied", self.tied)
        check_number("alpha", self.alpha)
        check_fraction("l1_ratio", self.l1_ratio)
        check_flag("fit_intercept", self.fit_intercept)
        check_number("min_variance", self.min_variance, above=0.0)
        check_flag("common_slope", self.common_slope)
        if self.common_slope and not self.fit_intercept:
            raise ValueError("common_slope=True leaves intercepts to differ; fit_intercept=False.")

    def with_common_noise(self):
        return clone(self).set_params(tied=True)

    def init(self, X, y, n_experts):
        q = y.shape[1]
        scatter = np.broadcast_to(np.eye(q), (n_experts, q, q))
        noise = self._noise(scatter, np.ones(n_experts))
        return LinearParameters(
            np.zeros((n_experts, q, X.shape[1])), np.zeros((n_experts, q)), noise
        )

    def log_prob(self, theta, X, y):
        return theta.noise.log_prob(residuals(y, self.mean(theta, X)))

    def mean(self, theta, X):
        return lines(X, theta.coef, theta.intercept)

    def components(self, theta, X):
        return GaussianComponents(self.mean(theta, X), theta.noise)

    def potential(self, theta, X, y, weight):
        """Return N_k / 2 log(r_k^2 / r_min^2), summed over outputs, shape (K,).

        A split can hardly gain more than an expert's residuals exceed those of the sharpest one.
        """
        return gain_of_splits(y[:, None, :] - self.mean(theta, X), weight)

    def statistics(self, theta, X, y, weight):
        return linear_statistics(X, y, weight)

    def m_step(self, theta, statistics):
        coef = self._coefficients(theta, statistics)
        scatter = self._penalized_scatter(statistics, coef)
        count = statistics.gram[:, 0, 0]
        starved = count < self.least_rows(theta)
        fed = np.where(starved, 0.0, 1.0)
        noise = self._noise(fed[:, None, None] * scatter, fed * count)
        return self._keep(theta, count, coef, noise)

    def hold(self, theta):
        return replace(
            theta,
            coef=snapped(theta.coef, self._lasso),
            noise=theta.noise.floored(self.min_variance),
        )

    def gradient(self, theta, statistics):
        if self._lasso > 0:
            return None
        coef = np.concatenate([theta.intercept[:, None], np.swapaxes(theta.coef, 1, 2)], axis=1)
        pull = statistics.cross - statistics.gram @ coef
        pull[:, 1:] -= self._ridge * coef[:, 1:]
        pull[:, 0] *= self.fit_intercept
        scatter = self._penalized_scatter(statistics, coef)
        count = statistics.gram[:, 0, 0]
        fed = np.where(count < self.least_rows(theta), 0.0, 1.0)
        slope = pull @ theta.noise.precision(len(count))
        slope[count < LEAST_ROWS] = 0.0
        if self.common_slope:
            slope[:, 1:] = slope[:, 1:].mean(axis=0)
        noise = theta.noise.gradient(fed[:, None, None] * scatter, fed * count, self.min_variance)
        return LinearParameters(np.swapaxes(slope[:, 1:], 1, 2), slope[:, 0], noise)

    def penalty(self, theta):
        ridge = theta.noise.precision_quadratic(np.swapaxes(theta.coef, 1, 2))
        return -0.5 * self._ridge * ridge - self._lasso * self._measured_lasso(theta)

    def least_rows(self, theta):
        own = 0 if self.common_slope else theta.coef.shape[2]
        return LEAST_ROWS if self.tied else own + 1.0 + 1e-6

    def n_parameters(self, theta):
        intercepts = theta.intercept.size if self.fit_intercept else 0
        slopes = np.count_nonzero(theta.coef) if self._lasso > 0 else theta.coef.size
        slopes //= len(theta.coef) if self.common_slope else 1
        return slopes + intercepts + theta.noise.n_parameters()

    def translated(self, theta, change):
        coef, intercept = change.X.of_lines(theta.coef, theta.intercept)
        ratio, K = change.y.ratio, len(coef)
        # Outputs whose units change by different factors need the shape of the noise fitted anew.
        noise = self._noise(theta.noise.scaled(1.0 / ratio).covariance(K), np.ones(K))
        return LinearParameters(coef / ratio[:, None], (intercept - change.y.shift) / ratio, noise)

    def units(self, theta, scaling):
        y_scale = scaling.y.scale
        coef = theta.coef * y_scale[:, None] / scaling.X.scale
        coef = np.where(scaling.X.constant, 0.0, coef)
        intercept = theta.intercept * y_scale + scaling.y.mean - coef @ scaling.X.mean
        covariances = theta.noise.scaled(y_scale).publish(len(intercept))
        return {"coef_": coef, "intercept_": intercept, "covariances_": covariances}

    def _noise(self, scatter, count):
        return NOISES[self.covariance_type].fit(scatter, count, self.tied, self.min_variance)

    @property
    def _lasso(self):
        return self.alpha * self.l1_ratio

    @property
    def _ridge(self):
        return self.alpha * (1.0 - self.l1_ratio)

    def _measured_lasso(self, theta):
        """Return sum_kj (Sigma_k^-1)_jj |A_kj|_1, a float."""
        if self._lasso == 0:
            return 0.0
        precision = np.einsum("kqq->kq", theta.noise.precision(len(theta.coef)))
        return float(np.sum(precision * np.abs(theta.coef).sum(axis=2)))

    def _coefficients(self, theta, statistics):
        if self.common_slope:
            precision = theta.noise.precision(len(theta.coef))
            return common_regression(
                statistics.gram, statistics.cross, precision, self._lasso, self._ridge
            )
        first = 0 if self.fit_intercept else 1
        gram = statistics.gram[:, first:, first:].copy()
        slopes = np.arange(1 - first, gram.shape[1])
        gram[:, slopes, slopes] += self._ridge
        coef = np.zeros_like(statistics.cross)
        cross = statistics.cross[:, first:]
        if self._lasso == 0:
            coef[:, first:] = solve_psd(gram, cross)
        else:
            now = np.concatenate([theta.intercept[:, :, None], theta.coef], axis=2)[:, :, first:]
            precision = theta.noise.precision(len(gram))
            coef[:, first:] = sparse_regressions(
                gram, cross, now, precision, self._lasso, self.fit_intercept
            )
        return coef

    def _penalized_scatter(self, statistics, coef):
        """Weighted squared residuals plus what the penalty adds to them, (K, q, q)."""
        scatter = scatter_of(statistics, coef)
        scatter += self._ridge * np.swapaxes(coef[:, 1:], 1, 2) @ coef[:, 1:]
        if self._lasso > 0:
            diagonal = np.arange(coef.shape[2])
            scatter[:, diagonal, diagonal] += 2.0 * self._lasso * np.abs(coef[:, 1:]).sum(axis=1)
        return scatter

    def _keep(self, theta, count, coef, noise):
        """Return what is new where rows allow it: coefficients, and noise where it is known."""
        empty, starved = count < LEAST_ROWS, count < self.least_rows(theta)
        held = empty & (not self.common_slope)
        new_coef = np.where(held[:, None, None], theta.coef, np.swapaxes(coef[:, 1:], 1, 2))
        new_intercept = np.where(empty[:, None], theta.intercept, coef[:, 0])
        if starved.any() and not self.tied:
            noise = noise.keep(theta.noise, starved)
        return LinearParameters(new_coef, new_intercept, noise)


def linear_statistics(X, y, weight):
    """Return the LinearStatistics of rows X (n, d) and y (n, q) under the weights (n, K)."""
    cross, square = weighted_products(X, y, weight)
    return LinearStatistics(weighted_grams(X, weight), cross, square)


def gain_of_splits(residual, weight):
    """Return N_k / 2 log(r_k^2 / r_min^2) (K,) of residuals (n, K, q), summed over outputs."""
    held = np.maximum(weight.sum(axis=0, dtype=np.float64), 1e-9)
    spread = np.einsum("nk,nkq->kq", weight, np.square(residual)) / held[:, None]
    log_spread = np.log(np.maximum(spread, 1e-12)).sum(axis=1)
    return 0.5 * held * (log_spread - log_spread.min())


def scatter_of(statistics, coef):
    """Weighted sums of squared residuals (K, q, q) of coefficients (K, p, q)."""
    cross = np.swapaxes(coef, 1, 2) @ statistics.cross
    fitted = np.swapaxes(coef, 1, 2) @ (statistics.gram @ coef)
    scatter = statistics.square - cross - np.swapaxes(cross, 1, 2) + fitted
    diagonal = np.einsum("kqq->kq", scatter)
    np.maximum(diagonal, 0.0, out=diagonal)
    return scatter


def sparse_regressions(gram, cross, start, precision, lasso, fit_intercept):
    """Return coefficients (K, p, q) of several outputs under a lasso.

    Outputs that share noise share their zeros' price, too: the problem is one of q p coefficients
    with curvature Sigma^-1 times the Gram.
    """
    K, p, q = cross.shape
    joint = np.einsum("kab,kij->kaibj", precision, gram).reshape(K, q * p, q * p)
    pull = np.einsum("kab,kib->kai", precision, cross).reshape(K, q * p)
    price = np.repeat(lasso * np.einsum("kqq->kq", precision)[:, :, None], p, axis=2)
    if fit_intercept:
        price[:, :, 0] = 0.0
    solved = elastic_net(joint, pull, start.reshape(K, q * p), price.reshape(K, q * p), 0.0)
    return np.swapaxes(solved.reshape(K, q, p), 1, 2)
