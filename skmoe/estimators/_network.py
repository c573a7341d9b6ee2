"""What estimators made of one network share: validate, build, train, answer."""

from abc import ABC, abstractmethod
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from threadpoolctl import ThreadpoolController

from skmoe.batches import Standardizer
from skmoe.estimators._rows import canonical_rows, sorted_rows
from skmoe.estimators._training_options import TrainingArguments
from skmoe.estimators._warnings import warn_caller
from skmoe.estimators._watch import CallbackSupportMixin, Watcher
from skmoe.neural.training import Rows, Session, train

# Schedules that have run down when max_iter is reached: that is no lack of convergence.
_ENDING = ("cosine", "linear")


class BaseNetwork(CallbackSupportMixin, TrainingArguments, BaseEstimator, ABC):
    """Fit and answer for any network, head and standardization."""

    # ---------------------------------------------------------------- what differs

    @abstractmethod
    def _build_network(self, Z):
        """Return the network for standardized rows Z (n, d)."""

    @abstractmethod
    def _encode(self, y, reset, classes=None):
        """Return y as a float array (n, q) of targets or class numbers, learning what they are."""

    @abstractmethod
    def _targets(self, encoded):
        """Return encoded targets as the head wants them."""

    @abstractmethod
    def _validation_score(self, out, rows):
        """Return the score (a float) of outputs for held-out `Rows`."""

    def _strata(self, encoded):
        """Return labels by which a held-out set is drawn, or None."""
        return None

    def _row_weights(self, encoded, weight):
        """Return the rows' weights, those of classes included."""
        return weight

    # ---------------------------------------------------------------- learning

    def _fit(self, X, y, sample_weight):
        self._check_hyper_parameters()
        resume = self.warm_start and hasattr(self, "_session")
        X, encoded, weight = self._training_rows(X, y, sample_weight, reset=not resume)
        if self.shuffle:
            in_order = sorted_rows if self.early_stopping else canonical_rows
            X, encoded, weight = in_order(X, encoded, weight)
        if not resume:
            self._start(X, encoded, weight)
        self._session.best, self._session.best_iter = None, 0
        self._session.best_score = -np.inf
        self._session.converged = self._session.interrupted = False
        watcher = Watcher(self, {"X": X, "y": y}, label="loss")
        watcher.begin()
        watcher.climb(self.max_iter)
        self._train(X, encoded, weight, self.max_iter, watcher)
        self._warn()
        watcher.end()
        return self

    def _partial_fit(self, X, y, sample_weight, classes=None):
        self._check_hyper_parameters()
        first = not hasattr(self, "_session")
        X, encoded, weight = self._training_rows(X, y, sample_weight, first, classes)
        if first:
            self._start(X, encoded, weight)
        # One pass over these rows: no epoch is better than the last.
        self._session.best = None
        self._train(X, encoded, weight, 1, Watcher(self, {}, label="loss"), partial=True)
        return self

    def _training_rows(self, X, y, sample_weight, reset, classes=None):
        """Return X (n, d), encoded y (n, q) and weights (n,), float64, of positive weight."""
        X, y = self._validated(X, y, reset)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        kept = weight > 0
        if not kept.any():
            raise ValueError("sample_weight is zero for every row.")
        if not kept.all():
            X, y, weight = X[kept], y[kept], weight[kept]
        encoded = self._encode(y, reset, classes)
        weight = self._row_weights(encoded, weight)
        return X, encoded, weight

    @abstractmethod
    def _validated(self, X, y, reset):
        """Return X (n, d) in float64 and y, as scikit-learn's checks leave them."""

    def _start(self, X, encoded, weight):
        """Standardize, build the network and its first parameters."""
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))
        self._x_scaling = self._scaling_of(X, weight)
        self._y_scaling = self._target_scaling(encoded, weight)
        Z = self._standardized(X)
        self.network_ = self._build_network(Z)
        theta = self.network_.init(rng).astype(np.float32)
        state = self.network_.initial_state(Z, rng)
        self._session = Session(theta, state, rng)

    def _scaling_of(self, A, weight):
        if self.standardize:
            return Standardizer.of(A, weight)
        return no_scaling(A.shape[1])

    def _target_scaling(self, encoded, weight):
        return None

    def _standardized(self, X):
        scaling = self._x_scaling
        Z = np.subtract(X, scaling.mean, order="C")
        Z *= 1.0 / scaling.scale
        if scaling.constant.any():
            Z[:, scaling.constant] = 0.0
        return Z

    def _train(self, X, encoded, weight, max_iter, watcher, partial=False):
        Z, targets = self._standardized(X), self._targets(encoded)
        train_rows, held_out = np.arange(len(Z)), None
        if self.early_stopping and not partial:
            train_rows, held_out = self._split(encoded)
        rows = self._rows(Z[train_rows], targets[train_rows], weight[train_rows], np.float32)
        score = None
        if held_out is not None:
            validation = self._rows(Z[held_out], targets[held_out], weight[held_out], np.float64)
            score = self._scorer(validation)
        options = self._training_options(len(train_rows), max_iter)

        def on_epoch(session):
            return watcher.on_pass(len(session.loss_curve), session.loss_curve[-1], None)

        with _one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            train(self.network_, self._session, rows, options, score, on_epoch)
            self._publish(Z)

    def _rows(self, Z, targets, weight, dtype):
        if np.all(weight == weight[0]):
            weight = None
        else:
            weight = (weight / weight.mean()).astype(dtype)
        keys = self.network_.keys(self._session.state, Z)
        if targets.dtype.kind == "f":
            targets = targets.astype(dtype)
        return Rows(np.ascontiguousarray(Z, dtype=dtype), targets, weight, keys)

    def _split(self, encoded):
        """Return the numbers of training rows and of rows that are held out."""
        n = len(encoded)
        n_held = max(1, int(np.ceil(self.validation_fraction * n)))
        if n_held >= n:
            raise ValueError(
                f"early_stopping=True holds out {n_held} rows and leaves none of n_samples={n} "
                f"to train on; validation_fraction={self.validation_fraction}."
            )
        order = self._session.rng.permutation(n)
        strata = self._strata(encoded)
        if strata is not None:
            # The share of every class among the first rows is that among all, but for rounding.
            order = order[np.argsort(_rank_in_stratum(strata[order]), kind="stable")]
        return np.sort(order[n_held:]), np.sort(order[:n_held])

    def _scorer(self, validation):
        network = self.network_

        def score(theta, state):
            views = network.layout.views(theta.astype(np.float64))
            return self._validation_score(network.outputs(views, state, validation.X), validation)

        return score

    def _publish(self, Z):
        session = self._session
        self.theta_ = session.theta.astype(np.float64)
        self.loss_curve_ = list(session.loss_curve)
        self.loss_ = session.loss_curve[-1] if session.loss_curve else np.inf
        self.validation_scores_ = list(session.validation_scores) if self.early_stopping else None
        self.best_iter_ = session.best_iter
        self.n_iter_ = max(1, len(session.loss_curve))
        self.t_ = session.n_steps
        self.converged_, self.stop_reason_ = session.converged, session.stop_reason
        self.n_parameters_ = len(self.theta_)

    def _warn(self):
        if self._session.interrupted:
            warn_caller(
                f"Training was interrupted in epoch {len(self.loss_curve_) + 1}; the parameters "
                f"are those of epoch {self.best_iter_}.",
            )
        elif not self.converged_ and self.learning_rate not in _ENDING:
            warn_caller(
                f"Training stopped before it converged ({self.stop_reason_}); raise max_iter or "
                "tol.",
                ConvergenceWarning,
            )

    # ---------------------------------------------------------------- answering

    def _views(self):
        return self.network_.layout.views(self.theta_)

    def _rows_to_answer(self, X):
        """Return standardized rows (n, d) in float64."""
        check_is_fitted(self)
        X = self._seen(X)
        with np.errstate(over="ignore", invalid="ignore"):
            return self._standardized(X)

    def _seen(self, X):
        """Return checked rows X (n, d) to answer for, float64."""
        return validate_data(self, X, reset=False, dtype=np.float64)

    def _outputs(self, X, combine=None):
        """Return the network's outputs (n, n_out) in float64."""
        return self._outputs_of(self._rows_to_answer(X), combine)

    def _outputs_of(self, Z, combine=None):
        """Return the outputs (n, n_out) for standardized rows."""
        with _one_blas_thread() as n_threads, np.errstate(over="ignore", invalid="ignore"):
            return self.network_.outputs(self._views(), self._session.state, Z, combine, n_threads)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "theta_")


@lru_cache
def _blas():
    # Looking for the libraries takes longer than many a prediction.
    return ThreadpoolController().select(user_api="blas")


@contextmanager
def _one_blas_thread():
    """Hold BLAS to one thread, and yield how many it would have used: products are small."""
    n_threads = max((library.num_threads for library in _blas().lib_controllers), default=1)
    with _blas().limit(limits=1):
        yield n_threads


def no_scaling(d):
    """Return a standardizer that leaves d columns as they are."""
    return Standardizer(np.zeros(d), np.ones(d), np.zeros(d, dtype=bool))


def _rank_in_stratum(strata):
    """Return the rank of every row among those of its stratum (n,), between 0 and 1."""
    _, stratum, count = np.unique(strata, return_inverse=True, return_counts=True)
    rank = np.empty(len(strata))
    by_stratum = np.argsort(stratum, kind="stable")
    first = np.cumsum(count) - count
    rank[by_stratum] = np.arange(len(strata)) - np.repeat(first, count) + 0.5
    return rank / count[stratum]
