"""What mixtures that answer with classes share: probabilities, draws, weights of classes."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight

from skmoe.estimators import _streams, _validation
from skmoe.estimators._coded import coded as with_codes
from skmoe.estimators._coded import one_hot
from skmoe.estimators._elsewhere import anywhere

__all__ = ["ClassesMixin"]


class ClassesMixin(ClassifierMixin):
    """Answers of classifiers; goes before `BaseMixture`."""

    # Classes there are, whether these rows show them or not; None: those of the rows.
    _announced = None

    @anywhere
    def predict(self, X):
        """Return the most probable class of every row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples,)
            Of ``classes_``.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsClassifier
        >>> from skmoe.datasets import load_vowels
        >>> X, y = load_vowels(return_X_y=True)
        >>> X, y = X[::37], y[::37] == "i"
        >>> est = MixtureOfExpertsClassifier(1, random_state=0).fit(X, y)
        >>> est.predict(X).shape
        (42,)
        """
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    @anywhere
    def predict_proba(self, X):
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; rows sum to 1.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsClassifier
        >>> from skmoe.datasets import load_vowels
        >>> X, y = load_vowels(return_X_y=True)
        >>> X, y = X[::37], y[::37] == "i"
        >>> est = MixtureOfExpertsClassifier(1, random_state=0).fit(X, y)
        >>> est.predict_proba(X).shape
        (42, 2)
        """
        seen, seen_by_gate = self._seen(self._table(X))
        means = self.experts_.mean(self.theta_.experts, seen)
        weights = self.gate_.weights(self.theta_.gate, seen_by_gate)
        weights = self._mixture.criterion.predictive_weights(weights)
        proba = np.ascontiguousarray(np.einsum("nk,nkc->nc", weights, means))
        proba /= proba.sum(axis=1, keepdims=True)
        return proba

    @anywhere
    def predict_log_proba(self, X):
        """Return the logarithms of the probabilities of the classes.

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
        >>> from skmoe import MixtureOfExpertsClassifier
        >>> from skmoe.datasets import load_vowels
        >>> X, y = load_vowels(return_X_y=True)
        >>> X, y = X[::37], y[::37] == "i"
        >>> est = MixtureOfExpertsClassifier(1, random_state=0).fit(X, y)
        >>> bool((est.predict_log_proba(X) <= 0).all())
        True
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @anywhere
    def decision_function(self, X):
        """Return log-odds of two classes, log-probabilities of more.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Log-odds of ``classes_[1]``, or one column a class.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsClassifier
        >>> from skmoe.datasets import load_vowels
        >>> X, y = load_vowels(return_X_y=True)
        >>> X, y = X[::37], y[::37] == "i"
        >>> est = MixtureOfExpertsClassifier(1, random_state=0).fit(X, y)
        >>> bool(((est.decision_function(X) > 0) == est.predict(X)).all())
        True
        """
        proba = self.predict_proba(X)
        proba = np.maximum(proba, np.finfo(proba.dtype).tiny)
        logs = np.log(proba)
        return logs[:, 1] - logs[:, 0] if proba.shape[1] == 2 else logs

    def sample(self, X, n_samples=1, random_state=None):
        """Draw classes for the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows to draw for.
        n_samples : int, default=1
            Draws a row.
        random_state : int, RandomState or None, default=None
            Seed of the draws.

        Returns
        -------
        ndarray of shape (n_rows,), or (n_rows, n_samples) for more than one draw
            Of ``classes_``.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsClassifier
        >>> from skmoe.datasets import load_vowels
        >>> X, y = load_vowels(return_X_y=True)
        >>> X, y = X[::37], y[::37] == "i"
        >>> est = MixtureOfExpertsClassifier(1, random_state=0).fit(X, y)
        >>> est.sample(X, n_samples=5, random_state=0).shape
        (42, 5)
        """
        drawn = super().sample(X, n_samples, random_state)
        return self.classes_[drawn.argmax(axis=-1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = self._blind
        return tags

    # ---------------------------------------------------------- what differs from numbers

    def _coded(self, source):
        source, self.classes_ = with_codes(source, self.class_weight, _streams.MEASURED_ROWS)
        return source

    def _check_targets(self, y, table, coded=False):
        if coded:
            return y, False
        self.classes_, codes = _validation.check_classes(y, table, self._announced)
        return one_hot(codes, self.classes_, np.float64), False

    def _as_users_know(self, y):
        return self.classes_[y.argmax(axis=1)]

    def _check_weights(self, sample_weight, y, like, coded=False):
        weight = super()._check_weights(sample_weight, y, like)
        if self.class_weight is not None and not coded:
            chosen = self.classes_[y.argmax(axis=1)]
            weight = weight * compute_sample_weight(self.class_weight, chosen)
        return weight

    def _check_answers(self, y, table):
        codes = _validation.check_class_answers(self, y, table)
        return one_hot(codes, self.classes_, np.float64)

    def _likeliest(self, X, offset):
        return self.predict(X)
