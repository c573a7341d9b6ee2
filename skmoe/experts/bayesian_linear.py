"""Linear experts whose coefficients and noise are known up to a posterior."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln, polygamma, psi

from skmoe._math.checks import check_number
from skmoe._math.gamma import gamma_excess
from skmoe._math.grams import linear
from skmoe._math.posterior import (
    determined,
    log_determinant,
    moved,
    plus_diagonal,
    root_of_inverse,
    root_slope,
    spread_of_scores,
    variances,
)
from skmoe._math.relevance import RelevancePrior, settled
from skmoe.base import Experts, Parameters
from skmoe.experts.homoscedastic import gain_of_splits, linear_statistics, scatter_of
from skmoe.experts.row_student_t import RowStudentTs

LOG_2PI = float(np.log(2.0 * np.pi))
# Rounds in which an M-step learns how relevant the features are, on the same sums.
ROUNDS = 2
# b_0 itself ~ Gamma(1, 1) in units of the variance of y: where rows cannot tell noise from slopes,
# noise does not vanish for nothing.
HYPER_SHAPE = 1.0


@dataclass(frozen=True)
class BayesianLinearParameters(Parameters):
    """Posteriors of K linear experts with d features and q outputs, p = d + 1.

    Attributes
    ----------
    coef, intercept : ndarray of shape (K, q, d), (K, q)
        Means of the coefficients.
    root : ndarray of shape (K, p, p)
        R'R is the covariance of [intercept, slopes] in units of the noise variance.
    log_shape, log_rate : ndarray of shape (K,), (K, q)
        Of the Gamma posteriors of the noise precisions.

    Notes
    -----
    The priors' precisions and rate are no numbers of their own: the posteriors tell where the
    bound is greatest in them, and on the way from one place to another they follow.
    """

    coef: np.ndarray
    intercept: np.ndarray
    root: np.ndarray
    log_shape: np.ndarray
    log_rate: np.ndarray


class BayesianLinearExperts(Experts):
    """Experts y ~ N(A_k x + b_k, 1 / tau_k) with a normal-gamma posterior and automatic relevance.

    Parameters
    ----------
    relevance_shape : float, default=0.5
        Shape c of the Gamma prior of the coefficients' precisions: small ones let coefficients
        differ in size (automatic relevance determination), large ones make a ridge.
    prior_shape : float, default=2.0
        Shape a_0 of the Gamma prior of the noise precisions: as good as 2 a_0 rows of the noise
        that the experts have in common.
    min_variance : float, default=1e-8
        Floor of the noise variance as a share of the variance of y.

    Notes
    -----
    With coefficients w_kj of expert k and output j, intercept included, the model is

        w_kj | tau_kj ~ N(0, (tau_kj diag(alpha_k))^-1),   tau_kj ~ Gamma(a_0, b_0j),
        alpha_ki ~ Gamma(c, c / t_k),

    and q(w, tau) the normal-gamma posterior N(m_kj, S_k / tau_kj) Gamma(a_k, b_kj) with
    S_k^-1 = sum_n h_nk [1, x_n] [1, x_n]' + diag(E[alpha_k]), a_k = a_0 + N_k / 2 and
    b_kj = b_0j + (sum_n h_nk (y_nj - m'[1, x_n])^2 + sum_i E[alpha_ki] m_kji^2) / 2. Learning sees
    E_q[log p(y | x)]; answers are Student-t with 2 a_k degrees of freedom, center m'[1, x] and
    squared scale (b / a) (1 + [1, x]' S [1, x]). Every expert and feature has a precision alpha
    of its own, with E[alpha_ki] = (c + q / 2) / (c / t_k + E[sum_j tau_kj w_kji^2] / 2); their
    typical value t_k and the rate b_0 maximize the bound (type II). An expert without rows returns
    to its prior, and is switched off. Several outputs share alpha and are independent given the
    expert.

    References
    ----------
    Waterhouse, MacKay and Robinson (1996), Bayesian methods for mixtures of experts. MacKay
    (1992), Bayesian interpolation. Ueda and Ghahramani (2002), Bayesian model search for mixture
    models based on optimizing variational bounds. Bishop and Svensen (2003), Bayesian hierarchical
    mixtures of experts.

    Examples
    --------
    >>> from skmoe.experts import BayesianLinearExperts
    >>> BayesianLinearExperts(prior_shape=1.5)
    BayesianLinearExperts(prior_shape=1.5)
    """

    settling_steps = 3
    switches_off = True

    def __init__(self, relevance_shape=0.5, prior_shape=2.0, min_variance=1e-8):
        self.relevance_shape = relevance_shape
        self.prior_shape = prior_shape
        self.min_variance = min_variance

    def check(self):
        check_number("relevance_shape", self.relevance_shape, above=0.0)
        check_number("prior_shape", self.prior_shape, above=0.0)
        check_number("min_variance", self.min_variance, above=0.0)

    def init(self, X, y, n_experts):
        K, d, q = n_experts, X.shape[1], y.shape[1]
        shape = self.prior_shape
        return BayesianLinearParameters(
            coef=np.zeros((K, q, d)),
            intercept=np.zeros((K, q)),
            root=np.repeat(np.eye(d + 1)[None], K, axis=0),
            log_shape=np.full(K, np.log(shape)),
            log_rate=np.full((K, q), np.log(shape)),
        )

    def evidence(self, theta, X, y):
        """Return E_q[log p(y | x, w_k, tau_k)], shape (n, K)."""
        q = y.shape[1]
        precision = _precision(theta)
        total = spread_of_scores(X, theta.root)
        total *= q
        for j in range(q):
            residual = linear(X, theta.coef[:, j], theta.intercept[:, j])
            np.subtract(y[:, j, None], residual, out=residual)
            np.square(residual, out=residual)
            residual *= precision[:, j].astype(X.dtype)
            total += residual
        total *= -0.5
        constant = 0.5 * (_log_precision(theta) - LOG_2PI).sum(axis=1)
        return np.add(total, constant.astype(X.dtype), out=total)

    def log_prob(self, theta, X, y):
        return self.components(theta, X).log_prob(y[:, None, :])

    def mean(self, theta, X):
        K, q, d = theta.coef.shape
        coef = theta.coef.transpose(1, 0, 2).reshape(q * K, d)
        flat = linear(X, coef, theta.intercept.T.ravel())
        return flat.T.reshape(q, K, len(X)).T

    def components(self, theta, X):
        noise = np.exp(theta.log_rate - theta.log_shape[:, None])
        square = (1.0 + spread_of_scores(X, theta.root).astype(np.float64))[:, :, None] * noise
        scales = np.sqrt(square).astype(X.dtype, copy=False)
        return RowStudentTs(self.mean(theta, X), scales, 2.0 * np.exp(theta.log_shape))

    def potential(self, theta, X, y, weight):
        """Return N_k / 2 log(r_k^2 / r_min^2), summed over outputs, shape (K,)."""
        return gain_of_splits(y[:, None, :] - self.mean(theta, X), weight)

    def statistics(self, theta, X, y, weight):
        return linear_statistics(X, y, weight)

    def m_step(self, theta, statistics):
        q, shape = theta.intercept.shape[1], self.prior_shape + 0.5 * statistics.gram[:, 0, 0]
        floor = self.min_variance * shape[:, None]
        prior, prior_rate = self._prior(theta), self._prior_rate(_precision(theta))

        def place(relevance):
            root, mean = _posterior(statistics, relevance)
            rate = np.maximum(prior_rate + _losses(statistics, relevance, mean), floor)
            trial = BayesianLinearParameters(
                coef=np.swapaxes(mean[:, 1:], 1, 2),
                intercept=mean[:, 0],
                root=root,
                log_shape=np.log(shape),
                log_rate=np.log(rate),
            )
            terms, quick, slow = prior.weigh(_measured(trial), variances(root))
            height = _expected(trial, statistics) + terms + 0.5 * q * log_determinant(root)
            height -= 0.5 * q * determined(root, relevance)
            height -= self._noise_divergence(trial, prior_rate).sum(axis=1)
            return trial, height, quick, slow

        return settled(place, self._relevance(theta), ROUNDS)

    def _prior(self, theta):
        return RelevancePrior(self.relevance_shape, theta.intercept.shape[1])

    def _relevance(self, theta):
        """Return E[alpha], shape (K, p)."""
        return self._prior(theta).expected(_squares(theta))

    def _determined(self, theta):
        """Return how far the rows, not the prior, determine each coefficient: (K, p), 0 to 1."""
        return np.clip(1.0 - self._relevance(theta) * variances(theta.root), 0.0, 1.0)

    def hold(self, theta):
        floor = np.log(self.min_variance) + theta.log_shape[:, None]
        return replace(theta, log_rate=np.maximum(theta.log_rate, floor))

    def gradient(self, theta, statistics):
        q, shape = theta.intercept.shape[1], np.exp(theta.log_shape)[:, None]
        relevance, precision = self._relevance(theta), _precision(theta)
        mean = _means(theta)
        joint = plus_diagonal(statistics.gram, relevance)
        pull = (statistics.cross - joint @ mean) * precision[:, None]
        loss = _losses(statistics, relevance, mean)
        ratio = (self._prior_rate(precision) + loss) * np.exp(-theta.log_rate)
        short = self.prior_shape + 0.5 * statistics.gram[:, :1, 0] - shape
        of_shape = shape * (short * polygamma(1, shape) + 1.0 - ratio)
        of_rate = shape * (ratio - 1.0) - short
        floor = np.log(self.min_variance) + theta.log_shape[:, None] + 1e-9
        return BayesianLinearParameters(
            coef=np.swapaxes(pull[:, 1:], 1, 2),
            intercept=pull[:, 0],
            root=q * root_slope(theta.root, joint),
            log_shape=of_shape.sum(axis=1),
            log_rate=np.where((theta.log_rate <= floor) & (of_rate < 0), 0.0, of_rate),
        )

    def charges(self, theta):
        q, p = theta.intercept.shape[1], theta.root.shape[1]
        noise = self._noise_divergence(theta, self._prior_rate(_precision(theta))).sum(axis=1)
        terms = self._prior(theta).terms(_squares(theta))
        return noise - terms - 0.5 * q * (p + log_determinant(theta.root))

    def penalty(self, theta):
        """Return minus the divergence of the posteriors from their priors, a float."""
        prior_rate = self._prior_rate(_precision(theta))
        common = HYPER_SHAPE * (np.log(prior_rate) - prior_rate).sum()
        return float(common - self.charges(theta).sum())

    def n_parameters(self, theta):
        """Return the coefficients that the rows determine, and noise of experts that have any."""
        q = theta.intercept.shape[1]
        active = np.exp(theta.log_shape) > self.prior_shape + 0.5
        determined = self._determined(theta)[active].sum()
        return int(round(q * float(determined))) + q * int(active.sum())

    def translated(self, theta, change):
        coef, intercept = change.X.of_lines(theta.coef, theta.intercept)
        ratio = change.y.ratio
        return BayesianLinearParameters(
            coef=coef / ratio[:, None],
            intercept=(intercept - change.y.shift) / ratio,
            root=moved(theta.root, change.X),
            log_shape=theta.log_shape,
            log_rate=theta.log_rate - 2.0 * np.log(ratio),
        )

    def units(self, theta, scaling):
        y_scale = scaling.y.scale
        coef = theta.coef * y_scale[:, None] / scaling.X.scale
        coef = np.where(scaling.X.constant, 0.0, coef)
        intercept = theta.intercept * y_scale + scaling.y.mean - coef @ scaling.X.mean
        shape = np.exp(theta.log_shape)[:, None]
        variance = np.exp(theta.log_rate) / np.where(shape > 1.0, shape - 1.0, shape)
        return {
            "coef_": coef,
            "intercept_": intercept,
            "covariances_": variance * np.square(y_scale),
            "relevance_": np.where(scaling.X.constant, 0.0, self._determined(theta)[:, 1:]),
        }

    def widened(self, theta, factor, most_df=np.inf):
        """Return theta with answers that are ``factor`` times as wide, of most_df at the most."""
        log_shape = np.minimum(theta.log_shape, np.log(0.5 * most_df))
        lost = (theta.log_shape - log_shape)[:, None]
        log_rate = theta.log_rate - lost + 2.0 * np.log(factor)
        return replace(theta, log_shape=log_shape, log_rate=log_rate)

    def _noise_divergence(self, theta, prior_rate):
        """Return KL(q(tau) || p(tau)) under the prior's rate (q,), shape (K, q)."""
        shape, prior = np.exp(theta.log_shape)[:, None], self.prior_shape
        ratio = prior_rate * np.exp(-theta.log_rate)
        divergence = gamma_excess(shape) + shape * ratio
        return divergence + gammaln(prior) - prior * (psi(shape) + np.log(ratio))

    def _prior_rate(self, precision):
        """Return the rate (q,) of the common prior, where the bound is greatest in it."""
        K = len(precision)
        return (K * self.prior_shape + HYPER_SHAPE) / (precision.sum(axis=0) + HYPER_SHAPE)


def _precision(theta):
    """Return E[tau], shape (K, q)."""
    return np.exp(theta.log_shape[:, None] - theta.log_rate)


def _log_precision(theta):
    """Return E[log tau], shape (K, q)."""
    return psi(np.exp(theta.log_shape))[:, None] - theta.log_rate


def _means(theta):
    """Return the means of [intercept, slopes], shape (K, p, q)."""
    return np.concatenate([theta.intercept[:, None], np.swapaxes(theta.coef, 1, 2)], axis=1)


def _measured(theta):
    """Return sum_j E[tau_kj] m_kji^2, shape (K, p)."""
    return np.einsum("kq,kpq->kp", _precision(theta), np.square(_means(theta)))


def _squares(theta):
    """Return sum_j E[tau_kj w_kji^2], shape (K, p)."""
    return _measured(theta) + theta.intercept.shape[1] * variances(theta.root)


def _expected(theta, statistics):
    """Return sum_n h_nk E_q[log p(y_n | x_n)] at the means, without constants, shape (K,)."""
    squares = np.einsum("kqq->kq", scatter_of(statistics, _means(theta)))
    count = statistics.gram[:, :1, 0]
    return 0.5 * (count * _log_precision(theta) - _precision(theta) * squares).sum(axis=1)


def _losses(statistics, relevance, mean):
    """Return (sum h (y - m'x)^2 + sum alpha m^2) / 2, shape (K, q)."""
    squares = np.einsum("kqq->kq", scatter_of(statistics, mean))
    return 0.5 * (squares + np.einsum("kp,kpq->kq", relevance, np.square(mean)))


def _posterior(statistics, relevance):
    """Return roots (K, p, p) and means (K, p, q) of the coefficients."""
    root = root_of_inverse(plus_diagonal(statistics.gram, relevance))
    return root, np.swapaxes(root, 1, 2) @ (root @ statistics.cross)
