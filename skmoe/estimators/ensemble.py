"""Ensembles of varied mixtures, whose answer is the mixture of their answers."""

import warnings

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import _safe_indexing, check_consistent_length, check_random_state, get_tags
from sklearn.utils.validation import _num_features, _num_samples, check_is_fitted, has_fit_parameter

from skmoe._math.checks import check_choice, check_count, check_flag
from skmoe.distribution.pool import pooled
from skmoe.estimators import _validation
from skmoe.estimators._columns import automatic, most_columns
from skmoe.estimators._rows import canonical_training_set, joined, parted
from skmoe.estimators._stacking import Stack
from skmoe.estimators.bayesian import BayesianMixtureOfExpertsRegressor
from skmoe.features import (
    FourierFeatures,
    QuadraticFeatures,
    SplineFeatures,
    SplineQuadraticFeatures,
)

# Share of the rows on which members are weighed, and from how many rows on that tells more than it
# costs.
HELD_OUT, LEAST_ROWS = 0.2, 100
# A member that counts for less than this is left out of answers.
LEAST_SHARE = 1e-3
# Bases and numbers of experts that the members of an ensemble take in turn.
VARIETIES = (
    (SplineQuadraticFeatures(6), 8),
    (SplineFeatures(10), 8),
    (FourierFeatures(60, 1.0), 3),
    (QuadraticFeatures(), 12),
    (SplineQuadraticFeatures(4), 4),
    (QuadraticFeatures(), 4),
    (SplineFeatures(5), 5),
    (None, 12),
)


class MixtureOfExpertsEnsemble(MetaEstimatorMixin, RegressorMixin, BaseEstimator):
    """Several varied mixtures of experts; the predictive distribution is the pooled mixture.

    Parameters
    ----------
    estimator : estimator with ``predict_distribution``, or None, default=None
        What is cloned; clones differ in their ``random_state``, and in their rows with
        ``bootstrap=True``. None: Bayesian mixtures that differ in what their experts see (splines,
        products, waves, the columns themselves) and in their number of experts.
    n_estimators : int, default=8
        Members.
    bootstrap : bool, default=False
        Whether members learn from rows drawn with replacement. Bayesian members gain little by it.
    weights : {"auto", "stacked", "uniform"}, default="auto"
        What members count for. Stacked: as much as makes the pooled log-density greatest on a
        fifth of the rows that they have not seen; then they learn from all rows. "auto" stacks
        members that differ in more than their seeds, from `LEAST_ROWS` rows on.
    n_jobs : int or None, default=None
        Members fitted side by side (joblib). The result does not depend on it.
    random_state : int, RandomState or None, default=None
        Seed of the members and of the draws.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted members.
    weights_ : ndarray of shape (n_estimators,)
        What they count for; adds up to 1.
    spread_ : float
        Factor of the widths of the members' components; 1 where it is not learned.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Notes
    -----
    p(y | x) = sum_m v_m p_m(y | x): by Jensen's inequality the log-density of the mean is at least
    the mean of the members' log-densities, and the more so the more they differ. Where a member
    is sure and wrong, the others keep the density from vanishing. A pool of members that differ
    is wider than they are; where the default's members are stacked, their components are made
    ``spread_`` times as wide, so that rows held out are likely and intervals hold as many of them
    as they should: with the pool's distribution function F, 2 min(F, 1 - F) is uniform over rows
    of a calibrated pool, and minus its logarithm 1 on average.

    References
    ----------
    Waterhouse, MacKay and Robinson (1996), Bayesian methods for mixtures of experts.
    Lakshminarayanan, Pritzel and Blundell (2017), Simple and scalable predictive uncertainty
    estimation using deep ensembles. Yao, Vehtari, Simpson and Gelman (2018), Using stacking to
    average Bayesian predictive distributions. Gneiting and Ranjan (2013), Combining predictive
    distributions.

    Examples
    --------
    >>> from skmoe import MixtureOfExpertsEnsemble
    >>> from skmoe.datasets import load_motorcycle
    >>> X, y = load_motorcycle(return_X_y=True)
    >>> est = MixtureOfExpertsEnsemble(n_estimators=2, random_state=0).fit(X, y)
    >>> low, high = est.predict_distribution(X).interval(0.9)
    >>> bool(0.8 < ((low < y) & (y < high)).mean() <= 1.0)
    True
    """

    def __init__(
        self,
        estimator=None,
        n_estimators=8,
        *,
        bootstrap=False,
        weights="auto",
        n_jobs=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.bootstrap = bootstrap
        self.weights = weights
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        """Fit the members.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, as the members take them.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative, for members that take weights.

        Returns
        -------
        self
            The fitted ensemble.

        Raises
        ------
        ValueError
            For rows or arguments that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsEnsemble, MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsEnsemble(MixtureOfExpertsRegressor(1), 3, random_state=0)
        >>> len(est.fit(X, y).estimators_)
        3
        """
        check_count("n_estimators", self.n_estimators)
        check_flag("bootstrap", self.bootstrap)
        check_choice("weights", self.weights, ("auto", "stacked", "uniform"))
        if self.estimator is not None and is_classifier(self.estimator):
            raise ValueError(
                f"estimator={self.estimator!r} is a classifier; allowed are regressors. Average "
                "classifiers with scikit-learn's BaggingClassifier or VotingClassifier."
            )
        with _validation.naming("random_state"):
            rng = check_random_state(self.random_state)
        self._check_rows(X, y)
        members = self._members(X, rng)
        came = X
        if has_fit_parameter(members[0], "sample_weight"):
            X, y, sample_weight = canonical_training_set(X, y, sample_weight)
        weights = [self._drawn(sample_weight, X, rng) for _ in members]
        seen, held_out = self._split(X, None if X is came else sample_weight, rng)
        found = Parallel(n_jobs=self.n_jobs)(
            delayed(_learned)(member, X, y, weight, seen, held_out)
            for member, weight in zip(members, weights, strict=True)
        )
        self.estimators_ = [member for member, _ in found]
        self.weights_, self.spread_ = np.full(len(found), 1.0 / len(found)), 1.0
        if held_out is not None:
            rows, _ = held_out
            answers = [answer for _, answer in found]
            stack = Stack(answers, _safe_indexing(y, rows), _weight_of(sample_weight, held_out))
            self.weights_ = stack.shares
            self.spread_ = stack.best_spread() if self.estimator is None else 1.0
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimators_[0], name):
                setattr(self, name, getattr(self.estimators_[0], name))
        return self

    def predict(self, X, return_std=False):
        """Return the mean of the pooled distribution.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        return_std : bool, default=False
            Whether to return the predictive standard deviation, too.

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
        >>> from skmoe import MixtureOfExpertsEnsemble, MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsEnsemble(MixtureOfExpertsRegressor(1), 3, random_state=0)
        >>> est.fit(X, y).predict(X).shape
        (10,)
        """
        check_is_fitted(self)
        if return_std:
            answer = self.predict_distribution(X)
            return answer.mean(), answer.std()
        return sum(share * member.predict(X) for share, member in self._counting())

    def predict_distribution(self, X):
        """Return the pooled predictive mixture of every row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        MixtureDistribution
            With the components of all members.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsEnsemble, MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsEnsemble(MixtureOfExpertsRegressor(1), 3, random_state=0)
        >>> est.fit(X, y).predict_distribution(X).shape
        (10, 3, 1)
        """
        check_is_fitted(self)
        shares, members = zip(*self._counting(), strict=True)
        answers = [member.predict_distribution(X) for member in members]
        return pooled(answers, shares, self.spread_)

    def score_samples(self, X, y=None):
        """Return the log-density of every answer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), optional
            Their answers. None: the density at the prediction itself.

        Returns
        -------
        ndarray of shape (n_samples,)
            Nats.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsEnsemble, MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsEnsemble(MixtureOfExpertsRegressor(1), 3, random_state=0)
        >>> est.fit(X, y).score_samples(X, y).shape
        (10,)
        """
        answer = self.predict_distribution(X)
        return answer.logpdf(answer.mean() if y is None else np.asarray(y, dtype=np.float64))

    def sample(self, X, n_samples=1, random_state=None):
        """Draw answers for the rows of X.

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
        ndarray of shape (n_rows,), with more axes for several draws or targets
            In units of y.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsEnsemble, MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsEnsemble(MixtureOfExpertsRegressor(1), 3, random_state=0)
        >>> est.fit(X, y).sample(X, n_samples=5, random_state=0).shape
        (10, 5)
        """
        return self.predict_distribution(X).rvs(size=n_samples, random_state=random_state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(
            BayesianMixtureOfExpertsRegressor() if self.estimator is None else self.estimator
        )
        tags.input_tags = inner.input_tags
        tags.target_tags = inner.target_tags
        return tags

    def _check_rows(self, X, y):
        """Raise for rows that cannot be dealt out; the rest is for the members to refuse."""
        if y is None:
            raise ValueError(
                "MixtureOfExpertsEnsemble requires y to be passed, but the target y is None."
            )
        check_consistent_length(X, y)
        try:
            _num_features(X)
        except TypeError as error:
            if self.estimator is None:
                raise ValueError(
                    f"X has shape {np.shape(X)}; expected are rows of features, (n_samples, "
                    "n_features). Reshape your data: X.reshape(-1, 1) for a single feature."
                ) from error

    def _counting(self):
        """Return pairs of shares and members, of those that count for anything."""
        shares = np.where(self.weights_ >= LEAST_SHARE, self.weights_, 0.0)
        shares = (shares / shares.sum()).tolist()
        pairs = zip(shares, self.estimators_, strict=True)
        return [(share, member) for share, member in pairs if share > 0]

    def _split(self, X, sample_weight, rng):
        """Return which rows members see first and how much of each, and the same of those held out.

        Both are pairs of arrays, or None where nothing is held out. Weights are of distinct rows in
        sorted order; None: rows stay whole.
        """
        n_rows = _num_samples(X)
        stacks = self.weights == "stacked"
        if self.weights == "auto":
            stacks = self.estimator is None and n_rows >= LEAST_ROWS and self.n_estimators > 1
        if not stacks:
            return None, None
        number, share = np.arange(n_rows), np.ones(n_rows)
        if sample_weight is not None:
            number, share = parted(X, sample_weight)
        order = rng.permutation(len(number))
        n_out = max(1, round(HELD_OUT * len(number)))
        return tuple(joined(number[each], share[each]) for each in (order[n_out:], order[:n_out]))

    def _members(self, X, rng):
        """Return the unfitted members, each with a seed of its own."""
        if self.estimator is None:
            members = [
                _varied(number, _num_features(X), _num_samples(X))
                for number in range(self.n_estimators)
            ]
        else:
            members = [clone(self.estimator) for _ in range(self.n_estimators)]
        for member in members:
            seed = rng.randint(np.iinfo(np.int32).max)
            if "random_state" in member.get_params():
                member.set_params(random_state=seed)
        return members

    def _drawn(self, sample_weight, X, rng):
        """Return the weights (n,) under which a member learns, or None."""
        if not self.bootstrap:
            return sample_weight
        n = _num_samples(X)
        weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        if not weight.sum() > 0:
            raise ValueError("sample_weight is zero for all rows; some of them must count.")
        share = weight / weight.sum()
        return rng.multinomial(round(max(weight.sum(), n)), share).astype(np.float64)


def _learned(member, X, y, weight, seen, held_out):
    """Return the member fitted to all rows, and what it said of rows it had not seen before."""
    if held_out is None:
        return _fitted(member, X, y, weight), None
    rows, _ = seen
    _fitted(member, _safe_indexing(X, rows), _safe_indexing(y, rows), _weight_of(weight, seen))
    answer = member.predict_distribution(_safe_indexing(X, held_out[0]))
    if "warm_start" in member.get_params():
        # What has been learned is where to go on with all rows.
        member.set_params(warm_start=True)
        _fitted(member, X, y, weight).set_params(warm_start=False)
    else:
        member = _fitted(clone(member), X, y, weight)
    return member, answer


def _weight_of(weight, part):
    """Return the weights of some rows of which a share is there, or None."""
    rows, share = part
    return None if weight is None else np.asarray(weight)[rows] * share


def _fitted(member, X, y, weight):
    if weight is not None and not has_fit_parameter(member, "sample_weight"):
        raise ValueError(
            f"{type(member).__name__} takes no sample_weight; weights and bootstrap=True need it."
        )
    with warnings.catch_warnings():
        # One member that would go on for a little longer is nothing to speak of.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return member.fit(X, y) if weight is None else member.fit(X, y, sample_weight=weight)


def _varied(number, n_features, n_rows):
    """Return the member of a number, unfitted, for so many features and rows."""
    basis, n_experts = VARIETIES[number % len(VARIETIES)]
    most = most_columns(n_rows)
    if hasattr(basis, "n_waves"):
        n_waves = min(basis.n_waves, int(most - n_features) // 2)
        basis = clone(basis).set_params(n_waves=n_waves) if n_waves > 0 else None
    if basis is not None and basis.n_columns(n_features) > most:
        basis = automatic(n_features, n_rows)
    return BayesianMixtureOfExpertsRegressor(
        n_experts,
        expert_features=basis if basis is None else clone(basis),
        n_init=2,
        max_iter=200,
        tol=1e-6,
    )
