"""What the sparse neural mixtures share: validate, build, train, answer."""

from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import lru_cache

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from threadpoolctl import ThreadpoolController

from skmoe._math.checks import check_choice, check_count, check_flag, check_number
from skmoe._math.schedules import SCHEDULES
from skmoe.batches import Standardizer
from skmoe.estimators._rows import canonical_rows
from skmoe.estimators._warnings import warn_caller
from skmoe.estimators._watch import CallbackSupportMixin, Watcher
from skmoe.neural.activations import ACTIVATIONS
from skmoe.neural.embeddings import EMBEDDINGS
from skmoe.neural.network import Plan, build_network
from skmoe.neural.routers import SHORT_NAMES, Capacity, Router, build_router
from skmoe.neural.training import Rows, Session, TrainingOptions, train
from skmoe.neural.upcycling import upcycle_blocks, upcycle_perceptron

# Rows of the training set on which loads and entropies are measured in the end.
_WATCHED_ROWS = 20_000
# Steps of an epoch, and bounds of a batch, for ``batch_size="auto"``.
_STEPS, _BATCH = 32, (32, 1024)
# Schedules that have run down when max_iter is reached: that is no lack of convergence.
_ENDING = ("cosine", "linear")


class BaseSparseMixture(CallbackSupportMixin, BaseEstimator, ABC):
    """Fit and answer for any router, head and stack of blocks."""

    def __init__(
        self,
        n_experts=None,
        top_k=None,
        *,
        router="noisy_top_k",
        hidden=64,
        n_blocks=1,
        mixture_every=1,
        width=None,
        activation="relu",
        capacity_factor=None,
        capacity_order="arrival",
        overflow="drop",
        shared_expert=False,
        dropout=0.0,
        numeric_embedding=None,
        standardize=True,
        solver="adam",
        alpha=1e-4,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=1e-3,
        warmup_steps=0,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        first_stage=0.5,
    ):
        self.n_experts = n_experts
        self.top_k = top_k
        self.router = router
        self.hidden = hidden
        self.n_blocks = n_blocks
        self.mixture_every = mixture_every
        self.width = width
        self.activation = activation
        self.capacity_factor = capacity_factor
        self.capacity_order = capacity_order
        self.overflow = overflow
        self.shared_expert = shared_expert
        self.dropout = dropout
        self.numeric_embedding = numeric_embedding
        self.standardize = standardize
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.warmup_steps = warmup_steps
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.first_stage = first_stage

    # ---------------------------------------------------------------- what differs

    @abstractmethod
    def _head(self):
        """Return the head for the targets that were seen."""

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

    # ---------------------------------------------------------------- hyper-parameters

    def _check_hyper_parameters(self):
        for name in ("hidden", "n_blocks", "mixture_every", "max_iter", "n_iter_no_change"):
            check_count(name, getattr(self, name))
        for name in ("n_experts", "top_k", "width"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        if self.batch_size != "auto":
            check_count("batch_size", self.batch_size)
        check_count("warmup_steps", self.warmup_steps, least=0)
        for name in ("alpha", "tol", "momentum", "beta_1", "beta_2", "dropout", "first_stage"):
            check_number(name, getattr(self, name))
        for name in ("learning_rate_init", "epsilon"):
            check_number(name, getattr(self, name), above=0.0)
        for name in ("momentum", "beta_1", "beta_2", "dropout"):
            if getattr(self, name) >= 1:
                raise ValueError(f"{name}={getattr(self, name)!r} must be below 1.")
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("solver", self.solver, ("adam", "adamw", "sgd"))
        check_choice("learning_rate", self.learning_rate, SCHEDULES)
        if self.numeric_embedding is not None:
            check_choice("numeric_embedding", self.numeric_embedding, EMBEDDINGS)
        for name in ("shared_expert", "standardize", "shuffle", "early_stopping", "warm_start"):
            check_flag(name, getattr(self, name))
        if self.early_stopping:
            check_number("validation_fraction", self.validation_fraction, above=0.0)
            if self.validation_fraction >= 1:
                raise ValueError(
                    f"validation_fraction={self.validation_fraction!r} must be below 1."
                )

    def _build_plan(self):
        """Return the `Plan` that the hyper-parameters ask for."""
        router, n_experts, shallow = self._build_router()
        return Plan(
            router=router,
            n_experts=n_experts,
            hidden=self.hidden,
            shallow=shallow,
            n_blocks=self.n_blocks,
            mixture_every=self.mixture_every,
            width=self.width,
            activation=self.activation,
            shared_expert=self.shared_expert,
            dropout=self.dropout,
            numeric_embedding=self.numeric_embedding,
        )

    def _build_router(self):
        """Return the router (or None), the number of experts, and whether they are shallow."""
        if self.router is None:
            return None, 1, False
        if not isinstance(self.router, Router):
            return self._named_router()
        self.router.check()
        n_experts = 8 if self.n_experts is None else self.n_experts
        return self.router, n_experts, False

    def _named_router(self):
        if not isinstance(self.router, str):
            raise TypeError(
                f"router={self.router!r} is neither a short name ({sorted(SHORT_NAMES)}), None, "
                "nor an instance of Router."
            )
        check_choice("router", self.router, SHORT_NAMES)
        preset = SHORT_NAMES[self.router]
        n_experts = preset.n_experts if self.n_experts is None else self.n_experts
        top_k = min(preset.top_k, n_experts) if self.top_k is None else self.top_k
        if top_k > n_experts:
            raise ValueError(f"top_k={top_k} must be at most n_experts={n_experts}.")
        capacity = None
        if self.capacity_factor is not None:
            capacity = Capacity(self.capacity_factor, self.capacity_order, self.overflow)
            capacity.check()
        router = build_router(self.router, top_k, capacity)
        router.check()
        return router, n_experts, preset.shallow

    def _training_options(self, n_rows, max_iter):
        options = {
            field.name: getattr(self, field.name)
            for field in fields(TrainingOptions)
            if field.name not in ("batch_size", "max_iter")
        }
        batch_size = self.batch_size
        if batch_size == "auto":
            batch_size = int(np.clip(n_rows // _STEPS, *_BATCH))
        return TrainingOptions(batch_size=min(batch_size, n_rows), max_iter=max_iter, **options)

    # ---------------------------------------------------------------- learning

    def _fit(self, X, y, sample_weight):
        self._check_hyper_parameters()
        resume = self.warm_start and hasattr(self, "_session")
        X, encoded, weight = self._training_rows(X, y, sample_weight, reset=not resume)
        if self.shuffle:
            X, encoded, weight = canonical_rows(X, encoded, weight)
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
        self._plan = self._build_plan()
        self.network_ = build_network(self._plan, self._head(), Z)
        theta = self.network_.init(rng).astype(np.float32)
        state = self.network_.initial_state(Z, rng)
        self._session = Session(theta, state, rng)

    def _scaling_of(self, A, weight):
        if self.standardize:
            return Standardizer.of(A, weight)
        return self._no_scaling(A.shape[1])

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
            rank = np.empty(n)
            for label in np.unique(strata):
                own = order[strata[order] == label]
                rank[own] = (np.arange(len(own)) + 0.5) / len(own)
            order = order[np.argsort(rank[order], kind="stable")]
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
        self.routing_history_ = list(session.routing_history)
        self.converged_, self.stop_reason_ = session.converged, session.stop_reason
        self.n_parameters_ = len(self.theta_)
        self.n_experts_ = max(
            (m.shape.n_experts for m in self.network_.mixtures.values()), default=1
        )
        self._watch(Z[:: max(1, len(Z) // _WATCHED_ROWS)])

    def _watch(self, Z):
        """Measure loads and entropies of predictions, and take over what training dropped."""
        weights = {}
        self.network_.outputs(self._views(), self._session.state, Z, combine=weights)
        self.expert_load_ = [np.mean(w > 0, axis=0) for w in weights.values()]
        self.routing_entropy_ = np.array([_entropy(w) for w in weights.values()])
        best = self.routing_history_[max(0, self.best_iter_ - 1)] if self.routing_history_ else {}
        self.dropped_fraction_ = np.array(
            [best[name]["dropped"] if name in best else 0.0 for name in self.network_.mixtures]
        )

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
        for name, load in zip(self.network_.mixtures, self.expert_load_, strict=True):
            dead = np.flatnonzero(load == 0)
            if len(dead):
                warn_caller(
                    f"Experts {dead.tolist()} of {name} see no row; fewer experts, or stronger "
                    f"balancing than that of router={self.router!r}, would use them.",
                )

    # ---------------------------------------------------------------- sparse upcycling

    @classmethod
    def upcycle(cls, dense, n_experts=8, top_k=2, *, router="top_k", X=None, **params):
        """Return a fitted mixture whose experts are copies of a dense network's hidden layer.

        With weights that add up to one its first answers are those of the dense network; weights
        that do not are multiplied by E / k, and the answers nearly so. ``fit`` and ``partial_fit``
        go on from there.

        Parameters
        ----------
        dense : estimator
            A fitted ``MLPRegressor`` or ``MLPClassifier`` of scikit-learn (its last hidden layer
            becomes the mixture), or an estimator of this class with ``router=None`` (each of its
            blocks does).
        n_experts, top_k : int, default=8, 2
        router : str or Router, default="top_k"
        X : array-like of shape (n_samples, n_features), optional
            Rows that a hash router fixes its cells by.
        **params
            Other parameters of the estimator.

        Returns
        -------
        estimator

        Raises
        ------
        ValueError
            If the network or the router is none that can be upcycled.

        References
        ----------
        Komatsuzaki et al. (2022), Sparse upcycling: training mixture-of-experts from dense
        checkpoints.
        """
        check_is_fitted(dense)
        given = {"n_experts": n_experts, "top_k": top_k, "router": router, "warm_start": True}
        if isinstance(dense, cls):
            inherited = dense.get_params(deep=False)
        else:
            layers = dense.hidden_layer_sizes
            hidden = layers if isinstance(layers, int) else layers[-1]
            inherited = {"hidden": hidden, "activation": dense.activation, "standardize": False}
        est = cls(**(inherited | given | params))
        est._check_hyper_parameters()
        if est.shared_expert:
            raise ValueError("shared_expert=True would count the dense network twice.")
        est._grow_from(dense, X)
        return est

    def _grow_from(self, dense, X):
        """Take over what a dense network learned."""
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(dense, name):
                setattr(self, name, getattr(dense, name))
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))
        router, n_experts, _ = self._build_router()
        router = router.rescaled(n_experts)
        if isinstance(dense, type(self)):
            if dense.network_.mixtures:
                raise ValueError(f"dense={dense!r} is a mixture already; allowed is router=None.")
            self._take_over(dense)
            self._x_scaling, self._y_scaling = dense._x_scaling, dense._y_scaling
            self._plan = replace(dense._plan, router=router, n_experts=n_experts)
            network, theta = upcycle_blocks(self._plan, dense.network_, dense.theta_, rng)
        else:
            coefs, intercepts = self._perceptron(dense)
            self._x_scaling = self._no_scaling(dense.n_features_in_)
            network, theta = upcycle_perceptron(
                coefs, intercepts, dense.activation, router, n_experts, self._head(), rng
            )
        self.network_ = network
        Z = None if X is None else self._standardized(np.asarray(X, dtype=np.float64))
        state = network.initial_state(Z, rng)
        self._session = Session(theta.astype(np.float32), state, rng)
        nothing = np.zeros((1, dense.n_features_in_))
        self._publish(nothing if Z is None else Z)
        # Until it is trained on, the mixture answers as precisely as the dense network.
        self.theta_ = theta

    @abstractmethod
    def _take_over(self, dense):
        """Copy what an estimator of this class knows of the targets."""

    @abstractmethod
    def _perceptron(self, dense):
        """Return coefficients and intercepts of a perceptron, and learn its targets."""

    @staticmethod
    def _no_scaling(d):
        return Standardizer(np.zeros(d), np.ones(d), np.zeros(d, dtype=bool))

    # ---------------------------------------------------------------- answering

    def _views(self):
        return self.network_.layout.views(self.theta_)

    def _outputs(self, X, combine=None):
        """Return the network's outputs (n, n_out) in float64."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        with _one_blas_thread() as n_threads, np.errstate(over="ignore", invalid="ignore"):
            Z = self._standardized(X)
            return self.network_.outputs(self._views(), self._session.state, Z, combine, n_threads)

    def route(self, X):
        """Return how much weight every expert has in the answer, for each mixture layer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        list of ndarray of shape (n_samples, n_experts)
            Combine weights, zero for experts that do not see the row.
        """
        weights = {}
        self._outputs(X, combine=weights)
        return list(weights.values())

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


def _entropy(weights):
    """Return the mean entropy of rows of weights (n, E), each divided by its sum, in nats."""
    total = weights.sum(axis=1, keepdims=True)
    p = weights / np.where(total > 0, total, 1.0)
    logs = np.log(np.where(p > 0, p, 1.0))
    return float(-np.mean(np.sum(p * logs, axis=1)))
