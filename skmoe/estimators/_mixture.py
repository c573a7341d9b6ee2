"""What all classical mixtures share: build the sentence, run it, answer."""

from abc import ABC, abstractmethod
from dataclasses import replace
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skmoe._math.checks import check_choice, check_count, check_flag, check_number
from skmoe.batches import (
    Block,
    InMemory,
    Prepared,
    Rows,
    Scaling,
    Standardizer,
    cache_rows,
    threads_for_rows,
)
from skmoe.estimators import _columns, _elsewhere, _parts, _resume, _streams, _validation
from skmoe.estimators._answers import AnswersMixin
from skmoe.estimators._direct import direct_parameters
from skmoe.estimators._likelihood import LikelihoodMixin
from skmoe.estimators._publish import in_precision
from skmoe.estimators._rows import distinct_rows
from skmoe.estimators._summary import SummaryMixin
from skmoe.estimators._warnings import warn_caller
from skmoe.estimators._watch import CallbackSupportMixin, Scout, Watcher
from skmoe.fitters.watch import as_it_stands
from skmoe.mixture import GroupedMixture, Mixture, MixtureParameters
from skmoe.starts import best_start

#: Up to this many rows are sorted, and equal ones merged: few of any mixture, and more where
#: experts may switch off.
FEW_ROWS, MOST_ORDERED = 100, 10_000
#: Arguments that say which columns are seen: by the experts, and by the gate.
CHOOSERS = "expert_features", "gate_features"
#: How names of attributes end that have a number for each feature.
PER_FEATURE = "coef_", "relevance_"


class BaseMixture(
    AnswersMixin,
    LikelihoodMixin,
    SummaryMixin,
    _parts.NestedNamesMixin,
    CallbackSupportMixin,
    BaseEstimator,
    ABC,
):
    """Fit any sentence of experts, gate, criterion and fitter, and let it answer."""

    # What ``start`` may be.
    _starts = ("directions",)

    def _learn(self, X, y, sample_weight, offset=None, groups=None, fitter=None):
        """Validate, standardize, start, climb, publish."""
        self._check_hyper_parameters()
        mixture = self._sentence(offset, groups)
        experts = mixture.experts
        fitter = fitter or _parts.build("fitter", self.fitter)
        resume = self.warm_start and hasattr(self, "theta_")
        last = None
        if resume:
            _resume.check_sentence(
                self.n_experts, mixture, (self._n_experts, self.experts_, self.gate_)
            )
            last = self._scaling
        if _elsewhere.is_on_a_device(X) and not self._stays_there(mixture, offset, groups):
            X, y, sample_weight = map(_elsewhere.at_home, (X, y, sample_weight))
            offset, groups = map(_elsewhere.at_home, (offset, groups))
        source = _streams.source_of(X, y, sample_weight)
        if source is not None:
            _streams.check_alone(offset=offset, groups=groups)
            source = self._coded(source)
            # A sample tells of the columns, and is where a start is looked for.
            X, y, sample_weight = _streams.sample_of(source, self.n_experts)
        experts, block = self._training_block(
            experts, X, y, sample_weight, offset, groups, resume, source is not None
        )
        make_batches = partial(InMemory, block, self.batch_size)
        if source is not None:
            experts, make_batches = self._measure(source, experts, X, y, sample_weight)
        mixture = replace(mixture, experts=experts)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        watcher = Watcher(self, {"X": X, "y": y, "metadata": metadata}, searches=not resume)
        watcher.begin()
        with threads_for_rows() as n_threads:
            batches = make_batches(n_threads)
            result = self._found(mixture, fitter, batches, watcher, last)
        self.n_search_passes_ = watcher.n_passes
        self._publish(mixture, result, block, watcher.stopped)
        watcher.end()
        return self

    def _sentence(self, offset, groups):
        """Return the Mixture that the arguments ask for."""
        gate = self._build_gate()
        criterion = _parts.build("criterion", self.criterion)
        experts = criterion.suited(self._build_experts(offset), gate)
        if groups is None:
            return Mixture(experts, gate, criterion)
        if not criterion.is_likelihood:
            raise ValueError(f"groups need a likelihood, and criterion={criterion!r} is none.")
        return GroupedMixture(experts, gate, criterion)

    def _stays_there(self, mixture, offset, groups):
        """Return whether rows on a device need not come home: nothing asks for numpy's."""
        made = any(hasattr(getattr(self, argument), "transform") for argument in CHOOSERS)
        return mixture.takes_arrays and offset is None and groups is None and not made

    def _build_experts(self, offset):
        """Return the bank; an offset given to fit becomes the last column that it sees."""
        classes = is_classifier(self)
        experts = _parts.build("experts", self.experts, classes)
        if experts.target.classes != classes:
            kind, other = ("numbers", "regressor") if classes else ("classes", "classifier")
            allowed = _parts.listing(_parts.names_of("experts", classes))
            raise ValueError(
                f"experts={self.experts!r} answer with {kind}; use a {other}, or one of {allowed}."
            )
        self._has_offset = offset is not None
        return experts.with_offset(-1) if self._has_offset else experts

    def _build_gate(self):
        """Return the gate of the sentence."""
        return _parts.build("gate", self.gate)

    def _check_hyper_parameters(self):
        for name in ("n_experts", "n_init", "max_iter"):
            check_count(name, getattr(self, name))
        check_number("tol", self.tol)
        check_choice("start", self.start, self._starts)
        check_flag("warm_start", self.warm_start)
        if self.batch_size is not None:
            check_count("batch_size", self.batch_size)
        check_count("verbose", int(self.verbose) if self.verbose in (0, 1) else self.verbose, 0)
        if self.n_jobs is not None and (self.n_jobs == 0 or not isinstance(self.n_jobs, Integral)):
            raise ValueError(f"n_jobs={self.n_jobs!r} must be None or an integer other than 0.")
        with _validation.naming("random_state"):
            check_random_state(self.random_state)

    def _coded(self, source):
        """Return a source whose y are as the experts want them."""
        return source

    def _training_block(self, experts, raw, y, sample_weight, offset, groups, resume, coded):
        table = self._check_table(raw, reset=True)
        y, self._flat = self._check_targets(y, table, coded)
        weight = self._check_weights(sample_weight, y, y if table.X is None else table.X, coded)
        if self._has_offset:
            offset = _validation.check_offset(offset, table.n_rows, y.dtype)
        if groups is not None:
            groups = _validation.check_groups(groups, table.n_rows)
        kept = np.flatnonzero(weight > 0)
        if len(kept) < table.n_rows:
            # A row of no weight is not there, for transformers neither.
            table, y, weight = table.rows(kept), y[kept], weight[kept]
            offset = None if offset is None else offset[kept]
            groups = None if groups is None else groups[kept]
        least = 1 if experts.switches_off else self.n_experts
        _validation.check_enough_rows(least, table.n_rows, sample_weight is not None)
        if groups is None and offset is None:
            table, y, weight = _ordered(experts, table, y, weight)
        weight, self._weight_unit = _validation.weights_as_rows(weight)
        experts.target.check(y)
        self._choose_columns(table, y, weight, resume)
        self._n_targets = y.shape[1]
        seen, seen_by_gate = self._pick(table, offset)
        y, weight = y.astype(seen.dtype, copy=False), weight.astype(seen.dtype, copy=False)
        experts = experts.with_names(
            self._columns[0].names(getattr(self, "feature_names_in_", None))
        )
        X = Standardizer.of(seen, weight)
        X_gate = X if seen_by_gate is seen else Standardizer.of(seen_by_gate, weight)
        self._scaling = _scaling(experts, X, X_gate, Standardizer.of(y, weight))
        block = self._block(seen, seen_by_gate, self._scaling.y.apply(y), weight)
        block = block if groups is None else block.by_group(groups)
        return experts.for_rows(self._scaling), block

    def _measure(self, source, experts, *sample):
        """Measure all rows of a source; return the experts and how its Batches are made."""
        dtype = np.dtype(getattr(sample[0], "dtype", np.float64))
        picked = _streams.Picked(self._columns, dtype if dtype == np.float32 else np.float64)
        found = source.sweep(_streams.Measure(picked, experts.target), _streams.MEASURED_ROWS)
        least = 1 if experts.switches_off else self.n_experts
        _validation.check_enough_rows(least, found.X.n_rows, False)
        self._weight_unit = min(1.0, found.X.total / found.X.n_rows)
        X, X_gate, y = (
            each.standardizer(picked.dtype) for each in (found.X, found.X_gate, found.y)
        )
        same = self._columns[0].same_as(self._columns[1])
        self._scaling = _scaling(experts, X, X if same else X_gate, y)
        prepare = _streams.Preparation(picked, self._scaling, self._weight_unit)
        block = prepare(Rows(*sample))
        rows = self.batch_size or cache_rows(block.X.shape[1])
        return experts.for_rows(self._scaling), partial(Prepared, source, prepare, block, rows)

    def _check_table(self, raw, reset, finite=True):
        """Return the Table of what was handed in as X."""
        wanted = [getattr(self, argument) for argument in CHOOSERS]
        names = getattr(raw, "columns", None)
        whole = any(_columns.sees_all(each, names) for each in wanted)
        needs_frame = any(hasattr(each, "transform") for each in wanted)
        return _validation.check_table(self, raw, whole, needs_frame, reset, finite)

    def _check_targets(self, y, table, coded=False):
        """Return y (n, q) and whether it was flat; ``coded`` ones are as experts want them."""
        return _validation.check_targets(self, y, table)

    def _as_users_know(self, y):
        """Return checked y (n, q) as users know it, (n,) or (n, q)."""
        return y[:, 0] if y.shape[1] == 1 else y

    def _check_weights(self, sample_weight, y, like, coded=False):
        """Return the weights (n,) of the rows of y (n, q), in the precision of ``like``.

        Those of ``coded`` rows know of the classes' weights.
        """
        return _validation.check_weights(sample_weight, like)

    def _choose_columns(self, table, y, weight, resume):
        names = getattr(self, "feature_names_in_", None)
        known = self._as_users_know(y)
        columns = tuple(
            _columns.choose(
                argument, getattr(self, argument), table, known, self.n_features_in_, names, weight
            )
            for argument in CHOOSERS
        )
        if resume:
            _resume.check_columns(columns, self._columns)
        else:
            self._columns = columns

    def _pick(self, table, offset=None):
        """Return what experts and gate see of a Table, in one precision."""
        seen, seen_by_gate = (chooser.pick(table) for chooser in self._columns)
        dtype = np.result_type(seen, seen_by_gate) if table.X is None else table.X.dtype
        same = seen_by_gate is seen
        seen = seen.astype(dtype, copy=False)
        seen_by_gate = seen if same else seen_by_gate.astype(dtype, copy=False)
        if self._has_offset:
            offset = _validation.check_offset(offset, table.n_rows, dtype)
            seen = np.column_stack([seen, offset])
        elif offset is not None:
            raise ValueError("offset was given now, but not to fit.")
        return seen, seen_by_gate

    def _seen(self, table, offset=None):
        """Return standardized rows of a Table for experts and gate."""
        return self._standardized(*self._pick(table, offset))

    def _block(self, seen, seen_by_gate, y, weight):
        return Block(*self._standardized(seen, seen_by_gate), y, weight)

    def _standardized(self, seen, seen_by_gate):
        X = self._scaling.X.apply(seen)
        same = seen_by_gate is seen and self._scaling.X_gate is self._scaling.X
        return X, X if same else self._scaling.X_gate.apply(seen_by_gate)

    def _resumed(self, mixture, batches, last):
        """Return the last solution for rows whose scaling was ``last`` and may have changed."""
        block = batches.block
        neutral = MixtureParameters(
            mixture.experts.init(block.X, block.y, self.n_experts),
            mixture.gate.init(block.X_gate, self.n_experts),
        )
        _resume.check_layout(self.theta_, neutral)
        return _resume.reread(self.theta_, mixture, batches, last.change_to(self._scaling))

    def _found(self, mixture, fitter, batches, watcher, last):
        """Start, or go on from rows whose scaling was ``last``, and climb, a FitResult.

        A user who breaks it off has the best place so far.
        """
        theta = None
        try:
            if last is None:
                theta = self._start(mixture, fitter, batches, watcher)
            else:
                theta = self._resumed(mixture, batches, last)
            return self._climb(mixture, fitter, theta, batches, watcher)
        except KeyboardInterrupt:
            theta = watcher.best if theta is None else theta
            if theta is None:
                raise
            return as_it_stands(mixture, theta, batches, "interrupted")

    def _may_end_at(self, result):
        """Return whether a short run's FitResult is one of the whole sentence, not of a part."""
        return len(result.shares) == self.n_experts

    def _climb(self, mixture, fitter, theta, batches, watcher):
        watcher.climb(self.max_iter)
        dtype = batches.block.X.dtype

        def on_pass(n_passes, bound, theta):
            return watcher.on_pass(n_passes, bound, lambda: self._learned(mixture, theta, dtype))

        return fitter.fit(
            mixture, theta, batches, max_iter=self.max_iter, tol=self.tol, on_pass=on_pass
        )

    def _start(self, mixture, fitter, batches, watcher):
        watcher.search()
        return best_start(
            mixture,
            Scout(fitter, watcher, self.tol),
            batches,
            self.n_experts,
            n_init=self.n_init,
            rng=check_random_state(self.random_state),
            n_jobs=self.n_jobs,
        )

    def _publish(self, mixture, result, block, stopped):
        self._memory = None
        for name, value in self._learned(mixture, result.theta, block.X.dtype).items():
            setattr(self, name, value)
        self.n_iter_, self.n_passes_ = max(1, result.n_iter), result.n_passes
        self.converged_, self.stop_reason_ = result.converged, result.stop_reason
        self.lower_bounds_ = self._weight_unit * np.array(result.bounds)
        self.lower_bound_ = self.lower_bounds_[-1]
        if mixture.experts.takes_notes:
            mass = mixture.share(result.theta, block) * block.weight[:, None]
            notes = mixture.experts.notes(result.theta.experts, block.X, block.y, mass)
            self.stop_reason_ = "; ".join([self.stop_reason_, *notes])
        self._warn(result, stopped)

    def _learned(self, mixture, theta, dtype):
        """Return the attributes that make an estimator answer for a mixture at theta, a dict."""
        numbers = mixture.experts.units(theta.experts, self._scaling)
        numbers |= mixture.gate.units(theta.gate, self._scaling)
        return {
            "_mixture": mixture,
            "_n_experts": self.n_experts,
            "_direct": None
            if self._has_offset
            else direct_parameters(mixture, theta, self._scaling),
            "theta_": theta,
            "experts_": mixture.experts,
            "gate_": mixture.gate,
            "n_parameters_": mixture.n_parameters(theta),
        } | {
            name: in_precision(name, self._shaped(name, value), dtype)
            if isinstance(value, np.ndarray)
            else value
            for name, value in numbers.items()
        }

    def _shaped(self, name, value):
        """Drop the column of an offset, and the axes of the outputs where y was flat."""
        if self._has_offset and name == "coef_":
            value = value[..., :-1]
        if not self._flat or name.startswith("gate_"):
            return value
        shape = (len(value), -1) if name.endswith(PER_FEATURE) else -1
        return value.reshape(shape)

    def _warn(self, result, stopped):
        retired = (result.shares < 0.5) & (not self.experts_.switches_off)
        held = ~retired & (result.shares < self.experts_.least_rows(result.theta.experts))
        for experts, short, long in (
            (retired, "retired experts {}", "Experts {} lost their rows and were retired"),
            (
                held,
                "noise of experts {} held",
                "Experts {} have hardly more rows than coefficients and kept their noise",
            ),
        ):
            if experts.any():
                numbers = np.flatnonzero(experts).tolist()
                self.stop_reason_ += "; " + short.format(numbers)
                warn_caller(f"{long.format(numbers)}; n_experts={self.n_experts} may be too many.")
        # Who asked for a stop need not be told of it.
        if result.converged or stopped:
            return
        if result.stop_reason == "interrupted":
            warn_caller(
                f"The fit was interrupted after {result.n_passes} passes and keeps the best "
                "parameters so far; with warm_start=True, fit goes on from there.",
                ConvergenceWarning,
            )
        else:
            warn_caller(
                f"The fit stopped after max_iter={self.max_iter} passes ({result.stop_reason}) "
                "before it converged; raise max_iter or tol.",
                ConvergenceWarning,
            )

    @property
    def _blind(self):
        """Whether neither experts nor gate look at X: every row then gets the same answer."""
        parts = ("experts", "gate")
        return not any(_parts.sees_features(part, getattr(self, part)) for part in parts)

    @abstractmethod
    def predict(self, X):
        """Return the answer for every row."""


def _ordered(experts, table, y, weight):
    """Return rows in an order of their own.

    Where they hardly tell what is what, rounding decides: it must not know of their order.
    """
    most = MOST_ORDERED if experts.switches_off else FEW_ROWS
    if table.X is None or table.n_rows > most:
        return table, y, weight
    kept, weight = distinct_rows(table.X, y, weight)
    return table.rows(kept), y[kept], weight.astype(y.dtype, copy=False)


def _scaling(experts, X, X_gate, y):
    """Return how columns that were measured are standardized for these experts."""
    of_experts = X if experts.centers else X.uncentered()
    raw = experts.raw_columns(len(X.mean))
    return Scaling(of_experts.without(raw), X_gate, y.for_target(experts.target))
