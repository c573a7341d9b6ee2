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
from skmoe.estimators._blend_training import BlendProblem
from skmoe.estimators._members import Members, check_labels
from skmoe.estimators._publish import in_precision
from skmoe.estimators._warnings import warn_caller
from skmoe.estimators._watch import CallbackSupportMixin, Watcher

_SOLVERS = ("lbfgs", "adam", "sgd")


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
        return BlendProblem(self, gate, Z, self._y_scaling.apply(numbers), weight)

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
