"""What mixtures that answer with numbers share: means, their scores, and tags."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d, get_tags
from sklearn.utils.validation import check_is_fitted

from skmoe.batches import map_blocks, threads_for_rows
from skmoe.estimators import _parts, _validation
from skmoe.estimators._columns import AllColumns
from skmoe.estimators._direct import acts_on
from skmoe.estimators._elsewhere import anywhere, at_home

# Rows answered at a time: enough to outweigh interpreter time, few enough to stay near the cache.
ANSWER_ROWS = 8192
# Threads take turns at the interpreter, and want more to do in between.
THREAD_ROWS = 32768


class NumbersMixin(RegressorMixin):
    """Answers of regressors; goes before `BaseMixture`."""

    def _check_targets(self, y, table, coded=False):
        # scikit-learn asks those that cannot take any table of targets to warn of a column.
        if getattr(y, "shape", ())[1:] == (1,) and not get_tags(self).target_tags.multi_output:
            y = column_or_1d(y, warn=True)
        return super()._check_targets(y, table, coded)

    @anywhere
    def predict(self, X, return_std=False, offset=None):
        """Return the mean of the predictive distribution.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        return_std : bool, default=False
            Whether to return the predictive standard deviation, too.
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.

        Returns
        -------
        mean : ndarray of shape (n_samples,) or (n_samples, n_targets)
            In units of y.
        std : ndarray of the same shape
            Only with ``return_std=True``.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
        >>> est.predict(X).shape
        (10,)
        """
        if return_std:
            answer = self.predict_distribution(X, offset)
            return answer.mean(), answer.std()
        check_is_fitted(self)
        # What makes sure that rows may be answered for as they come finds NaN on the way.
        table = self._table(X, finite=self._direct is None or not self._sees_all_columns)
        if table.n_rows <= ANSWER_ROWS:
            means = self._mean(table, offset)
        else:
            means = self._mean_in_blocks(table, offset)
        return means[:, 0] if self._flat else means

    def _mean_in_blocks(self, table, offset):
        first = self._mean(table.rows(slice(1)), None if offset is None else offset[:1])
        means = np.empty((table.n_rows, self._n_targets), dtype=first.dtype)

        def fill(rows):
            part = None if offset is None else offset[rows]
            means[rows] = self._mean(table.rows(rows), part)

        with threads_for_rows() as n_threads:
            step = ANSWER_ROWS if n_threads == 1 else THREAD_ROWS
            for _ in map_blocks(fill, table.n_rows, step, n_threads):
                pass
        return means

    def _ready(self, table, offset):
        """Return parameters, and rows for experts and gate on which they act."""
        if self._direct is not None and offset is None:
            seen, seen_by_gate = self._pick(table)
            if acts_on(seen) and (seen_by_gate is seen or acts_on(seen_by_gate)):
                return self._direct, (seen, seen_by_gate)
        _validation.check_finite(self, table)
        return self.theta_, self._seen(table, offset)

    @property
    def _sees_all_columns(self):
        """Whether experts or gate see every column of X as it is."""
        return any(isinstance(chooser, AllColumns) for chooser in self._columns)

    def _mean(self, table, offset):
        """Return the predictive means (n, q) of a Table."""
        theta, (seen, seen_by_gate) = self._ready(table, offset)
        means = self.experts_.mean(theta.experts, seen)
        weights = self.gate_.weights(theta.gate, seen_by_gate)
        weights = self._mixture.criterion.predictive_weights(weights)
        blend = np.einsum("nk,nkq->nq", weights, means)
        return self._in_units_of_y(blend).astype(seen.dtype, copy=False)

    def score(self, X, y, sample_weight=None, offset=None):
        """Return R^2 of the predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows.
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.

        Returns
        -------
        float
            1 for perfect predictions, 0 for those of the mean; averaged over targets.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
        >>> est.score(X, y) > 0.5
        True
        """
        from sklearn.metrics import r2_score  # heavy, and only wanted here

        y, answers, sample_weight = map(at_home, (y, self.predict(X, offset=offset), sample_weight))
        return r2_score(y, answers, sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        target = _parts.target_of(self.experts)
        positive = target is not None and target.least >= 0.0
        tags.target_tags.positive_only = positive
        # Several outputs may be positive, too; scikit-learn's checks would hand in negative ones.
        tags.target_tags.multi_output = not positive
        tags.target_tags.single_output = True
        tags.regressor_tags.poor_score = self._blind
        return tags
