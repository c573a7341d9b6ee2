"""Answers for arrays of other libraries: arrays of theirs, on their device."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmoe._math import sums
from skmoe._math.array_api import beside, is_elsewhere, namespace_of, near
from skmoe.batches import Block
from skmoe.distribution import MixtureDistribution
from skmoe.estimators._columns import Transformed
from skmoe.estimators._elsewhere import DistributionElsewhere, at_home
from skmoe.estimators._table import Table

__all__ = ["answer"]


def answer(estimator, method, X, args, kwargs):
    """Return what a method answers for an array of another library.

    What linear experts and a softmax gate answer is made on the device; other answers are made by
    numpy, which sees the rows without a copy where the computer's memory holds them.

    Parameters
    ----------
    estimator : estimator
    method : function
        ``method(estimator, X, *args, **kwargs)`` for rows in numpy.
    X : array of shape (n, d)
    args, kwargs
        Of the method. Arrays have an entry for each row.
    """
    check_is_fitted(estimator)
    own = getattr(_OnDevice, method.__name__, None)
    given = [value for value in (*args, *kwargs.values()) if value is not None]
    stays = estimator._mixture.takes_arrays and not any(
        isinstance(chooser, Transformed) for chooser in estimator._columns
    )
    if own is not None and stays and len(given) == own.__code__.co_argcount - 1:
        return own(_OnDevice(estimator, X), *given)
    args = [at_home(value) for value in args]
    kwargs = {name: at_home(value) for name, value in kwargs.items()}
    return _sent_back(method(estimator, at_home(X), *args, **kwargs), X)


def _sent_back(result, X):
    """Return the result of numpy where X is."""
    if isinstance(result, tuple):
        return tuple(_sent_back(each, X) for each in result)
    if isinstance(result, MixtureDistribution):

        def ask(name, *args, **kwargs):
            return _sent_back(getattr(result, name)(*map(at_home, args), **kwargs), X)

        return DistributionElsewhere(ask)
    if result.dtype.kind in "OUS":
        # Names of classes, for which only numpy has arrays.
        return result
    return beside(result, X)


class _OnDevice:
    """The rows of X, ready for the parts, and what is answered without leaving the device.

    A method has the arguments of its namesake that are arrays over rows.
    """

    def __init__(self, estimator, X):
        _check(estimator, X)
        self.estimator, self.xp = estimator, namespace_of(X)
        self.theta = estimator.theta_
        if X.dtype != self.xp.float32:
            X = sums.as_floats(X, np.float64)
        table = Table(X, X)
        picked = [chooser.pick(table) for chooser in estimator._columns]
        self.seen, self.seen_by_gate = estimator._standardized(*picked)

    def predict_gate(self):
        return self.estimator.gate_.weights(self.theta.gate, self.seen_by_gate)

    def apply(self):
        return self.xp.argmax(self.predict_gate(), axis=1)

    def predict_experts(self):
        means = self.estimator.experts_.mean(self.theta.experts, self.seen)
        means = self._in_units_of_y(means)
        return means[:, :, 0] if self.estimator._flat else means

    def predict(self):
        means = self.estimator.experts_.mean(self.theta.experts, self.seen)
        blend = self._in_units_of_y(sums.blend(self.predict_gate(), means))
        return blend[:, 0] if self.estimator._flat else blend

    def score_samples(self, y):
        mixture = self.estimator._mixture
        logs = mixture.criterion.log_density(mixture, self.theta, self._answered(y))
        return logs - float(np.log(self.estimator._scaling.y.scale).sum())

    def responsibilities(self, y):
        return self.estimator._mixture.share(self.theta, self._answered(y))

    def _in_units_of_y(self, values):
        y = self.estimator._scaling.y
        return values * near(y.scale, values) + near(y.mean, values)

    def _answered(self, y):
        dtype = "float32" if self.seen.dtype == self.xp.float32 else "float64"
        y = y if is_elsewhere(y) else beside(np.asarray(y), self.seen)
        y = sums.as_table(sums.as_floats(y, dtype))
        if y.shape != (self.seen.shape[0], self.estimator._n_targets):
            raise ValueError(
                f"y has shape {tuple(y.shape)}; {self.seen.shape[0]} rows of "
                f"{self.estimator._n_targets} targets are needed."
            )
        if not sums.all_finite(y):
            raise ValueError("Input y contains NaN or infinity.")
        y = self.estimator._scaling.y.apply(y)
        return Block(self.seen, self.seen_by_gate, y, self.xp.ones_like(y[:, 0]))


def _check(estimator, X):
    """Raise unless rows of X are of the kind that the estimator was fitted to."""
    if X.ndim != 2:
        raise ValueError(f"X: expected 2D array, got one of shape {tuple(X.shape)}.")
    if X.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X has {X.shape[1]} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input."
        )
    if not sums.all_finite(X):
        raise ValueError("Input X contains NaN or infinity.")
