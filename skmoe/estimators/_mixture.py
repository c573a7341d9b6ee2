"""What all classical mixtures share: build the sentence, run it, answer."""

import warnings
from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skmoe._math.checks import check_choice, check_count, check_number
from skmoe.batches import Block, InMemory, Scaling, Standardizer, threads_for_rows
from skmoe.distribution import MixtureDistribution
from skmoe.estimators import _columns, _parts, _validation
from skmoe.estimators._watch import CallbackSupportMixin, Watcher
from skmoe.mixture import GroupedMixture, Mixture
from skmoe.starts import best_start


class BaseMixture(_parts.NestedNamesMixin, CallbackSupportMixin, BaseEstimator, ABC):
    """Fit and answer for any sentence of experts, gate, criterion and fitter."""

    # ---------------------------------------------------------------- learning

    def _learn(self, X, y, sample_weight, offset=None, groups=None):
        """Validate, standardize, start, climb, publish."""
        self._check_hyper_parameters()
        experts = self._build_experts(offset)
        kind = Mixture if groups is None else GroupedMixture
        mixture = kind(
            experts, *(_parts.build(name, getattr(self, name)) for name in ("gate", "criterion"))
        )
        fitter = _parts.build("fitter", self.fitter)
        resume = self.warm_start and hasattr(self, "theta_")
        if resume:
            self._check_resumable(mixture)
        experts, block = self._training_block(experts, X, y, sample_weight, offset, groups, resume)
        mixture = replace(mixture, experts=experts)
        watcher = Watcher(self, self.max_iter)
        watcher.begin(X, y)
        with threads_for_rows() as n_threads:
            batches = InMemory(block, self.batch_size, n_threads)
            result = self._climb(mixture, fitter, batches, watcher, resume)
        self._publish(mixture, result, block)
        watcher.end(X, y)
        return self

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

    def _check_hyper_parameters(self):
        for name in ("n_experts", "n_init", "max_iter"):
            check_count(name, getattr(self, name))
        check_number("tol", self.tol)
        check_choice("start", self.start, ("directions",))
        if self.batch_size is not None:
            check_count("batch_size", self.batch_size)

    def _check_resumable(self, mixture):
        """Raise unless the last solution belongs to the same sentence."""
        now = (self.n_experts, mixture.experts.__class__, mixture.gate.__class__)
        last = (
            self._last_n_experts,
            self.experts_.__class__,
            self.gate_.__class__,
        )
        if now != last:
            raise ValueError(
                "warm_start=True goes on from the last solution, which had (n_experts, experts, "
                f"gate) = {_names(last)}; now they are {_names(now)}."
            )

    def _training_block(self, experts, raw, y, sample_weight, offset, groups, resume):
        X, y, weight, flat, kept = self._check_training_rows(raw, y, sample_weight)
        experts.target.check(y)
        names = getattr(self, "feature_names_in_", None)
        self._columns = tuple(
            _columns.choose(argument, getattr(self, argument), raw, X.shape[1], names)
            for argument in ("expert_features", "gate_features")
        )
        if resume and (X.shape[1], y.shape[1]) != self._last_shape:
            raise ValueError(
                "warm_start=True goes on from a solution for (n_features, n_targets) = "
                f"{self._last_shape}; X and y have {(X.shape[1], y.shape[1])}."
            )
        self._last_shape = X.shape[1], y.shape[1]
        self._flat, self._n_targets = flat, y.shape[1]
        experts = experts.with_names(self._columns[0].names(names))
        seen, seen_by_gate = self._pick(raw, X, offset, kept)
        if not resume:
            self._scaling = _scaling(experts, seen, seen_by_gate, y, weight)
        block = self._block(seen, seen_by_gate, self._scaling.y.apply(y), weight)
        if groups is not None:
            block = block.by_group(_validation.check_groups(groups, raw)[kept])
        return experts.for_rows(self._scaling), block

    def _check_training_rows(self, raw, y, sample_weight):
        """Return X (n, d), y (n, q), weights (n,), whether y was flat, and the rows kept."""
        return _validation.check_training_rows(self, raw, y, sample_weight, reset=True)

    def _pick(self, raw, X, offset=None, kept=None):
        """Return what experts and gate see of the validated rows X (n, d)."""
        seen, seen_by_gate = (
            _kept(chooser.pick(X, raw), kept, len(X)) for chooser in self._columns
        )
        if self._has_offset:
            offset = _validation.check_offset(offset, raw, X.dtype)
            seen = np.column_stack([seen, _kept(offset, kept, len(X))])
        elif offset is not None:
            raise ValueError("offset was given now, but not to fit.")
        return seen, seen_by_gate

    def _block(self, seen, seen_by_gate, y, weight):
        return Block(*self._standardized(seen, seen_by_gate), y, weight)

    def _standardized(self, seen, seen_by_gate):
        X = self._scaling.X.apply(seen)
        same = seen_by_gate is seen and self._scaling.X_gate is self._scaling.X
        return X, X if same else self._scaling.X_gate.apply(seen_by_gate)

    def _climb(self, mixture, fitter, batches, watcher, resume):
        theta = self.theta_ if resume else self._start(mixture, fitter, batches)
        return fitter.fit(
            mixture,
            theta,
            batches,
            max_iter=self.max_iter,
            tol=self.tol,
            on_pass=watcher.on_pass,
        )

    def _start(self, mixture, fitter, batches):
        return best_start(
            mixture,
            fitter,
            batches,
            self.n_experts,
            n_init=self.n_init,
            rng=check_random_state(self.random_state),
            n_jobs=self.n_jobs,
        )

    def _publish(self, mixture, result, block):
        self._mixture, self.theta_ = mixture, result.theta
        self._last_n_experts = len(result.shares)
        self.experts_, self.gate_ = mixture.experts, mixture.gate
        attributes = self.experts_.units(result.theta.experts, self._scaling)
        attributes |= self.gate_.units(result.theta.gate, self._scaling)
        for name, value in attributes.items():
            if self._has_offset and name == "coef_":
                value = value[..., :-1]
            if isinstance(value, np.ndarray):
                value = self._shaped(name, value).astype(block.X.dtype)
            setattr(self, name, value)
        self.n_parameters_ = mixture.n_parameters(result.theta)
        self.n_iter_, self.n_passes_ = max(1, result.n_iter), result.n_passes
        self.converged_, self.stop_reason_ = result.converged, result.stop_reason
        self.lower_bounds_ = np.array(result.bounds)
        self.lower_bound_ = result.bound
        if mixture.experts.takes_notes:
            mass = mixture.share(result.theta, block) * block.weight[:, None]
            notes = mixture.experts.notes(result.theta.experts, block.X, block.y, mass)
            self.stop_reason_ = "; ".join([self.stop_reason_, *notes])
        self._warn(result)

    def _shaped(self, name, value):
        """Drop the axes of the outputs where y was flat."""
        if not self._flat or name.startswith("gate_"):
            return value
        return value.reshape(value.shape[0], -1) if name.endswith("coef_") else value.reshape(-1)

    def _warn(self, result):
        retired = np.flatnonzero(result.shares < 0.5)
        if len(retired):
            self.stop_reason_ += f"; retired experts {retired.tolist()}"
            warnings.warn(
                f"Experts {retired.tolist()} lost their rows and were retired; "
                f"n_experts={self.n_experts} may be too many.",
                stacklevel=4,
            )
        if not result.converged:
            warnings.warn(
                f"The fit stopped after max_iter={self.max_iter} passes ({result.stop_reason}) "
                "before it converged; raise max_iter or tol.",
                ConvergenceWarning,
                stacklevel=4,
            )

    # --------------------------------------------------------------- answering

    def _seen(self, raw, X, offset=None):
        """Standardized rows for experts and gate from validated X (n, d)."""
        return self._standardized(*self._pick(raw, X, offset))

    def predict_distribution(self, X, offset=None):
        """Return the predictive mixture of every row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.

        Returns
        -------
        MixtureDistribution
            With the methods of a frozen `scipy.stats` distribution, over rows.
        """
        check_is_fitted(self)
        seen, seen_by_gate = self._seen(X, _validation.check_rows(self, X), offset)
        weights = self._mixture.criterion.predictive_weights(
            self.gate_.weights(self.theta_.gate, seen_by_gate)
        )
        return MixtureDistribution(
            weights,
            self.experts_.components(self.theta_.experts, seen),
            loc=self._scaling.y.mean,
            scale=self._scaling.y.scale,
            squeeze=self._flat,
        )

    def predict_gate(self, X):
        """Return the gate's weights, shape (n_samples, n_experts); rows sum to 1."""
        check_is_fitted(self)
        _, seen = self._seen(X, _validation.check_rows(self, X))
        return np.ascontiguousarray(self.gate_.weights(self.theta_.gate, seen))

    def predict_experts(self, X, offset=None):
        """Return every expert's mean, shape (n_samples, n_experts) or with a last axis of targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.
        """
        check_is_fitted(self)
        seen, _ = self._seen(X, _validation.check_rows(self, X), offset)
        means = self.experts_.mean(self.theta_.experts, seen)
        means = means * self._scaling.y.scale + self._scaling.y.mean
        means = np.ascontiguousarray(means.astype(seen.dtype, copy=False))
        return means[:, :, 0] if self._flat else means

    def apply(self, X):
        """Return the number of the most weighted expert of every row, shape (n_samples,)."""
        return self.predict_gate(X).argmax(axis=1)

    def responsibilities(self, X, y, offset=None, groups=None):
        """Return who made which row, given its answer, shape (n_samples, n_experts).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.
        groups : array-like of shape (n_samples,), optional
            Rows of one group were made by one expert.
        """
        check_is_fitted(self)
        block = self._answered(X, y, offset)
        if groups is None:
            return np.ascontiguousarray(self._mixture.share(self.theta_, block))
        groups = _validation.check_groups(groups, X)
        share = _grouped(self._mixture).share(self.theta_, block.by_group(groups))
        answer = np.empty(share.shape, share.dtype)
        answer[np.argsort(groups, kind="stable")] = share
        return answer

    def score_samples(self, X, y=None, offset=None):
        """Return the log-density of every answer, shape (n_samples,), in units of y.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets), optional
            None: the density at the prediction itself, a measure of how sure the mixture is.
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.
        """
        check_is_fitted(self)
        if y is None:
            y = self._likeliest(X, offset)
        block = self._answered(X, y, offset)
        logs = self._mixture.criterion.log_density(
            self.gate_.log_prob(self.theta_.gate, block.X_gate),
            self.experts_.log_prob(self.theta_.experts, block.X, block.y),
        )
        return logs - np.log(self._scaling.y.scale).sum()

    def _likeliest(self, X, offset):
        """Return the answers (n,) or (n, q) at which the mixture judges itself."""
        return self.predict(X, offset=offset)

    def _answered(self, X, y, offset=None):
        raw = X
        X, y = self._check_answers(X, y)
        self._mixture.experts.target.check(y)
        seen, seen_by_gate = self._seen(raw, X, offset)
        return Block(seen, seen_by_gate, self._scaling.y.apply(y), np.ones(len(y), X.dtype))

    def _check_answers(self, X, y):
        """Return validated X (n, d) and y (n, q)."""
        return _validation.check_answers(self, X, y)

    def log_likelihood(self, X, y, sample_weight=None, offset=None, groups=None):
        """Return the log-density of the answers, summed over rows (a float).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), optional
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.
        groups : array-like of shape (n_samples,), optional
            Rows of one group were made by one expert.
        """
        if groups is not None:
            return self._log_likelihood_of_groups(X, y, sample_weight, offset, groups)
        logs = self.score_samples(X, y, offset)
        if sample_weight is None:
            return float(logs.sum(dtype=np.float64))
        weight = _validation._check_sample_weight(sample_weight, logs)
        return float(np.dot(weight, logs))

    def _log_likelihood_of_groups(self, X, y, sample_weight, offset, groups):
        check_is_fitted(self)
        block = self._answered(X, y, offset)
        if sample_weight is not None:
            weight = _validation._check_sample_weight(sample_weight, block.X, dtype=block.X.dtype)
            block = replace(block, weight=weight)
        unit = block.weight.sum(dtype=np.float64) * np.log(self._scaling.y.scale).sum()
        block = block.by_group(_validation.check_groups(groups, X))
        return float(_grouped(self._mixture).pooled(self.theta_, block).sum() - unit)

    def aic(self, X, y, offset=None):
        """Return Akaike's criterion, 2 p - 2 log L (a float; lower is better)."""
        check_is_fitted(self)
        return 2.0 * self.n_parameters_ - 2.0 * self.log_likelihood(X, y, offset=offset)

    def bic(self, X, y, offset=None):
        """Return the Bayesian information criterion, p log n - 2 log L (a float)."""
        logs = self.score_samples(X, y, offset)
        return float(self.n_parameters_ * np.log(len(logs)) - 2.0 * logs.sum(dtype=np.float64))

    def icl(self, X, y, offset=None):
        """Return the integrated completed likelihood: BIC plus twice the shares' entropy."""
        share = self.responsibilities(X, y, offset)
        entropy = -np.sum(share * np.log(np.maximum(share, np.finfo(share.dtype).tiny)))
        return float(self.bic(X, y, offset) + 2.0 * entropy)

    def sample(self, X, n_samples=1, random_state=None, offset=None):
        """Draw answers for the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
        n_samples : int, default=1
            Draws a row.
        random_state : int, RandomState or None
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.

        Returns
        -------
        ndarray of shape (n_rows,), or (n_rows, n_samples) for more than one draw
            With a last axis of targets where y had one.
        """
        check_count("n_samples", n_samples)
        return self.predict_distribution(X, offset).rvs(size=n_samples, random_state=random_state)

    @abstractmethod
    def predict(self, X):
        """Return the answer for every row."""


def _grouped(mixture):
    return GroupedMixture(mixture.experts, mixture.gate, mixture.criterion)


def _scaling(experts, seen, seen_by_gate, y, weight):
    """Return how rows are standardized for these experts."""
    X = Standardizer.of(seen, weight)
    return Scaling(
        X.without(experts.raw_columns(seen.shape[1])),
        X if seen_by_gate is seen else Standardizer.of(seen_by_gate, weight),
        Standardizer.of_target(y, weight, experts.target),
    )


def _kept(rows, kept, n_rows):
    """Drop the rows of no weight where a chooser saw all of the user's table."""
    return rows if len(rows) == n_rows else rows[kept]


def _names(sentence):
    return "(" + ", ".join(getattr(word, "__name__", str(word)) for word in sentence) + ")"
