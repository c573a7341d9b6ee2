"""What networks that answer with numbers share: means, and densities where the head has some."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from skmoe.estimators._watch import with_callbacks


def _has_density(estimator):
    if estimator.head is None:
        raise AttributeError(
            "head=None answers with means alone; allowed for densities are head='gaussian' and "
            "head='mixture'."
        )
    return True


class NetworkTargetsMixin(RegressorMixin):
    """Answers of regressors that have a ``head``; goes before `BaseNetwork`."""

    @with_callbacks
    def fit(self, X, y, sample_weight=None):
        """Train on rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to learn from, numbers.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers, in any units.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative; an integer weight equals repetition of the row.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            For rows or arguments that cannot be used; the message names the argument.

        Notes
        -----
        Whoever interrupts training (Ctrl-C) is left with the best epoch so far, and a warning.

        Examples
        --------
        >>> from sklearn.datasets import make_friedman1
        >>> from skmoe import SparseMixtureOfExpertsRegressor
        >>> X, y = make_friedman1(200, random_state=0)
        >>> est = SparseMixtureOfExpertsRegressor(
        ...     4, learning_rate="cosine", max_iter=20, random_state=0
        ... )
        >>> est.fit(X, y).n_iter_
        20
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X, y, sample_weight=None):
        """Go on training with one pass over these rows; the first rows set the standardization.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to learn from, numbers.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers, in the units of the first call.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights of the rows.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            For rows or arguments that cannot be used; the message names the argument.

        Examples
        --------
        >>> from sklearn.datasets import make_friedman1
        >>> from skmoe import SparseMixtureOfExpertsRegressor
        >>> X, y = make_friedman1(200, random_state=0)
        >>> est = SparseMixtureOfExpertsRegressor(
        ...     4, learning_rate="cosine", max_iter=20, random_state=0
        ... )
        >>> est.partial_fit(X[:100], y[:100]).partial_fit(X[100:], y[100:]).n_iter_
        2
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X, return_std=False):
        """Return the means of y.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        return_std : bool, default=False
            Whether to return the predictive standard deviations, too; needs a ``head``.

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
        AttributeError
            For ``return_std=True`` without a ``head``.

        Examples
        --------
        >>> from sklearn.datasets import make_friedman1
        >>> from skmoe import SparseMixtureOfExpertsRegressor
        >>> X, y = make_friedman1(200, random_state=0)
        >>> est = SparseMixtureOfExpertsRegressor(
        ...     4, learning_rate="cosine", max_iter=20, random_state=0
        ... )
        >>> est.fit(X, y).predict(X[:3]).shape
        (3,)
        """
        if return_std:
            answer = self.predict_distribution(X)
            return answer.mean(), answer.std()
        out = self._outputs(X)
        mean = self.network_.head.mean(out) * self._y_scaling.scale + self._y_scaling.mean
        return mean[:, 0] if self._flat else mean

    @available_if(_has_density)
    def predict_distribution(self, X):
        """Return the predictive mixture of every row; only with a ``head``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        MixtureDistribution
            Of ``n_components`` Gaussians (one for ``head="gaussian"``), in units of y.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        References
        ----------
        Bishop (1994), Mixture density networks, equations 16 to 27.

        Examples
        --------
        >>> from sklearn.datasets import make_friedman1
        >>> from skmoe import SparseMixtureOfExpertsRegressor
        >>> X, y = make_friedman1(200, random_state=0)
        >>> est = SparseMixtureOfExpertsRegressor(
        ...     4, head="mixture", learning_rate="cosine", max_iter=20, random_state=0
        ... )
        >>> low, high = est.fit(X, y).predict_distribution(X).interval(0.9)
        >>> bool((low < high).all())
        True
        """
        out = self._outputs(X)
        return self.network_.head.distribution(
            out, self._y_scaling.mean, self._y_scaling.scale, self._flat
        )

    @available_if(_has_density)
    def score_samples(self, X, y=None):
        """Return the log-density of every answer; only with a ``head``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), optional
            Their answers. None: the density at the mean, a measure of how sure the mixture is.

        Returns
        -------
        ndarray of shape (n_samples,)
            In nats, for a density in units of y.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from sklearn.datasets import make_friedman1
        >>> from skmoe import SparseMixtureOfExpertsRegressor
        >>> X, y = make_friedman1(200, random_state=0)
        >>> est = SparseMixtureOfExpertsRegressor(
        ...     4, head="gaussian", learning_rate="cosine", max_iter=20, random_state=0
        ... )
        >>> est.fit(X, y).score_samples(X, y).shape
        (200,)
        """
        answer = self.predict_distribution(X)
        y = answer.mean() if y is None else np.asarray(y, dtype=np.float64)
        return answer.logpdf(y.ravel() if self._flat else y)

    def _validated(self, X, y, reset):
        return validate_data(
            self, X, y, reset=reset, dtype=np.float64, multi_output=True, y_numeric=True
        )

    def _encode(self, y, reset, classes=None):
        flat, y = y.ndim == 1, np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        if not reset and y.shape[1] != len(self._y_scaling.scale):
            raise ValueError(
                f"y has {y.shape[1]} targets; the estimator was fitted with "
                f"{len(self._y_scaling.scale)}."
            )
        if reset:
            self._flat = flat
        return y

    def _target_scaling(self, encoded, weight):
        return self._scaling_of(encoded, weight)

    def _targets(self, encoded):
        return np.ascontiguousarray(self._y_scaling.apply(encoded))

    def _validation_score(self, out, rows):
        if self.head is None:
            from sklearn.metrics import r2_score  # slow to import, and seldom wanted

            return float(r2_score(rows.y, out, sample_weight=rows.weight))
        losses, _ = self.network_.head.loss(out, rows.y)
        return float(-np.average(losses, weights=rows.weight))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
