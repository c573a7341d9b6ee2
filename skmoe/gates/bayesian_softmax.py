"""The softmax gate whose coefficients are known up to a posterior."""

from dataclasses import dataclass, replace

import numpy as np

from skmoe._math.checks import check_number
from skmoe._math.grams import linear, weighted_crosses, weighted_grams
from skmoe._math.logspace import log_softmax, log_sum_exp, softmax
from skmoe._math.newton import damped, newton_step
from skmoe._math.posterior import (
    log_determinant,
    moved,
    plus_diagonal,
    root_of_inverse,
    root_slope,
    spread_of_scores,
    variances,
)
from skmoe._math.relevance import RelevancePrior, settled
from skmoe.base import Gate, Parameters, Statistics

# Rounds in which an M-step learns how relevant the features are, on the same sums.
ROUNDS = 2


@dataclass(frozen=True)
class BayesianSoftmaxGateParameters(Parameters):
    """Posterior means (K, d) and (K,), and roots R (K, p, p).

    R'R is the covariance of [intercept, slopes].
    """

    coef: np.ndarray
    intercept: np.ndarray
    root: np.ndarray


@dataclass(frozen=True)
class BayesianSoftmaxGateStatistics(Statistics):
    """Score (K, p), curvature (K, p, p), weight."""

    score: np.ndarray
    curvature: np.ndarray
    total: float


class BayesianSoftmaxGate(Gate):
    """Weights proportional to exp(v_k' x + b_k) with Gaussian posteriors of v and b.

    Parameters
    ----------
    relevance_shape : float, default=0.5
        Shape of the Gamma prior of the coefficients' precisions: small ones let coefficients
        differ in size (automatic relevance determination), large ones make a ridge.

    Notes
    -----
    The coefficients u_k = [b_k, v_k] have priors N(0, diag(lambda_k)^-1), with precisions for
    each expert and feature as in `skmoe.experts.BayesianLinearExperts`, and posteriors
    N(m_k, S_k). With the means
    s_k = m_k' [1, x] and the variances r_k = [1, x]' S_k [1, x] of the scores, the normalizer is
    bounded by a *tilted* bound, for any a:

        E_q[log sum_k exp(score_k)] <=
            sum_k a_k^2 r_k / 2 + log sum_k exp(s_k + (1 - 2 a_k) r_k / 2).

    With a = softmax(s), which is nearly the best choice, it is exact to first order in r, where
    Boehning's and Bouchard's quadratic bounds leave a gap. With h the softmax on the right,
    M-steps move S_k^-1 to diag(E[lambda_k]) + C_k, C_k = sum_n c_nk [1, x_n] [1, x_n]' and
    c = a^2 + h (1 - 2 a), which is a (1 - a) for small r. The mean takes a Newton step under the
    curvature diag(E[lambda_k]) + 2 C_k, which bounds the joint one, since
    diag(a) - a a' <= 2 diag(a (1 - a)), and is exact where two experts compete.

    Answers are softmax(s / sqrt(1 + pi r / 4)) with r = sum_k a_k r_k: for two experts, whose
    difference of scores has the variance 2 r, the usual mean of a logistic function under a
    Gaussian.

    References
    ----------
    Knowles and Minka (2011), Non-conjugate variational message passing for multinomial and binary
    regression, eq. 18. Waterhouse, MacKay and Robinson (1996), Bayesian methods for mixtures of
    experts. Bouchard (2007), Efficient bounds for the softmax function; Boehning (1992).

    Examples
    --------
    >>> from skmoe.gates import BayesianSoftmaxGate
    >>> BayesianSoftmaxGate()
    BayesianSoftmaxGate()
    """

    settling_steps = 10

    def __init__(self, relevance_shape=0.5):
        self.relevance_shape = relevance_shape

    def check(self):
        check_number("relevance_shape", self.relevance_shape, above=0.0)

    def init(self, X, n_experts):
        K, p = n_experts, X.shape[1] + 1
        return BayesianSoftmaxGateParameters(
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
        total = weight.sum(axis=1)
        _, spread, tilt, bent = _tilted(theta, X)
        weighed = softmax(bent)
        # The tilts follow the means, too.
        late = tilt * spread * (tilt - weighed)
        slope = weighed + late - tilt * late.sum(axis=1)[:, None]
        curved = tilt * tilt + weighed * (1.0 - 2.0 * tilt)
        return BayesianSoftmaxGateStatistics(
            score=weighted_crosses(X, weight - slope * total[:, None]),
            curvature=weighted_grams(X, curved * total[:, None]),
            total=float(total.sum(dtype=np.float64)),
        )

    def m_step(self, theta, statistics):
        now, prior = _means(theta), self._prior
        double = 2.0 * statistics.curvature

        def place(relevance):
            step = damped(
                newton_step(now, statistics.score, double, 0.0, relevance),
                double,
                np.maximum(double[:, 0, 0], 1e-12),
            )
            root = root_of_inverse(plus_diagonal(statistics.curvature, relevance))
            new, spread = now + step, variances(root)
            height, quick, slow = prior.weigh(np.square(new), spread)
            height += (statistics.score * step).sum(axis=1)
            height -= 0.5 * np.einsum("kp,kpq,kq->k", step, double, step)
            height -= 0.5 * np.einsum("krp,krp->k", root @ statistics.curvature, root)
            height += 0.5 * log_determinant(root)
            record = BayesianSoftmaxGateParameters(new[:, 1:], new[:, 0], root)
            return record, height, quick, slow

        new = settled(place, self._relevance(theta), ROUNDS)
        new = self._shifted(new)
        return replace(new, root=_calmed(theta.root, new.root, statistics.curvature))

    def _shifted(self, theta):
        """Return the same gate with its scores where their prior likes them best."""
        mean, relevance = _means(theta), self._relevance(theta)
        mean = mean - np.einsum("kp,kp->p", relevance, mean) / relevance.sum(axis=0)
        return replace(theta, coef=mean[:, 1:], intercept=mean[:, 0])

    def carry(self, statistics, old, new):
        move = np.column_stack([new.intercept - old.intercept, new.coef - old.coef])
        score = statistics.score - 2.0 * np.einsum("kpq,kq->kp", statistics.curvature, move)
        return replace(statistics, score=score)

    def gradient(self, theta, statistics):
        relevance = self._relevance(theta)
        pull = statistics.score - relevance * _means(theta)
        joint = plus_diagonal(statistics.curvature, relevance)
        return BayesianSoftmaxGateParameters(
            coef=pull[:, 1:],
            intercept=pull[:, 0],
            root=root_slope(theta.root, joint),
        )

    def charges(self, theta):
        terms = self._prior.terms(_squares(theta))
        return -(terms + 0.5 * (theta.root.shape[1] + log_determinant(theta.root)))

    def penalty(self, theta):
        """Return minus the divergence of the posteriors from their priors, a float."""
        return -float(self.charges(theta).sum())

    def n_parameters(self, theta):
        """Return how many coefficients the rows, not the prior, determine."""
        determined = 1.0 - self._relevance(theta) * variances(theta.root)
        return int(round(float(np.clip(determined, 0.0, 1.0).sum())))

    def translated(self, theta, change):
        coef, intercept = change.X_gate.of_lines(theta.coef, theta.intercept)
        return BayesianSoftmaxGateParameters(coef, intercept, moved(theta.root, change.X_gate))

    def units(self, theta, scaling):
        coef = np.where(scaling.X_gate.constant, 0.0, theta.coef / scaling.X_gate.scale)
        coef = coef - coef.mean(axis=0)
        intercept = theta.intercept - coef @ scaling.X_gate.mean
        return {"gate_coef_": coef, "gate_intercept_": intercept - intercept.mean()}

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
