"""The localized gate: every expert has a place in x, and the nearer one is asked."""

from dataclasses import dataclass, replace

import numpy as np

from skmoe._math.checks import check_choice, check_flag, check_number
from skmoe._math.grams import weighted_grams
from skmoe._math.logspace import log_softmax
from skmoe._math.softmax_regression import one_ahead
from skmoe.base import Gate, Parameters, Statistics
from skmoe.noise import DiagonalNoise, FullNoise, Noise, SphericalNoise

NOISES = {"spherical": SphericalNoise, "diag": DiagonalNoise, "full": FullNoise}


@dataclass(frozen=True)
class LocalizedGateParameters(Parameters):
    """Scores (K,), whose softmax are the experts' shares, centers (K, d) and covariances."""

    score: np.ndarray
    center: np.ndarray
    noise: Noise


@dataclass(frozen=True)
class LocalizedGateStatistics(Statistics):
    """Weighted sums of [1, x] [1, x]', shape (K, d + 1, d + 1)."""

    gram: np.ndarray


class LocalizedGate(Gate):
    """Weights proportional to a_k N(x; m_k, S_k).

    Parameters
    ----------
    covariance_type : {"spherical", "diag", "full"}, default="full"
        Shape of the covariances S over the features.
    tied : bool, default=False
        Whether all experts share one covariance; the gate is then linear, like a softmax.
    alpha : float, default=1.0
        Rows of unit covariance imagined in every expert's place: a place cannot shrink onto fewer.
    min_variance : float, default=1e-6
        Floor of the variances of standardized features.

    Notes
    -----
    Learning climbs the *joint* density of rows and answers, log a_k N(x; m_k, S_k) p_k(y | x), in
    which the M-step has a closed form: shares, weighted means and weighted covariances,
    S_k = (sum_n h_nk (x_n - m_k)(x_n - m_k)' + alpha I) / (sum_n h_nk + alpha). The fitter's bound
    is the joint one. Answers use the conditional g_k(x) = a_k N(x; m_k, S_k) / sum_j a_j N_j(x).

    References
    ----------
    Xu, Jordan and Hinton (1995), An alternative model for mixtures of experts.

    Examples
    --------
    >>> from skmoe.gates import LocalizedGate
    >>> LocalizedGate(covariance_type="diag")
    LocalizedGate(covariance_type='diag')
    """

    def __init__(self, covariance_type="full", tied=False, alpha=1.0, min_variance=1e-6):
        self.covariance_type = covariance_type
        self.tied = tied
        self.alpha = alpha
        self.min_variance = min_variance

    def check(self):
        check_choice("covariance_type", self.covariance_type, NOISES)
        check_flag("tied", self.tied)
        check_number("alpha", self.alpha)
        check_number("min_variance", self.min_variance, above=0.0)

    def init(self, X, n_experts):
        K, d = n_experts, X.shape[1]
        noise = self._noise(np.broadcast_to(np.eye(d), (K, d, d)), np.ones(K))
        return LocalizedGateParameters(np.zeros(K), np.zeros((K, d)), noise)

    def evidence(self, theta, X):
        """Return log a_k N(x; m_k, S_k), shape (n, K)."""
        log_share = log_softmax(theta.score[None])[0].astype(X.dtype)
        if X.shape[1] == 0:
            return np.repeat(log_share[None], len(X), axis=0)
        offset = (X.T[:, None, :] - theta.center.T[:, :, None].astype(X.dtype)).T
        return theta.noise.log_prob(offset) + log_share

    def log_prob(self, theta, X):
        # Far away all densities vanish; distances are kept within what can be squared.
        reach = np.sqrt(np.finfo(X.dtype).max) * 1e-6
        return log_softmax(self.evidence(theta, np.clip(X, -reach, reach)))

    def statistics(self, theta, X, weight):
        return LocalizedGateStatistics(weighted_grams(X, weight))

    def leaning(self, theta, expert, log_odds):
        return replace(theta, score=one_ahead(len(theta.score), expert, log_odds))

    def m_step(self, theta, statistics):
        count = statistics.gram[:, 0, 0]
        held = np.maximum(count, 1e-300)
        fed = count > 1e-6
        center = np.where(fed[:, None], statistics.gram[:, 0, 1:] / held[:, None], theta.center)
        scatter, rows = self._imagined(statistics, center)
        score = np.log(np.maximum(count / max(count.sum(), 1e-300), 1e-300))
        return LocalizedGateParameters(score, center, self._noise(scatter, rows))

    def gradient(self, theta, statistics):
        count = statistics.gram[:, 0, 0]
        share = np.exp(log_softmax(theta.score[None])[0])
        offset = statistics.gram[:, 0, 1:] - count[:, None] * theta.center
        precision = theta.noise.precision(len(count))
        return LocalizedGateParameters(
            count - count.sum() * share,
            np.einsum("kde,ke->kd", precision, offset),
            theta.noise.gradient(*self._imagined(statistics, theta.center), self.min_variance),
        )

    def hold(self, theta):
        return LocalizedGateParameters(
            theta.score, theta.center, theta.noise.floored(self.min_variance)
        )

    def penalty(self, theta):
        """Return the log-density of the imagined rows: sum_k alpha log N(I; 0, S_k), a float."""
        K, d = theta.center.shape
        if self.alpha == 0 or d == 0:
            return 0.0
        # alpha / d rows at sqrt(d) along every axis have the scatter alpha I.
        axes = np.sqrt(d) * np.eye(d)
        logs = theta.noise.log_prob(np.repeat(axes[:, None, :], K, axis=1))
        return self.alpha / d * float(logs.sum())

    def n_parameters(self, theta):
        """Return the free parameters of the weights: of log-ratios of experts' densities."""
        K, d = theta.center.shape
        bends = 0 if self.tied else theta.noise.n_parameters() // K
        return (K - 1) * (1 + d + bends)

    def units(self, theta, scaling):
        K, scale = len(theta.score), scaling.X_gate.scale
        covariance = theta.noise.covariance(K) * np.outer(scale, scale)
        return {
            "gate_shares_": np.exp(log_softmax(theta.score[None])[0]),
            "gate_means_": theta.center * scale + scaling.X_gate.mean,
            "gate_covariances_": covariance,
        }

    def _noise(self, scatter, count):
        return NOISES[self.covariance_type].fit(scatter, count, self.tied, self.min_variance)

    def _imagined(self, statistics, center):
        """Return scatters (K, d, d) about the centers, and rows (K,), the imagined ones with."""
        count, total = statistics.gram[:, 0, 0], statistics.gram[:, 0, 1:]
        cross = total[:, :, None] * center[:, None, :]
        scatter = statistics.gram[:, 1:, 1:] - cross - np.swapaxes(cross, 1, 2)
        scatter += count[:, None, None] * center[:, :, None] * center[:, None, :]
        return scatter + self.alpha * np.eye(center.shape[1]), count + self.alpha
