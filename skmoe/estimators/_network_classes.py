"""What networks that answer with classes share: probabilities, classes, and class weights."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d, validate_data

from skmoe.estimators._validation import naming
from skmoe.estimators._watch import with_callbacks

# Probabilities that are looked at in one go, where not all of them are asked for.
_AT_ONCE = 1 << 22


class NetworkClassesMixin(ClassifierMixin):
    """Answers of classifiers that have a ``class_weight``; goes before `BaseNetwork`."""

    @with_callbacks
    def fit(self, X, y, sample_weight=None):
        """Train on rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to learn from.
        y : array-like of shape (n_samples,)
            Their classes.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative; an integer weight equals repetition of the row.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            For rows or arguments that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfSoftmaxesClassifier
        >>> X, y = [[i] for i in range(20)], [0] * 10 + [1] * 10
        >>> est = MixtureOfSoftmaxesClassifier(2, width=2, learning_rate="cosine", random_state=0)
        >>> est.fit(X, y).predict([[0], [19]])
        array([0, 1])
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Go on training with one pass over these rows; the first rows set the standardization.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to learn from.
        y : array-like of shape (n_samples,)
            Their classes.
        classes : array-like of shape (n_classes,), optional
            All classes there are; the first call needs them unless its rows show all.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights of the rows.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            For rows or arguments that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfSoftmaxesClassifier
        >>> est = MixtureOfSoftmaxesClassifier(2, width=2, random_state=0)
        >>> est.partial_fit([[0.0], [1.0]], [0, 1], classes=[0, 1, 2]).classes_
        array([0, 1, 2])
        """
        return self._partial_fit(X, y, sample_weight, classes)

    def predict_proba(self, X):
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; rows sum to one.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfSoftmaxesClassifier
        >>> X, y = [[i] for i in range(20)], [0] * 10 + [1] * 10
        >>> est = MixtureOfSoftmaxesClassifier(2, width=2, learning_rate="cosine", random_state=0)
        >>> est.fit(X, y).predict_proba(X).shape
        (20, 2)
        """
        return np.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X):
        """Return the log-probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfSoftmaxesClassifier
        >>> X, y = [[i] for i in range(20)], [0] * 10 + [1] * 10
        >>> est = MixtureOfSoftmaxesClassifier(2, width=2, learning_rate="cosine", random_state=0)
        >>> est.fit(X, y).predict_log_proba(X).shape
        (20, 2)
        """
        out = self._outputs(X)
        return self.network_.head.log_probability(out)

    def predict(self, X):
        """Return the most probable classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples,)
            Classes.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfSoftmaxesClassifier
        >>> X, y = [[i] for i in range(20)], ["a"] * 10 + ["b"] * 10
        >>> est = MixtureOfSoftmaxesClassifier(2, width=2, learning_rate="cosine", random_state=0)
        >>> est.fit(X, y).predict([[0], [19]]).tolist()
        ['a', 'b']
        """
        best = self._for_stretches(X, lambda logs, rows: logs.argmax(axis=1))
        return self.classes_[best]

    def score_samples(self, X, y=None):
        """Return the log-probability of every answer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        y : array-like of shape (n_samples,), optional
            None: of the most probable class, a measure of how sure the mixture is.

        Returns
        -------
        ndarray of shape (n_samples,)
            In nats.

        Raises
        ------
        ValueError
            For rows or classes that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfSoftmaxesClassifier
        >>> X, y = [[i] for i in range(20)], [0] * 10 + [1] * 10
        >>> est = MixtureOfSoftmaxesClassifier(2, width=2, learning_rate="cosine", random_state=0)
        >>> est.fit(X, y).score_samples(X, y).shape
        (20,)
        """
        if y is None:
            return self._for_stretches(X, lambda logs, rows: logs.max(axis=1))
        with naming("y"):
            numbers = self._numbers(column_or_1d(y))
            check_consistent_length(X, numbers)
        return self._for_stretches(
            X, lambda logs, rows: np.take_along_axis(logs, numbers[rows, None], axis=1)[:, 0]
        )

    def _for_stretches(self, X, function):
        """Return what a function of log-probabilities (m, C) and row numbers makes of all rows."""
        Z = self._rows_to_answer(X)
        step = max(1, _AT_ONCE // len(self.classes_))
        parts = []
        for start in range(0, len(Z), step):
            rows = slice(start, start + step)
            logs = self.network_.head.log_probability(self._outputs_of(Z[rows]))
            parts.append(function(logs, rows))
        return np.concatenate(parts)

    # ---------------------------------------------------------------- learning

    def _validated(self, X, y, reset):
        X, y = validate_data(self, X, y, reset=reset, dtype=np.float64)
        check_classification_targets(y)
        return X, column_or_1d(y, warn=True)

    def _encode(self, y, reset, classes=None):
        if reset:
            self.classes_ = np.unique(y if classes is None else classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"classes={classes!r} are not those of the first call: {self.classes_!r}."
            )
        return self._numbers(y).astype(np.float64)[:, None]

    def _numbers(self, y):
        """Return the numbers of the classes y (n,)."""
        numbers = np.searchsorted(self.classes_, y)
        numbers = np.minimum(numbers, len(self.classes_) - 1)
        unknown = self.classes_[numbers] != y
        if unknown.any():
            raise ValueError(
                f"y has the class {y[unknown].tolist()[0]!r}; known are {self.classes_.tolist()}."
            )
        return numbers

    def _row_weights(self, encoded, weight):
        if self.class_weight is None:
            return weight
        labels = self.classes_[encoded[:, 0].astype(np.intp)]
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            # By weight and not by number: a weight equals repetition.
            total = np.bincount(encoded[:, 0].astype(np.intp), weight, len(self.classes_))
            factor = weight.sum() / (len(self.classes_) * np.maximum(total, 1e-300))
        else:
            factor = compute_class_weight(self.class_weight, classes=self.classes_, y=labels)
        return weight * factor[encoded[:, 0].astype(np.intp)]

    def _targets(self, encoded):
        return encoded[:, 0].astype(np.intp)

    def _strata(self, encoded):
        return encoded[:, 0]

    def _validation_score(self, out, rows):
        return float(np.average(out.argmax(axis=1) == rows.y, weights=rows.weight))
