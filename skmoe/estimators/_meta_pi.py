"""What the meta-pi networks share: fit the experts, train the gate on the blend, answer."""

from abc import ABC, abstractmethod

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch, check_random_state, get_tags
from sklearn.utils.validation import check_is_fitted

from skmoe._math.checks import check_choice, check_count, check_flag, check_number
from skmoe._math.schedules import SCHEDULES
from skmoe.batches import Scaling, Standardizer, threads_for_rows
from skmoe.estimators import _columns, _parts, _validation
from skmoe.estimators._differentiable import pupil_of
from skmoe.estimators._gate_layer import GateLayer
from skmoe.estimators._members import Members, check_labels
from skmoe.estimators._publish import in_precision
from skmoe.estimators._warnings import warn_caller
from skmoe.estimators._watch import CallbackSupportMixin, Watcher
from skmoe.neural.blend import Blend, Given, Voice
from skmoe.neural.full_batch import descend
from skmoe.neural.heads import SquaredError
from skmoe.neural.network import Network
from skmoe.neural.run import Run
from skmoe.neural.training import Rows, Session, TrainingOptions, train

_SOLVERS = ("lbfgs", "adam", "sgd")
# Log-odds of the best expert against each other one: where a descent starts, and one that is heard
# alone.
_LEANING, _ALONE = 3.0, 50.0
# Rows of a mini-batch, and how many of them make an epoch, for ``batch_size="auto"``.
_BATCH, _STEPS = (32, 1024), 32


class BaseMetaPi(_parts.NestedNamesMixin, CallbackSupportMixin, Members, ABC):
    """Fit and answer for any experts and any gate that has a gradient."""

    # ---------------------------------------------------------------- what differs

    @property
    @abstractmethod
    def _asked_of_members(self):
        """Names of the methods that experts must have beside ``fit``."""

    @abstractmethod
    def _check_targets(self, y, table):
        """Return y as experts are shown it, (n,) or (n, q), and as numbers (n, q)."""

    @abstractmethod
    def _learn_targets(self, numbers, weight):
        """Return the Standardizer of y (n, q), which errors are measured in."""

    @abstractmethod
    def _answer_of(self, name, member, raw):
        """Return the answers (n, q) of a fitted expert."""

    # ---------------------------------------------------------------- learning

    def _learn(self, X, y, sample_weight, groups):
        names, members = self._checked_members()
        gate = self._check_hyper_parameters(len(members))
        table, known, numbers, weight, groups = self._training_rows(X, y, sample_weight, groups)
        given = None if sample_weight is None else weight
        raw = _seen_by_members(table)
        models = self._fitted_members(names, members, raw, known, given, groups)
        self._meet(names, models, known)
        numbers = self._as_numbers(known, numbers)
        self._columns = _columns.choose(
            "gate_features",
            self.gate_features,
            table,
            known,
            self.n_features_in_,
            getattr(self, "feature_names_in_", None),
        )
        seen = self._columns.pick(table)
        weight, _ = _validation.weights_as_rows(weight)
        self._x_scaling = Standardizer.of(seen.astype(np.float64), weight)
        self._y_scaling = self._learn_targets(numbers, weight)
        Z = self._x_scaling.apply(seen.astype(np.float64))
        watcher = Watcher(self, {"X": X, "y": y}, label="error")
        watcher.begin()
        watcher.climb(None)
        problem = self._problem(gate, Z, numbers, weight)
        with threads_for_rows():
            problem.hear(self._answers(names, models, raw))
            problem.train_gate(watcher)
            if self.joint:
                models = problem.train_together(names, models, raw, watcher)
                problem.hear(self._answers(names, models, raw))
            problem.settle()
        self._publish(problem, names, models, seen.dtype)
        watcher.end()
        return self

    def _check_hyper_parameters(self, n_experts):
        """Check the arguments and return the gate."""
        for name in ("joint", "prefit", "shuffle"):
            check_flag(name, getattr(self, name))
        for name in ("max_iter", "n_init", "n_iter_no_change"):
            check_count(name, getattr(self, name))
        if self.batch_size != "auto":
            check_count("batch_size", self.batch_size)
        check_number("tol", self.tol)
        check_number("alpha", self.alpha)
        check_number("learning_rate_init", self.learning_rate_init, above=0.0)
        check_choice("solver", self.solver, _SOLVERS)
        check_choice("learning_rate", self.learning_rate, SCHEDULES)
        with _validation.naming("random_state"):
            check_random_state(self.random_state)
        gate = _parts.build("gate", self.gate)
        neutral = gate.init(np.zeros((2, 1)), n_experts)
        even = np.full((2, n_experts), 1.0 / n_experts)
        if gate.slope(neutral, np.zeros((2, 1)), even) is None:
            raise ValueError(
                f"gate={self.gate!r} has no gradient, by which the blend's error is descended; "
                "allowed are 'softmax', 'mlp' and other gates that have one."
            )
        return gate

    def _training_rows(self, X, y, sample_weight, groups):
        """Return the rows of positive weight: table, y as known, as numbers, weights, groups."""
        table = self._table(X, reset=True)
        known, numbers = self._check_targets(y, table)
        like = np.zeros((table.n_rows, 1)) if table.X is None else table.X
        weight = _validation.check_weights(sample_weight, like).astype(np.float64)
        if groups is not None:
            groups = check_labels(groups, table.n_rows)
        kept = np.flatnonzero(weight > 0)
        if len(kept) == 0:
            raise ValueError("sample_weight is zero for every row.")
        if len(kept) < table.n_rows:
            table, known, weight = table.rows(kept), known[kept], weight[kept]
            numbers = None if numbers is None else numbers[kept]
            groups = None if groups is None else groups[kept]
        return table, known, numbers, weight, groups

    def _meet(self, names, models, known):
        """Learn from the fitted experts what they answer with."""
        return None

    def _as_numbers(self, known, numbers):
        """Return y as numbers (n, q)."""
        return numbers

    def _table(self, X, reset=False):
        whole = self.gate_features is None
        return _validation.check_table(self, X, whole, needs_frame=True, reset=reset)

    def _problem(self, gate, Z, numbers, weight):
        return _Problem(self, gate, Z, self._y_scaling.apply(numbers), weight)

    def _answers(self, names, models, raw):
        """Return the answers of the experts, (n, K, q)."""
        answers = []
        for name, model in zip(names, models, strict=True):
            answer = np.asarray(self._answer_of(name, model, raw), dtype=np.float64)
            if not np.isfinite(answer).all():
                raise ValueError(
                    f"experts: {name!r} answers X of n_samples={len(answer)} with numbers that "
                    "are not finite."
                )
            answers.append(answer)
        return np.stack(answers, axis=1)

    def _publish(self, problem, names, models, dtype):
        session, gate = problem.session, problem.gate
        self.experts_, self.gate_, self.theta_ = models, gate, problem.theta
        self.named_experts_ = Bunch(**dict(zip(names, models, strict=True)))
        self.expert_errors_, self.error_ = problem.single_errors, problem.error
        self.loss_curve_ = list(session.loss_curve)
        self.n_iter_ = max(1, len(session.loss_curve) - 1)
        self.converged_, self.stop_reason_ = session.converged, session.stop_reason
        self.n_parameters_ = gate.n_parameters(problem.theta)
        scaling = Scaling(self._x_scaling, self._x_scaling, self._y_scaling)
        for name, value in gate.units(problem.theta, scaling).items():
            value = in_precision(name, value, dtype) if isinstance(value, np.ndarray) else value
            setattr(self, name, value)
        if session.interrupted:
            warn_caller("Training was interrupted; the gate is the best one so far.")
        elif not session.converged and self.learning_rate not in ("cosine", "linear"):
            self._warn_of_limit()
        elif not session.converged and self.solver == "lbfgs":
            self._warn_of_limit()

    def _warn_of_limit(self):
        warn_caller(
            f"The gate's training stopped before it converged ({self.stop_reason_}); raise "
            "max_iter or tol.",
            ConvergenceWarning,
        )

    # ---------------------------------------------------------------- answering

    def _weights(self, table):
        """Return the gate's weights (n, K) of a Table."""
        seen = self._columns.pick(table)
        Z = self._x_scaling.apply(seen.astype(np.float64))
        return self.gate_.weights(self.theta_, Z)

    def _heard(self, X):
        """Return weights (n, K) and answers (n, K, q) for X, and the precision of X."""
        check_is_fitted(self)
        table = self._table(X)
        answers = self._answers(list(self.named_experts_), self.experts_, _seen_by_members(table))
        return self._weights(table), answers, _precision(table)

    def _blend(self, X):
        """Return the blended answers (n, q)."""
        weights, answers, dtype = self._heard(X)
        return np.einsum("nk,nkq->nq", weights, answers).astype(dtype, copy=False)

    def predict_gate(self, X):
        """Return the gate's weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
            Non-negative; rows sum to one.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from sklearn.linear_model import Ridge
        >>> from sklearn.tree import DecisionTreeRegressor
        >>> from skmoe import MetaPiRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> experts = [("line", Ridge()), ("tree", DecisionTreeRegressor(max_depth=1))]
        >>> MetaPiRegressor(experts).fit(X, y).predict_gate(X).shape
        (10, 2)
        """
        check_is_fitted(self)
        table = self._table(X)
        return self._weights(table).astype(_precision(table), copy=False)

    def apply(self, X):
        """Return the number of the most weighted expert, in the order of ``experts_``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of int of shape (n_samples,)
            From 0 to n_experts - 1.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from sklearn.linear_model import Ridge
        >>> from sklearn.tree import DecisionTreeRegressor
        >>> from skmoe import MetaPiRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> experts = [("line", Ridge()), ("tree", DecisionTreeRegressor(max_depth=1))]
        >>> MetaPiRegressor(experts).fit(X, y).apply(X).shape
        (10,)
        """
        return self.predict_gate(X).argmax(axis=1)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "theta_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = False
        return tags


def all_members(experts, tag):
    """Return whether ``tag(tags)`` holds for all experts that are estimators."""
    members = [each[1] for each in experts if isinstance(each, list | tuple) and len(each) == 2]
    return all(tag(get_tags(member)) for member in members if hasattr(member, "fit"))


def _seen_by_members(table):
    """Return what experts are shown: frames as they came, arrays as numbers."""
    return table.raw if table.X is None or hasattr(table.raw, "columns") else table.X


def _precision(table):
    return np.float64 if table.X is None else table.X.dtype


class _Problem:
    """One gate to be trained: rows, network, and the place that was reached.

    Attributes
    ----------
    session : skmoe.neural.training.Session
    theta : skmoe.base.Parameters
        Of the gate.
    error : float
        Mean of ||y - f||^2, in units of y's standard deviations, divided by the targets.
    single_errors : ndarray of shape (K,)
        The same of every expert alone.
    """

    def __init__(self, estimator, gate, Z, y, weight):
        self.estimator, self.gate = estimator, gate
        self.Z, self.y, self.weight = Z, np.ascontiguousarray(y), weight
        self.total = float(weight.sum())
        self.rng = np.random.default_rng(
            check_random_state(estimator.random_state).randint(2**31 - 1)
        )

    def hear(self, answers):
        """Take the experts' answers (n, K, q), in the units of the data, and measure each."""
        scaling = self.estimator._y_scaling
        n, K, q = answers.shape
        self.answers = (answers - scaling.mean) / scaling.scale
        self.single_errors = np.array([self._error(self.answers[:, k]) for k in range(K)])
        self.neutral = self.gate.init(self.Z, K)

    def train_gate(self, watcher):
        """Descend with experts that stay as they are."""
        n, K, q = self.answers.shape
        voices = [(self.answers[:, k], Given()) for k in range(K)]
        network, rows = self._network(voices)
        leaning = self.gate.leaning(self.neutral, int(self.single_errors.argmin()), _LEANING)
        starts = [each.flatten() for each in (self.neutral, leaning) if each is not None]
        self._descend(network, rows, starts, watcher)

    def train_together(self, names, models, raw, watcher):
        """Descend with gate and experts, from the trained gate and random ones; return experts."""
        classes = getattr(self.estimator, "classes_", None)
        pupils = [
            pupil_of(name, model, raw, self.answers[:, k], self.estimator._y_scaling, classes)
            for k, (name, model) in enumerate(zip(names, models, strict=True))
        ]
        network, rows = self._network([(pupil.columns, pupil.layer) for pupil in pupils])
        learned = np.concatenate([pupil.start for pupil in pupils])
        spread = self.rng.standard_normal((self.estimator.n_init, self.neutral.size))
        gates = [self.theta.flatten(), *(self.neutral.flatten() + spread)]
        starts = [np.concatenate([gate, learned]) for gate in gates]
        self._descend(network, rows, starts, watcher)
        ends = np.cumsum([self.neutral.size, *(pupil.start.size for pupil in pupils)])
        pieces = np.split(self.session.theta, ends[:-1])[1:]
        return [pupil.write(piece) for pupil, piece in zip(pupils, pieces, strict=True)]

    def settle(self):
        """Measure the blend, and keep the best expert alone where the blend does not do better."""
        self.error = self._blend_error()
        best = int(self.single_errors.argmin())
        alone = self.gate.leaning(self.neutral, best, _ALONE)
        if self.error > self.single_errors[best] and alone is not None:
            self.theta = alone
            self.error = self._blend_error()

    def _network(self, voices):
        """Return the network of experts (columns, layer), and the rows that it sees."""
        columns = [self.Z, *(seen for seen, _ in voices)]
        ends = np.cumsum([seen.shape[1] for seen in columns])
        stretches = [slice(e - c.shape[1], e) for e, c in zip(ends, columns, strict=True)]
        gate = Voice(stretches[0], GateLayer(self.gate, self.neutral, self.total))
        experts = [
            Voice(stretch, layer) for stretch, (_, layer) in zip(stretches[1:], voices, strict=True)
        ]
        network = Network(Blend(gate, experts), {}, SquaredError(self.y.shape[1]))
        return network, self._rows(np.hstack(columns))

    def _rows(self, X):
        even = np.all(self.weight == self.weight[0])
        return Rows(X, self.y, None if even else self.weight / self.weight.mean())

    def _descend(self, network, rows, starts, watcher):
        """Keep the session that ends lowest; mini-batches go from the lowest start alone."""
        losses = _Losses(network, rows)
        if self.estimator.solver != "lbfgs":
            starts = [min(starts, key=losses)]
        sessions = [self._session(network, rows, start, losses, watcher) for start in starts]
        self.session = min(sessions, key=lambda session: losses(session.theta))
        self.theta = self.neutral.unflatten(self.session.theta[: self.neutral.size])

    def _session(self, network, rows, start, losses, watcher):
        est, session = self.estimator, Session(start.copy(), {}, self.rng)

        def on_epoch(session):
            return watcher.on_pass(len(session.loss_curve), session.loss_curve[-1], None)

        with np.errstate(over="ignore", invalid="ignore"):
            if est.solver == "lbfgs":
                limits = {"alpha": est.alpha, "max_iter": est.max_iter, "tol": est.tol}
                descend(network, session, rows, **limits, on_epoch=on_epoch)
            else:
                session.loss_curve.append(losses(start))
                session.remember_if_best(-losses(start))
                options = self._options(len(rows.X))
                train(network, session, rows, options, lambda v, _: -losses(v), on_epoch)
        return session

    def _options(self, n_rows):
        est, names = self.estimator, ("solver", "alpha", "learning_rate", "learning_rate_init")
        names += ("max_iter", "tol", "n_iter_no_change", "shuffle")
        batch_size = est.batch_size
        if batch_size == "auto":
            batch_size = int(np.clip(n_rows // _STEPS, *_BATCH))
        chosen = {name: getattr(est, name) for name in names}
        return TrainingOptions(batch_size=min(batch_size, n_rows), **chosen)

    def _blend_error(self):
        return self._error(
            np.einsum("nk,nkq->nq", self.gate.weights(self.theta, self.Z), self.answers)
        )

    def _error(self, answer):
        square = np.square(answer - self.y).mean(axis=1)
        return float(np.average(square, weights=self.weight))


class _Losses:
    """The objective of a network on all rows as a function of its numbers, without a slope."""

    def __init__(self, network, rows):
        self.network, self.rows = network, rows

    def __call__(self, theta):
        run = Run(training=True)
        views = self.network.layout.views(theta)
        out, _ = self.network.body.forward(views, self.rows.X, run)
        losses, _ = self.network.head.loss(out, self.rows.y)
        return float(np.average(losses, weights=self.rows.weight)) + run.loss
