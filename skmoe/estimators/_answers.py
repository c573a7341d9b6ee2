"""What fitted mixtures answer."""

from dataclasses import replace

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmoe._math.checks import check_count
from skmoe._math.extremes import within_numbers
from skmoe.batches import Block
from skmoe.distribution import MixtureDistribution
from skmoe.estimators import _validation
from skmoe.estimators._elsewhere import anywhere
from skmoe.mixture import GroupedMixture

__all__ = ["AnswersMixin"]


class AnswersMixin:
    """Answers of a fitted sentence, in the units of the user's data."""

    @anywhere
    def predict_distribution(self, X, offset=None):
        """Return the predictive mixture of every row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.

        Returns
        -------
        MixtureDistribution
            With the methods of a frozen `scipy.stats` distribution, over rows.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
        >>> est.predict_distribution(X).interval(0.9)[0].shape
        (10,)
        """
        seen, seen_by_gate = self._seen(self._table(X), offset)
        weights, components = self._mixture.criterion.answer(
            self.gate_.weights(self.theta_.gate, seen_by_gate),
            self.experts_.components(self.theta_.experts, seen),
        )
        return MixtureDistribution(
            weights,
            components,
            loc=self._scaling.y.mean,
            scale=self._scaling.y.scale,
            squeeze=self._flat,
        )

    @anywhere
    def predict_gate(self, X):
        """Return the gate's weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
            Rows sum to 1.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
        >>> est.predict_gate(X).sum(axis=1).round(6)
        array([1., 1., 1., 1., 1., 1., 1., 1., 1., 1.])
        """
        _, seen = self._seen(self._table(X))
        return np.ascontiguousarray(self.gate_.weights(self.theta_.gate, seen))

    @anywhere
    def predict_experts(self, X, offset=None):
        """Return every expert's mean.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.

        Returns
        -------
        ndarray of shape (n_samples, n_experts) or (n_samples, n_experts, n_targets)
            In units of y; for classes, their probabilities.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
        >>> est.predict_experts(X).shape
        (10, 2)
        """
        seen, _ = self._seen(self._table(X), offset)
        means = self.experts_.mean(self.theta_.experts, seen)
        means = np.ascontiguousarray(self._in_units_of_y(means).astype(seen.dtype, copy=False))
        return means[:, :, 0] if self._flat else means

    @anywhere
    def apply(self, X):
        """Return the number of the most weighted expert of every row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples,)
            From 0 to n_experts - 1.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
        >>> int(est.apply(X).max())
        1
        """
        return self.predict_gate(X).argmax(axis=1)

    @anywhere
    def responsibilities(self, X, y, offset=None, groups=None):
        """Return who made which row, given its answer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers; classes for a classifier.
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.
        groups : array-like of shape (n_samples,), optional
            Rows of one group were made by one expert.

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
            Posterior probabilities of the experts; rows sum to 1.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
        >>> est.responsibilities(X, y).shape
        (10, 2)
        """
        block = self._answered(self._table(X), y, offset)
        if groups is not None:
            return self._shares_of_groups(block, groups)
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(self._mixture.share(self.theta_, block))

    @anywhere
    def score_samples(self, X, y=None, offset=None):
        """Return the log-density of every answer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), optional
            Their answers. None: the density at the prediction itself, a measure of how sure the
            mixture is.
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.

        Returns
        -------
        ndarray of shape (n_samples,)
            Nats, for y in its own units. A density too small for its logarithm to be a number of
            this precision is given the least number.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
        >>> est.score_samples(X, y).shape
        (10,)
        """
        table = self._table(X)
        if y is None:
            y = self._likeliest(X, offset)
        block = self._answered(table, y, offset)
        with np.errstate(over="ignore"):
            logs = self._mixture.criterion.log_density(self._mixture, self.theta_, block)
        return within_numbers(logs - float(np.log(self._scaling.y.scale).sum()))

    def sample(self, X, n_samples=1, random_state=None, offset=None):
        """Draw answers for the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows to draw for.
        n_samples : int, default=1
            Draws a row.
        random_state : int, RandomState or None, default=None
            Seed of the draws.
        offset : array-like of shape (n_rows,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.

        Returns
        -------
        ndarray of shape (n_rows,), or (n_rows, n_samples) for more than one draw
            With a last axis of targets where y had one.

        Raises
        ------
        ValueError
            For rows or numbers of draws that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
        >>> est.sample(X, n_samples=100, random_state=0).shape
        (10, 100)
        """
        check_count("n_samples", n_samples)
        answer = self.predict_distribution(X, offset)
        with _validation.naming("random_state"):
            return answer.rvs(size=n_samples, random_state=random_state)

    # ------------------------------------------------------------------------------------ details

    def _table(self, X, finite=True):
        """Return the validated Table of X for a fitted estimator."""
        check_is_fitted(self)
        return self._check_table(X, reset=False, finite=finite)

    def _in_units_of_y(self, values):
        """Return values (..., q) of standardized y in the user's units."""
        with np.errstate(over="ignore"):
            return within_numbers(values * self._scaling.y.scale + self._scaling.y.mean)

    def _answered(self, table, y, offset=None):
        """Return the standardized Block of rows with answers."""
        y = self._check_answers(y, table)
        self._mixture.experts.target.check(y)
        seen, seen_by_gate = self._seen(table, offset)
        y = self._scaling.y.apply(y.astype(seen.dtype, copy=False))
        return Block(seen, seen_by_gate, y, np.ones(len(y), seen.dtype))

    def _observed(self, X, y, sample_weight=None, offset=None, groups=None):
        """Return the sentence and the Block in which a fit to these rows would climb at theta."""
        table = self._table(X)
        block = self._answered(table, y, offset)
        weight = self._check_weights(sample_weight, self._check_answers(y, table), block.X)
        kept = np.flatnonzero(weight > 0)
        weight, _ = _validation.weights_as_rows(weight[kept])
        seen = replace(block.rows(kept), weight=weight)
        if groups is None:
            return self._mixture, seen
        groups = _validation.check_groups(groups, block.n_rows)
        return self._grouped, seen.by_group(groups[kept])

    def _shares_of_groups(self, block, groups):
        """Return responsibilities (n, K) that the rows of a group have in common."""
        groups = _validation.check_groups(groups, block.n_rows)
        share = self._grouped.share(self.theta_, block.by_group(groups))
        answer = np.empty(share.shape, share.dtype)
        answer[np.argsort(groups, kind="stable")] = share
        return answer

    @property
    def _grouped(self):
        """The sentence for rows in groups."""
        mixture = self._mixture
        return GroupedMixture(mixture.experts, mixture.gate, mixture.criterion)

    def _check_answers(self, y, table):
        """Return validated y (n, q)."""
        return _validation.check_answers(self, y, table)

    def _likeliest(self, X, offset):
        """Return the answers (n,) or (n, q) at which the mixture judges itself."""
        return self.predict(X, offset=offset)
