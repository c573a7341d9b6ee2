"""Experts made of any scikit-learn estimator that takes row weights."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import is_classifier

from skmoe._math.checks import check_number
from skmoe._math.weighted_fit import fitted
from skmoe.base import Experts, Parameters, Rows
from skmoe.experts.categorical import CategoricalComponents
from skmoe.experts.gaussian import GaussianComponents
from skmoe.noise import DiagonalNoise
from skmoe.targets import CLASSES, REAL

# Weight of rows below which an expert keeps the model it has.
_STARVED = 1.0 + 1e-6


@dataclass(frozen=True)
class EstimatorParameters(Parameters):
    """Fitted models, K of them or None each, and log-variances (K, q) of their residuals.

    Models are no numbers: ``flatten`` has the variances alone, and ``unflatten`` keeps the models.
    """

    models: tuple
    log_variance: np.ndarray

    def flatten(self):
        return np.ravel(self.log_variance).astype(np.float64)

    @property
    def size(self):
        return np.size(self.log_variance)

    def unflatten(self, vector):
        return replace(self, log_variance=np.reshape(vector, np.shape(self.log_variance)))

    def of_experts(self, numbers, n_experts):
        models = tuple(self.models[number] for number in numbers)
        return EstimatorParameters(models, self.log_variance[numbers])

    def with_experts(self, numbers, other, n_experts):
        models, log_variance = list(self.models), self.log_variance.copy()
        log_variance[numbers] = other.log_variance
        for number, model in zip(numbers, other.models, strict=True):
            models[number] = model
        return EstimatorParameters(tuple(models), log_variance)


class EstimatorExperts(Experts):
    """Experts y ~ N(f_k(x), s_k^2), or p_k(c | x), with f_k or p_k any scikit-learn estimator.

    Parameters
    ----------
    estimator : scikit-learn regressor or classifier
        Its ``fit`` takes ``sample_weight`` (or it is a pipeline whose last step's does).
        Classifiers have ``predict_proba``. Give it a ``random_state`` where it draws at random.
    min_variance : float, default=1e-4
        Floor of the residual variance as a share of the variance of y.

    Notes
    -----
    The M-step fits a clone to all rows, weighted by the expert's responsibilities, and takes the
    weighted mean of squared residuals for the variance. There is no finite statistic, so rows stay
    in memory. A fit need not be a maximum of the likelihood, so the bound may fall; the fitter
    walks on and keeps the best place. The estimator sees standardized rows.

    References
    ----------
    Jordan and Jacobs (1994), section 3: experts may be any weighted learner.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from skmoe.experts import EstimatorExperts
    >>> EstimatorExperts(DecisionTreeRegressor(max_depth=3))
    EstimatorExperts(estimator=DecisionTreeRegressor(max_depth=3))
    """

    monotone = False

    def __init__(self, estimator, min_variance=1e-4):
        self.estimator = estimator
        self.min_variance = min_variance

    def check(self):
        check_number("min_variance", self.min_variance, above=0.0)
        for method in ("fit", "predict_proba" if self._classifies else "predict"):
            if not hasattr(self.estimator, method):
                raise TypeError(f"estimator={self.estimator!r} has no {method}.")

    @property
    def _classifies(self):
        return is_classifier(self.estimator)

    @property
    def target(self):
        """What the estimator answers with: classes, or real numbers."""
        return CLASSES if self._classifies else REAL

    def init(self, X, y, n_experts):
        return EstimatorParameters((None,) * n_experts, np.zeros((n_experts, y.shape[1])))

    def log_prob(self, theta, X, y):
        return self.components(theta, X).log_prob(y[:, None, :]).astype(X.dtype, copy=False)

    def mean(self, theta, X):
        K, q = theta.log_variance.shape
        means = np.zeros((q, K, len(X)), dtype=X.dtype).T
        for k, model in enumerate(theta.models):
            if self._classifies:
                means[:, k] = _probabilities(model, X, q)
            elif model is not None:
                means[:, k] = np.reshape(model.predict(X), (len(X), q))
        return means

    def components(self, theta, X):
        means = self.mean(theta, X)
        if self._classifies:
            return CategoricalComponents(np.log(means))
        return GaussianComponents(means, DiagonalNoise(theta.log_variance))

    def statistics(self, theta, X, y, weight):
        return Rows(X, y, weight)

    def m_step(self, theta, statistics):
        X, y, weight = statistics.X, statistics.y, statistics.weight
        models, log_variance = list(theta.models), theta.log_variance.copy()
        answers = y.argmax(axis=1) if self._classifies else y[:, 0] if y.shape[1] == 1 else y
        for k in np.flatnonzero(weight.sum(axis=0) > _STARVED):
            models[k] = fitted(self.estimator, X, answers, weight[:, k])
            if not self._classifies:
                residual = y - np.reshape(models[k].predict(X), y.shape)
                variance = np.average(np.square(residual), axis=0, weights=weight[:, k])
                log_variance[k] = np.log(np.maximum(variance, self.min_variance))
        return EstimatorParameters(tuple(models), log_variance)

    def hold(self, theta):
        floor = np.log(self.min_variance)
        return replace(theta, log_variance=np.maximum(theta.log_variance, floor))

    def n_parameters(self, theta):
        """Return the number of coefficients, intercepts and variances that can be counted."""
        numbers = 0 if self._classifies else theta.log_variance.size
        for model in theta.models:
            last = model.steps[-1][1] if hasattr(model, "steps") else model
            numbers += np.size(getattr(last, "coef_", ())) + np.size(
                getattr(last, "intercept_", ())
            )
        return numbers

    def units(self, theta, scaling):
        attributes = {"estimators_": list(theta.models)}
        if not self._classifies:
            variance = np.exp(theta.log_variance) * scaling.y.scale**2
            attributes["covariances_"] = variance
        return attributes


def _probabilities(model, X, n_classes):
    """Return probabilities (n, C) above zero; a model may have seen some of the classes only."""
    proba = np.full((len(X), n_classes), 1.0 / n_classes)
    if model is not None:
        proba[:] = 0.0
        proba[:, model.classes_] = model.predict_proba(X)
    proba = np.maximum(proba, 1e-6)
    return proba / proba.sum(axis=1, keepdims=True)
