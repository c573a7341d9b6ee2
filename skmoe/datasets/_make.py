"""Draws from a mixture of experts whose parameters are known."""

from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np
from scipy.special import log_softmax, logsumexp
from sklearn.utils import check_random_state

FEATURES = ("normal", "mixed")


@dataclass(frozen=True, eq=False)
class TrueMixture:
    """The mixture of linear experts that data were drawn from.

    Attributes
    ----------
    coef : ndarray of shape (K, d) or (K, q, d)
        Slopes of the experts, in units of y per unit of x; three axes if there are several targets.
    intercept : ndarray of shape (K,) or (K, q)
        Intercepts of the experts, in units of y.
    gate_coef : ndarray of shape (K, d)
        Slopes of the gate's scores; they sum to zero over the experts.
    gate_intercept : ndarray of shape (K,)
        Intercepts of the gate's scores; they sum to zero.
    noise : float
        Standard deviation of y around the expert that drew it, the same for all targets.
    labels : ndarray of shape (n,)
        Which expert drew each row, numbered from 0.

    Notes
    -----
    p(y | x) = sum_k g_k(x) N(y; A_k x + b_k, noise^2 I), g(x) = softmax(V x + c).

    References
    ----------
    Jordan and Jacobs (1994), Hierarchical mixtures of experts and the EM algorithm.

    Examples
    --------
    >>> from skmoe.datasets import make_mixture_of_experts
    >>> X, y, truth = make_mixture_of_experts(200, 3, 2, random_state=0)
    >>> truth.coef.shape, truth.predict(X).shape
    ((2, 3), (200,))
    >>> bool((truth.score_samples(X, y) > truth.score_samples(X, y + 9)).all())
    True
    """

    coef: np.ndarray
    intercept: np.ndarray
    gate_coef: np.ndarray
    gate_intercept: np.ndarray
    noise: float
    labels: np.ndarray

    def predict_gate(self, X):
        """Return the weights of the experts.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        weights : ndarray of shape (n, K)
            Positive; rows sum to one.
        """
        return np.exp(self._log_gate(self._rows(X)))

    def predict(self, X):
        """Return the mean of y given x.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        mean : ndarray of shape (n,) or (n, q)
            In units of y.
        """
        X = self._rows(X)
        return self._like_y(np.einsum("nk,nkq->nq", self.predict_gate(X), self._means(X)))

    def score_samples(self, X, y):
        """Return the log-density of y given x.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,) or (n, q)

        Returns
        -------
        log_density : ndarray of shape (n,)
            In nats; joint over the targets.
        """
        X = self._rows(X)
        y = np.asarray(y, dtype=np.float64)
        expected = (len(X), *self.intercept.shape[1:])
        if y.shape != expected:
            raise ValueError(f"y has shape {y.shape}; {expected} is needed for this X.")
        means = self._means(X)
        residual = (y.reshape(len(X), 1, -1) - means) / self.noise
        constant = means.shape[2] * (0.5 * np.log(2 * np.pi) + np.log(self.noise))
        log_expert = -0.5 * np.square(residual).sum(axis=2) - constant
        return logsumexp(self._log_gate(X) + log_expert, axis=1)

    def sample(self, X, random_state=None):
        """Draw y given x.

        Parameters
        ----------
        X : array-like of shape (n, d)
        random_state : int, RandomState instance or None, default=None
            Pass an int for the same draws at every call.

        Returns
        -------
        y : ndarray of shape (n,) or (n, q)
        """
        return self._draw(self._rows(X), check_random_state(random_state))[0]

    def _draw(self, X, rng):
        """Return y and the labels (n,) of the experts that drew it."""
        reached = np.cumsum(self.predict_gate(X), axis=1)
        labels = (rng.uniform(size=(len(X), 1)) >= reached[:, :-1]).sum(axis=1)
        means = self._means(X)[np.arange(len(X)), labels]
        return self._like_y(means + self.noise * rng.normal(size=means.shape)), labels

    def _rows(self, X):
        X = np.asarray(X, dtype=np.float64)
        d = self.gate_coef.shape[1]
        if X.ndim != 2 or X.shape[1] != d:
            raise ValueError(f"X has shape {X.shape}; (n, {d}) is needed.")
        return X

    def _log_gate(self, X):
        return log_softmax(X @ self.gate_coef.T + self.gate_intercept, axis=1)

    def _means(self, X):
        """Means of the experts (n, K, q), also for one target."""
        K, d = self.gate_coef.shape
        coef = self.coef.reshape(K, -1, d)
        return np.einsum("nd,kqd->nkq", X, coef) + self.intercept.reshape(K, -1)

    def _like_y(self, values):
        return values[:, 0] if self.intercept.ndim == 1 else values


def make_mixture_of_experts(
    n_samples=1000,
    n_features=10,
    n_experts=4,
    *,
    n_targets=1,
    noise=0.3,
    gate_slope=1.0,
    expert_slope=1.0,
    features="normal",
    random_state=None,
):
    """Draw a regression problem from a random mixture of linear experts with a softmax gate.

    Parameters
    ----------
    n_samples : int, default=1000
        Rows n.
    n_features : int, default=10
        Features d.
    n_experts : int, default=4
        Experts K.
    n_targets : int, default=1
        Targets q.
    noise : float, default=0.3
        Standard deviation of y around the expert that drew it, positive.
    gate_slope : float, default=1.0
        Standard deviation of the gate's coefficients before they are centered; its scores at the
        mean of the features have half of it. 0 asks all experts equally often everywhere, large
        values part the features sharply.
    expert_slope : float, default=1.0
        Standard deviation of the experts' coefficients; their intercepts have 1.
    features : {"normal", "mixed"}, default="normal"
        ``"normal"``: standard normal columns. ``"mixed"``: the first ``n_features // 2`` columns
        are 0 or 1 with probability 1/2, the others exponential with mean 1.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same data at every call.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        As `features` says.
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        One axis if there is one target.
    truth : TrueMixture
        The mixture, with methods ``predict``, ``predict_gate``, ``score_samples`` and ``sample``,
        and the labels of the experts that drew the rows.

    References
    ----------
    Jordan and Jacobs (1994), Hierarchical mixtures of experts and the EM algorithm.

    Examples
    --------
    >>> from skmoe.datasets import make_mixture_of_experts
    >>> X, y, truth = make_mixture_of_experts(500, 5, 3, n_targets=2, random_state=0)
    >>> X.shape, y.shape, truth.labels.shape
    ((500, 5), (500, 2), (500,))
    >>> truth.predict_gate(X).shape
    (500, 3)
    """
    n = _count("n_samples", n_samples)
    d = _count("n_features", n_features)
    K = _count("n_experts", n_experts)
    q = _count("n_targets", n_targets)
    _number("noise", noise, positive=True)
    _number("gate_slope", gate_slope)
    _number("expert_slope", expert_slope)
    if not isinstance(features, str) or features not in FEATURES:
        raise ValueError(f"features={features!r} is not known; it must be one of {FEATURES}.")

    rng = check_random_state(random_state)
    X = _features(rng, n, d, features)
    outputs = () if q == 1 else (q,)
    coef = expert_slope * rng.normal(size=(K, *outputs, d))
    intercept = rng.normal(size=(K, *outputs))
    gate_coef = _centered(gate_slope * rng.normal(size=(K, d)))
    # The scores balance at the mean row; else one expert takes nearly all rows of skewed columns.
    at_mean = _centered(0.5 * gate_slope * rng.normal(size=K))
    truth = TrueMixture(
        coef=coef,
        intercept=intercept,
        gate_coef=gate_coef,
        gate_intercept=at_mean - gate_coef @ _means(d, features),
        noise=float(noise),
        labels=np.zeros(0, dtype=int),
    )
    y, labels = truth._draw(X, rng)
    return X, y, replace(truth, labels=labels)


def _features(rng, n, d, features):
    if features == "normal":
        return rng.normal(size=(n, d))
    binary = rng.randint(2, size=(n, d // 2))
    return np.hstack([binary, rng.exponential(size=(n, d - d // 2))])


def _means(d, features):
    """Expected values of the columns, shape (d,)."""
    if features == "normal":
        return np.zeros(d)
    return np.repeat([0.5, 1.0], [d // 2, d - d // 2])


def _centered(scores):
    return scores - scores.mean(axis=0)


def _count(name, value):
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}={value!r} is not allowed; it must be an int of at least 1.")
    return int(value)


def _number(name, value, positive=False):
    allowed = "positive" if positive else "zero or positive"
    good = isinstance(value, Real) and np.isfinite(value) and value >= 0
    if not good or (positive and value == 0):
        raise ValueError(f"{name}={value!r} is not allowed; it must be a finite number, {allowed}.")
