"""Gates made of any scikit-learn classifier that takes row weights."""

from dataclasses import dataclass

import numpy as np

from skmoe._math.checks import check_number
from skmoe._math.weighted_fit import fitted
from skmoe.base import Gate, Parameters, Rows


@dataclass(frozen=True)
class EstimatorGateParameters(Parameters):
    """The fitted classifier, or None, and the number of experts; neither is a learned number."""

    model: object
    n_experts: int

    def flatten(self):
        return np.zeros(0)

    @property
    def size(self):
        return 0

    def unflatten(self, vector):
        return self


class EstimatorGate(Gate):
    """Weights that are the class probabilities of a scikit-learn classifier.

    Parameters
    ----------
    classifier : scikit-learn classifier
        With ``predict_proba``, and ``sample_weight`` in ``fit``. Give it a ``random_state`` where
        it draws at random.
    min_weight : float, default=1e-3
        Floor of every expert's weight, so that no row is lost to an expert for good.

    Notes
    -----
    The M-step fits a clone to every row once an expert, labeled with the expert's number and
    weighted by its responsibility. The fit need not be a maximum of the likelihood, so the bound
    may fall; the fitter walks on and keeps the best place. The classifier sees standardized rows.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skmoe.gates import EstimatorGate
    >>> EstimatorGate(DecisionTreeClassifier(max_depth=2))
    EstimatorGate(classifier=DecisionTreeClassifier(max_depth=2))
    """

    monotone = False

    def __init__(self, classifier, min_weight=1e-3):
        self.classifier = classifier
        self.min_weight = min_weight

    def check(self):
        check_number("min_weight", self.min_weight, above=0.0)
        for method in ("fit", "predict_proba"):
            if not hasattr(self.classifier, method):
                raise TypeError(f"classifier={self.classifier!r} has no {method}.")

    def init(self, X, n_experts):
        return EstimatorGateParameters(None, n_experts)

    def log_prob(self, theta, X):
        return np.log(self.weights(theta, X))

    def weights(self, theta, X):
        K = theta.n_experts
        weights = np.full((len(X), K), 1.0 / K)
        if theta.model is not None:
            weights[:] = 0.0
            weights[:, theta.model.classes_] = theta.model.predict_proba(X)
        weights = np.maximum(weights, self.min_weight / K)
        return (weights / weights.sum(axis=1, keepdims=True)).astype(X.dtype, copy=False)

    def statistics(self, theta, X, weight):
        return Rows(X, np.empty((len(X), 0), X.dtype), weight)

    def m_step(self, theta, statistics):
        weight, K = statistics.weight, theta.n_experts
        if K == 1 or np.count_nonzero(weight.sum(axis=0)) < 2:
            return theta
        X = np.concatenate([statistics.X] * K)
        labels = np.repeat(np.arange(K), len(statistics.X))
        model = fitted(self.classifier, X, labels, weight.T.ravel())
        return EstimatorGateParameters(model, K)

    def n_parameters(self, theta):
        """Return the number of coefficients and intercepts, where they can be counted."""
        found = (getattr(theta.model, name, ()) for name in ("coef_", "intercept_"))
        return int(sum(np.size(numbers) for numbers in found))

    def units(self, theta, scaling):
        return {"gate_estimator_": theta.model}
