"""Softmax regressions with posteriors: what a Bayesian gate and a logistic expert share."""

from dataclasses import dataclass, replace

import numpy as np

from skmoe._math.grams import linear, weighted_crosses, weighted_grams
from skmoe._math.logspace import log_softmax, log_sum_exp, softmax
from skmoe._math.newton import damped, newton_step
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
from skmoe.base import Parameters, Statistics

# Rounds in which an M-step learns how relevant the features are, on the same sums.
ROUNDS = 2
# Longest step of a standardized coefficient: where an expert's rows are all decided, its curvature
# is nothing and tells nothing of how far to go.
LONGEST = 5.0


@dataclass(frozen=True)
class SoftmaxPosteriorParameters(Parameters):
    """Posterior means (K, d) and (K,), and roots R (K, p, p).

    R'R is the covariance of [intercept, slopes].
    """

    coef: np.ndarray
    intercept: np.ndarray
    root: np.ndarray


@dataclass(frozen=True)
class SoftmaxPosteriorStatistics(Statistics):
    """Score (K, p), curvature (K, p, p), weight."""

    score: np.ndarray
    curvature: np.ndarray
    total: float


@dataclass(frozen=True)
class SoftmaxPosterior:
    """A softmax regression of C classes under the tilted bound; see `skmoe.gates`.

    Attributes
    ----------
    relevance_shape : float
        Of the Gamma prior of the coefficients' precisions.
    """

    relevance_shape: float

    def init(self, n_features, n_classes):
        """Return neutral parameters."""
        K, p = n_classes, n_features + 1
        return SoftmaxPosteriorParameters(
            np.zeros((K, p - 1)),
            np.zeros(K),
            np.repeat(np.eye(p)[None], K, axis=0),
        )

    def evidence(self, theta, X):
        """Return the tilted bound of E_q[log g_k(x)], shape (n, K)."""
        mean, spread, tilt, bent = _tilted(theta, X)
        normalizer = 0.5 * np.einsum("nk,nk,nk->n", tilt, tilt, spread) + log_sum_exp(bent)
        mean -= normalizer[:, None]
        return mean

    def log_prob(self, theta, X):
        """Return the log-weights (n, K), nearer to each other where scores are not known well."""
        mean, spread, tilt, _ = _tilted(theta, X)
        doubt = 0.25 * np.pi * np.einsum("nk,nk->n", tilt, spread)
        return log_softmax(mean / np.sqrt(1.0 + doubt)[:, None])

    def statistics(self, theta, X, weight):
        """Return the statistics of rows that go to the classes with weight (n, C)."""
        total = weight.sum(axis=1)
        _, spread, tilt, bent = _tilted(theta, X)
        weighed = softmax(bent)
        # The tilts follow the means, too.
        late = tilt * spread * (tilt - weighed)
        slope = weighed + late - tilt * late.sum(axis=1)[:, None]
        curved = tilt * tilt + weighed * (1.0 - 2.0 * tilt)
        return SoftmaxPosteriorStatistics(
            score=weighted_crosses(X, weight - slope * total[:, None]),
            curvature=weighted_grams(X, curved * total[:, None]),
            total=float(total.sum(dtype=np.float64)),
        )

    def m_step(self, theta, statistics):
        """Return the parameters that the statistics ask for."""
        now, prior = _means(theta), self._prior
        double = 2.0 * statistics.curvature

        def place(relevance):
            step = damped(
                newton_step(now, statistics.score, double, 0.0, relevance),
                double,
                np.maximum(double[:, 0, 0], 1e-12),
            )
            step *= LONGEST / np.maximum(np.abs(step).max(axis=1, keepdims=True), LONGEST)
            root = root_of_inverse(plus_diagonal(statistics.curvature, relevance))
            new, spread = now + step, variances(root)
            height, quick, slow = prior.weigh(np.square(new), spread)
            height += (statistics.score * step).sum(axis=1)
            height -= 0.5 * np.einsum("kp,kpq,kq->k", step, double, step)
            height += 0.5 * (log_determinant(root) - determined(root, relevance))
            record = SoftmaxPosteriorParameters(new[:, 1:], new[:, 0], root)
            return record, height, quick, slow

        new = settled(place, self._relevance(theta), ROUNDS)
        new = self._shifted(new)
        return replace(new, root=_calmed(theta.root, new.root, statistics.curvature))

    def _shifted(self, theta):
        """Return the same gate with its scores where their prior likes them best."""
        mean, relevance = _means(theta), self._relevance(theta)
        mean = mean - np.einsum("kp,kp->p", relevance, mean) / relevance.sum(axis=0)
        return replace(theta, coef=mean[:, 1:], intercept=mean[:, 0])

    def referred(self, theta, number):
        """Return the same regression with scores that are told from those of one class."""
        coef, intercept = theta.coef - theta.coef[number], theta.intercept - theta.intercept[number]
        return self._shifted(replace(theta, coef=coef, intercept=intercept))

    def carry(self, statistics, old, new):
        """Return statistics of a pass at ``old`` as if they had been taken at ``new``."""
        move = _means(new) - _means(old)
        # So it is where classes are equally likely and moves sum to zero.
        factor = len(move) / max(len(move) - 1.0, 1.0)
        pull = np.einsum("kpq,kq->kp", statistics.curvature, move)
        score = statistics.score - factor * pull
        return replace(statistics, score=score)

    def gradient(self, theta, statistics):
        """Return the slope of the bound at theta."""
        relevance = self._relevance(theta)
        pull = statistics.score - relevance * _means(theta)
        joint = plus_diagonal(statistics.curvature, relevance)
        return SoftmaxPosteriorParameters(
            coef=pull[:, 1:],
            intercept=pull[:, 0],
            root=root_slope(theta.root, joint),
        )

    def charges(self, theta):
        """Return the divergence of each class's posterior from its prior, (C,)."""
        terms = self._prior.terms(_squares(theta))
        return -(terms + 0.5 * (theta.root.shape[1] + log_determinant(theta.root)))

    def n_parameters(self, theta):
        """Return how many coefficients the rows, not the prior, determine."""
        known = 1.0 - self._relevance(theta) * variances(theta.root)
        return int(round(float(np.clip(known, 0.0, 1.0).sum())))

    def translated(self, theta, affine):
        """Return theta for columns of another scaling (`skmoe.batches.Affine`)."""
        coef, intercept = affine.of_lines(theta.coef, theta.intercept)
        return SoftmaxPosteriorParameters(coef, intercept, moved(theta.root, affine))

    @property
    def _prior(self):
        return RelevancePrior(self.relevance_shape)

    def _relevance(self, theta):
        """Return E[lambda], shape (K, p)."""
        return self._prior.expected(_squares(theta))


def _means(theta):
    """Return the means of [intercept, slopes], shape (K, p)."""
    return np.column_stack([theta.intercept, theta.coef])


def _squares(theta):
    """Return E[u_ki^2], shape (K, p)."""
    return np.square(_means(theta)) + variances(theta.root)


def _calmed(root, new, curvature):
    """Return the new roots, or some way there from the old ones where scores vary widely.

    An expert's curvature grows like exp(r / 2) with the variance r of its score, so that whole
    steps of the fixed point S^-1 = diag(lambda) + C(S) swing to and fro where r is above 2.
    """
    mass = np.maximum(curvature[:, 0, 0], 1e-300)
    spread = [np.einsum("krp,krq,kpq->k", R, R, curvature) / mass for R in (root, new)]
    length = 1.0 / (1.0 + 0.5 * np.maximum(*spread))
    return root + length[:, None, None] * (new - root)


def _tilted(theta, X):
    """Return what the bound of the normalizer is made of.

    Returns
    -------
    mean, spread : ndarray of shape (n, K)
        Of the scores.
    tilt : ndarray of shape (n, K)
        a, the softmax of the means.
    bent : ndarray of shape (n, K)
        s + (1 - 2 a) r / 2.
    """
    mean, spread = linear(X, theta.coef, theta.intercept), spread_of_scores(X, theta.root)
    tilt = softmax(mean)
    return mean, spread, tilt, mean + (0.5 - tilt) * spread
