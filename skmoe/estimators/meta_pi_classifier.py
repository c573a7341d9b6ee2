"""The meta-pi network that answers with classes."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d

from skmoe.estimators import _validation
from skmoe.estimators._meta_pi import BaseMetaPi
from skmoe.estimators._network import no_scaling
from skmoe.estimators._watch import with_callbacks


class MetaPiClassifier(ClassifierMixin, BaseMetaPi):
    """Experts of any kind, blended by a gate that is trained on the squared error of the blend.

    Parameters
    ----------
    experts : list of (str, estimator)
        Any scikit-learn classifiers with ``predict_proba``, each with a name of its own; ``"drop"``
        leaves one out. Clones are fitted unless ``prefit``. An expert need not know all classes.
    gate : str or Gate, default="softmax"
        ``"softmax"``, ``"mlp"``, ``"tree"``, ``"constant"`` or another gate that has a gradient,
        or an instance of one of `skmoe.gates`.
    joint : bool, default=False
        Whether experts learn on together with the gate, on the error of the blend. All of them
        have to be differentiable: logistic regressions, multilayer perceptrons, time-delay
        networks, and pipelines that end in one of them.
    prefit : bool, default=False
        Whether the experts are fitted already, and stay as they are. scikit-learn's ``clone``
        forgets what they have learned; ``FrozenEstimator`` with ``prefit=False`` survives it.
    gate_features : list of int or str, transformer, or None, default=None
        Columns that the gate sees; experts see all of them.
    solver : {"lbfgs", "adam", "sgd"}, default="lbfgs"
        L-BFGS on all rows, or stochastic descent in mini-batches.
    alpha : float, default=1e-4
        With ``joint=True``, the L2 penalty of the experts' weights, divided by the rows. The gate
        has a penalty of its own (``gate__alpha``).
    max_iter : int, default=1000
        Steps of L-BFGS, or epochs.
    tol : float, default=1e-9
        L-BFGS stops when a step lowers the error by less than this share of it; mini-batches when
        ``n_iter_no_change`` epochs do not lower it by more than this.
    n_init : int, default=4
        Random starts with ``joint=True``, where experts that start alike have to part.
    learning_rate : {"constant", "adaptive", "invscaling", "cosine", "linear"}, default="cosine"
        How the step of mini-batches changes over ``max_iter``.
    learning_rate_init : float, default=0.01
        First step of mini-batches.
    batch_size : int or "auto", default="auto"
        Rows of a mini-batch; "auto": n_samples / 32, at least 32 and at most 1024.
    n_iter_no_change : int, default=10
        Epochs without progress after which mini-batches stop.
    shuffle : bool, default=True
        Whether rows come in a new order in every epoch.
    random_state : int, RandomState or None, default=None
        Seed of mini-batches and of random starts.
    n_jobs : int or None, default=None
        Experts that are fitted at the same time.
    verbose : int, default=0
        Whether to print a line after every step.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    experts_ : list of estimators
        The fitted experts, in the order of their weights.
    named_experts_ : Bunch
        The same, by name.
    expert_groups_ : list or None
        Label of the group that each expert learned.
    gate_ : Gate
        The gate; what it learned is in ``theta_``.
    gate_coef_, gate_intercept_ : ndarray of shape (n_experts, n_features), (n_experts,)
        Of a softmax gate, in the units of X.
    expert_errors_ : ndarray of shape (n_experts,)
        Brier score on the training rows of each expert alone: mean squared difference between its
        probabilities and the class as zeros and a one, averaged over classes.
    error_ : float
        The same of the blend; never more than the least of ``expert_errors_`` where experts do not
        learn on.
    loss_curve_ : list of float
        Objective after every step or epoch: half of the error plus penalties.
    n_iter_, converged_, stop_reason_, n_parameters_, theta_ :
        As for `MixtureOfExpertsRegressor`.
    n_features_in_, feature_names_in_ :
        As everywhere.

    Notes
    -----
    p(c | x) = sum_i w_i(x) p_i(c | x), trained by descent on the squared difference to y as zeros
    and a one: dE/dp_i = -2 w_i (y - p) and dE/dlogit_i = -2 w_i (p_i - p)'(y - p). Descents start
    where all experts are heard alike and where the best one is heard most; what does worse than the
    best expert alone gives way to it. The paper blends networks of six speakers.

    References
    ----------
    Hampshire and Waibel (1992), The meta-pi network: building distributed knowledge
    representations for robust multisource pattern recognition.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skmoe import MetaPiClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> experts = [("bayes", GaussianNB()), ("tree", DecisionTreeClassifier(max_depth=2))]
    >>> est = MetaPiClassifier(experts, random_state=0).fit(X, y)
    >>> bool(est.error_ <= est.expert_errors_.min())
    True
    """

    def __init__(
        self,
        experts,
        *,
        gate="softmax",
        joint=False,
        prefit=False,
        gate_features=None,
        solver="lbfgs",
        alpha=1e-4,
        max_iter=1000,
        tol=1e-9,
        n_init=4,
        learning_rate="cosine",
        learning_rate_init=0.01,
        batch_size="auto",
        n_iter_no_change=10,
        shuffle=True,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.experts = experts
        self.gate = gate
        self.joint = joint
        self.prefit = prefit
        self.gate_features = gate_features
        self.solver = solver
        self.alpha = alpha
        self.max_iter = max_iter
        self.tol = tol
        self.n_init = n_init
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.n_iter_no_change = n_iter_no_change
        self.shuffle = shuffle
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @with_callbacks
    def fit(self, X, y, sample_weight=None, groups=None):
        """Fit the experts, and train the gate on the error of their blend.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to learn from.
        y : array-like of shape (n_samples,)
            Their classes.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights of the rows; experts are handed them, too.
        groups : array-like of shape (n_samples,), optional
            Labels by which every expert first learns the rows of a group of its own. Where every
            expert has the name of a group, that one, and rows of other groups train the gate alone;
            else experts take the groups in sorted order, and there have to be as many.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            For rows or arguments that cannot be used; the message names the argument.
        TypeError
            For experts that lack a method, or that cannot be handed weights.

        Examples
        --------
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from skmoe import MetaPiClassifier
        >>> X, y = [[i] for i in range(12)], ["a", "b"] * 3 + ["b", "b", "b", "a", "a", "a"]
        >>> experts = [("ann", GaussianNB()), ("bob", GaussianNB())]
        >>> groups = ["ann"] * 6 + ["bob"] * 6
        >>> MetaPiClassifier(experts).fit(X, y, groups=groups).predict([[7], [11]]).tolist()
        ['b', 'a']
        """
        return self._learn(X, y, sample_weight, groups)

    def predict_proba(self, X):
        """Return the blended probabilities of the classes.

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
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from skmoe import MetaPiClassifier
        >>> X, y = [[i] for i in range(6)], [0, 0, 0, 1, 1, 1]
        >>> MetaPiClassifier([("bayes", GaussianNB())]).fit(X, y).predict_proba(X).shape
        (6, 2)
        """
        return self._blend(X)

    def predict_log_proba(self, X):
        """Return the logarithms of the blended probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Minus infinity for what no expert thinks possible.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from skmoe import MetaPiClassifier
        >>> X, y = [[i] for i in range(6)], [0, 0, 0, 1, 1, 1]
        >>> MetaPiClassifier([("bayes", GaussianNB())]).fit(X, y).predict_log_proba(X).shape
        (6, 2)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

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
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from skmoe import MetaPiClassifier
        >>> X, y = [[i] for i in range(6)], ["a", "a", "a", "b", "b", "b"]
        >>> MetaPiClassifier([("bayes", GaussianNB())]).fit(X, y).predict([[0], [5]]).tolist()
        ['a', 'b']
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def predict_experts(self, X):
        """Return the probabilities that every expert gives the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples, n_experts, n_classes)
            Zero for classes that an expert does not know.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from skmoe import MetaPiClassifier
        >>> X, y = [[i] for i in range(6)], [0, 0, 0, 1, 1, 1]
        >>> MetaPiClassifier([("bayes", GaussianNB())]).fit(X, y).predict_experts(X).shape
        (6, 1, 2)
        """
        _, answers, dtype = self._heard(X)
        return answers.astype(dtype, copy=False)

    _asked_of_members = ("predict_proba",)

    def _check_targets(self, y, table):
        if y is None:
            raise ValueError("MetaPiClassifier requires y to be passed, but the target y is None.")
        _validation.check_classes(y, table)
        return column_or_1d(y), None

    def _meet(self, names, models, known):
        # Experts that were fitted elsewhere may know classes that these rows do not show.
        self.classes_ = np.unique(known)
        for name, model in zip(names, models, strict=True):
            if (model.classes_.dtype.kind in "OUS") != (self.classes_.dtype.kind in "OUS"):
                raise ValueError(
                    f"experts: {name!r} knows the classes {model.classes_.tolist()}; "
                    f"y has {self.classes_.tolist()}."
                )
            self.classes_ = np.union1d(self.classes_, model.classes_)

    def _as_numbers(self, known, numbers):
        return (known[:, None] == self.classes_).astype(np.float64)

    def _learn_targets(self, numbers, weight):
        return no_scaling(numbers.shape[1])

    def _answer_of(self, name, member, raw):
        probabilities = np.asarray(member.predict_proba(raw))
        placed = np.zeros((len(probabilities), len(self.classes_)))
        columns = np.searchsorted(self.classes_, member.classes_)
        # Some who know one class have a column for the other one.
        placed[:, columns] = probabilities if len(columns) > 1 else 1.0
        return placed
