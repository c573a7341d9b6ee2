"""Logistic experts: classes whose log-odds are linear in x."""

import threading
import weakref
from dataclasses import dataclass, replace

import numpy as np

from skmoe._math.checks import check_fraction, check_number
from skmoe._math.elastic_net import snapped
from skmoe._math.grams import linear, weighted_crosses, weighted_grams
from skmoe._math.softmax_regression import (
    carried_score,
    curvature_weights_of_all,
    elastic_net_penalty,
    softmax_steps,
)
from skmoe.base import Experts, Parameters, Statistics
from skmoe.experts.categorical import CategoricalComponents, ways
from skmoe.targets import CLASSES, COUNTS

# Rows that cost less than this many nats each are explained without a doubt.
SEPARATED = 1e-5


@dataclass(frozen=True)
class LogisticParameters(Parameters):
    """Coefficients (K, C, d) and intercepts (K, C); both sum to zero over the C classes."""

    coef: np.ndarray
    intercept: np.ndarray


@dataclass(frozen=True)
class LogisticStatistics(Statistics):
    """Score (K, C, p), curvature of pairs of classes (K, P, p, p), weight of trials (K,)."""

    score: np.ndarray
    curvature: np.ndarray
    total: np.ndarray


class _Last(threading.local):
    """The odds of the classes last computed in this thread: a pass asks for them twice."""

    def __init__(self):
        self.theta = self.X = self.kept = None

    def keep(self, theta, X, *kept):
        """Remember what belongs to theta and to rows that nobody may write to."""
        if not X.flags.writeable:
            self.theta, self.X, self.kept = weakref.ref(theta), weakref.ref(X), kept

    def take(self, theta, X):
        """Hand over what was kept for theta and X, or None."""
        kept, self.kept = self.kept, None
        if kept is not None and self.theta() is theta and self.X() is X:
            return kept
        return None


_last = _Last()


class SoftmaxExperts(Experts):
    """Experts p(class c | x) proportional to exp(a_kc' x + b_kc), for one trial or several."""

    settling_steps = 4
    takes_notes = True

    def check(self):
        check_number("alpha", self.alpha)
        check_fraction("l1_ratio", self.l1_ratio)

    def init(self, X, y, n_experts):
        shape = (n_experts, y.shape[1])
        return LogisticParameters(np.zeros((*shape, X.shape[1])), np.zeros(shape))

    def log_probability(self, theta, X):
        """Return log p(c | x, theta_k), shape (n, K, C)."""
        shifted = self._shifted_scores(theta, X)
        shifted -= np.log(np.exp(shifted).sum(axis=1))[:, None]
        return np.moveaxis(shifted, 2, 0)

    def log_prob(self, theta, X, y):
        shifted = self._shifted_scores(theta, X)
        trials = y.sum(axis=1)
        taken = np.einsum("kcn,cn->kn", shifted, y.T)
        odds = np.exp(shifted, out=shifted)
        total = odds.sum(axis=1)
        _last.keep(theta, X, odds, total)
        taken -= trials * np.log(total)
        return (taken + ways(y)).T

    def mean(self, theta, X):
        return np.exp(self.log_probability(theta, X))

    def _shifted_scores(self, theta, X):
        """Return scores (K, C, n) less the largest of each row; rows run fastest."""
        K, C, d = theta.coef.shape
        scores = linear(X, theta.coef.reshape(K * C, d), theta.intercept.ravel())
        scores = scores.T.reshape(K, C, len(X))
        scores -= scores.max(axis=1, keepdims=True)
        return scores

    def _probability(self, theta, X):
        """Return p(c | x, theta_k), shape (K, C, n)."""
        kept = _last.take(theta, X)
        if kept is None:
            odds = self._shifted_scores(theta, X)
            np.exp(odds, out=odds)
            kept = odds, odds.sum(axis=1)
        odds, total = kept
        odds /= total[:, None]
        return odds

    def components(self, theta, X):
        return CategoricalComponents(self.log_probability(theta, X))

    def response(self, X, y):
        return y / np.maximum(y.sum(axis=1, keepdims=True), 1e-12)

    def potential(self, theta, X, y, weight):
        """Return the nats that each expert is short of certainty, shape (K,)."""
        return np.einsum("nk,nkc,nc->k", weight, -self.log_probability(theta, X), y)

    def notes(self, theta, X, y, weight):
        held = np.maximum(weight.sum(axis=0, dtype=np.float64), 1e-300)
        certain = (self.potential(theta, X, y, weight) < SEPARATED * held) & (held > 0.5)
        if theta.coef.shape[1] == 1 or not certain.any():
            return []
        return [f"experts {np.flatnonzero(certain).tolist()} separate the classes of their rows"]

    def statistics(self, theta, X, y, weight):
        K, C, _ = theta.coef.shape
        probability = self._probability(theta, X)
        trials = weight.T * y.sum(axis=1)
        grams = weighted_grams(X, curvature_weights_of_all(probability, trials))
        excess = weight.T[:, None, :] * y.T
        probability *= trials[:, None, :]
        excess -= probability
        score = weighted_crosses(X, excess.reshape(K * C, len(X)).T)
        return LogisticStatistics(
            score=score.reshape(K, C, -1),
            curvature=grams.reshape(K, -1, *grams.shape[1:]),
            total=trials.sum(axis=1, dtype=np.float64),
        )

    def carry(self, statistics, old, new):
        move = np.concatenate(
            [(new.intercept - old.intercept)[:, :, None], new.coef - old.coef], axis=2
        )
        rows = zip(statistics.score, statistics.curvature, move, strict=True)
        return replace(statistics, score=np.stack([carried_score(*each) for each in rows]))

    def m_step(self, theta, statistics):
        now = np.concatenate([theta.intercept[:, :, None], theta.coef], axis=2)
        new = now + softmax_steps(now, *_parts(statistics), self.alpha, self.l1_ratio)
        return LogisticParameters(new[:, :, 1:], new[:, :, 0])

    def hold(self, theta):
        return replace(theta, coef=snapped(theta.coef, self.alpha * self.l1_ratio))

    def gradient(self, theta, statistics):
        if self.alpha * self.l1_ratio > 0:
            return None
        return LogisticParameters(
            statistics.score[:, :, 1:] - self.alpha * theta.coef, statistics.score[:, :, 0]
        )

    def penalty(self, theta):
        return elastic_net_penalty(theta.coef, self.alpha, self.l1_ratio)

    def n_parameters(self, theta):
        K, C, d = theta.coef.shape
        if self.alpha * self.l1_ratio > 0:
            return K * (C - 1) + np.count_nonzero(theta.coef)
        return K * (C - 1) * (d + 1)

    def translated(self, theta, change):
        return LogisticParameters(*change.X.of_lines(theta.coef, theta.intercept))

    def units(self, theta, scaling):
        coef = np.where(scaling.X.constant, 0.0, theta.coef / scaling.X.scale)
        intercept = theta.intercept - coef @ scaling.X.mean
        if coef.shape[1] == 2:
            return {
                "coef_": coef[:, 1] - coef[:, 0],
                "intercept_": intercept[:, 1] - intercept[:, 0],
            }
        return {"coef_": coef, "intercept_": intercept}


class LogisticExperts(SoftmaxExperts):
    """Experts that are logistic regressions: Bernoulli for two classes, categorical for more.

    Parameters
    ----------
    alpha : float, default=1e-3
        Strength of the penalty alpha (l1_ratio |A|_1 + (1 - l1_ratio) / 2 |A|^2) on the
        coefficients of standardized features; intercepts are free. With two classes the
        coefficient of the log-odds is the difference of two opposite ones.
    l1_ratio : float, default=0.0
        Share of the lasso, which sets coefficients to exactly zero.

    Notes
    -----
    p(c | x) = exp(a_c' x + b_c) / sum_j exp(a_j' x + b_j), for classes shown as columns of zeros
    and ones. The M-step is one Newton step on the weighted multinomial log-likelihood, damped
    where it is long; from 7 classes on, one Newton step a class under the curvature diag(p),
    which is never less than the true diag(p) - p p'.

    References
    ----------
    Jordan and Jacobs (1994), section 3; Waterhouse and Robinson (1994), Classification using
    hierarchical mixtures of experts.

    Examples
    --------
    >>> from skmoe.experts import LogisticExperts
    >>> LogisticExperts(alpha=0.1, l1_ratio=0.5)
    LogisticExperts(alpha=0.1, l1_ratio=0.5)
    """

    target = CLASSES

    def __init__(self, alpha=1e-3, l1_ratio=0.0):
        self.alpha = alpha
        self.l1_ratio = l1_ratio


class MultinomialExperts(SoftmaxExperts):
    """Experts for rows of counts that share a number of trials: y ~ Multinomial(n, p_k(x)).

    Parameters
    ----------
    alpha : float, default=1e-3
        Strength of the penalty alpha (l1_ratio |A|_1 + (1 - l1_ratio) / 2 |A|^2) on the
        coefficients of standardized features; intercepts are free.
    l1_ratio : float, default=0.0
        Share of the lasso, which sets coefficients to exactly zero.

    Notes
    -----
    y has one column a category, and its rows' sums n are given: nothing is said of them. Means,
    quantiles and draws are those of a single trial.

    References
    ----------
    Gruen and Leisch (2008), FlexMix version 2: finite mixtures with concomitant variables and
    varying and constant parameters.

    Examples
    --------
    >>> from skmoe.experts import MultinomialExperts
    >>> MultinomialExperts()
    MultinomialExperts()
    """

    target = COUNTS

    def __init__(self, alpha=1e-3, l1_ratio=0.0):
        self.alpha = alpha
        self.l1_ratio = l1_ratio


def _parts(statistics):
    return statistics.score, statistics.curvature, statistics.total
