"""The meta-pi network that answers with numbers."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d, get_tags

from skmoe.batches import Standardizer
from skmoe.estimators import _validation
from skmoe.estimators._meta_pi import BaseMetaPi, all_members
from skmoe.estimators._watch import with_callbacks


class MetaPiRegressor(RegressorMixin, BaseMetaPi):
    """Experts of any kind, blended by a gate that is trained on the squared error of the blend.

    Parameters
    ----------
    experts : list of (str, estimator)
        Any scikit-learn regressors, each with a name of its own; ``"drop"`` leaves one out.
        Clones are fitted unless ``prefit``.
    gate : str or Gate, default="softmax"
        ``"softmax"``, ``"mlp"``, ``"tree"``, ``"constant"`` or another gate that has a gradient,
        or an instance of one of `skmoe.gates`.
    joint : bool, default=False
        Whether experts learn on together with the gate, on the error of the blend. All of them
        have to be differentiable: linear models, multilayer perceptrons, time-delay networks, and
        pipelines that end in one of them.
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
        Mean squared error on the training rows of each expert alone, in units of the variance of
        y, averaged over targets.
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
    f(x) = sum_i w_i(x) f_i(x), trained by descent on the squared error of the blend, so that
    experts cooperate: dE/df_i = -2 w_i (y - f) and dE/dlogit_i = -2 w_i (f_i - f)'(y - f). Each
    target counts in units of its standard deviation. Descents start where all experts are heard
    alike and where the best one is heard most; what does worse than the best expert alone gives way
    to it.

    References
    ----------
    Hampshire and Waibel (1992), The meta-pi network: building distributed knowledge
    representations for robust multisource pattern recognition.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from skmoe import MetaPiRegressor
    >>> X = np.linspace(-1, 1, 100)[:, None]
    >>> y = np.where(X[:, 0] < 0, np.sin(9 * X[:, 0]), X[:, 0])
    >>> experts = [("line", Ridge()), ("tree", DecisionTreeRegressor(max_depth=3))]
    >>> est = MetaPiRegressor(experts, random_state=0).fit(X, y)
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
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers.
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
        >>> from sklearn.linear_model import Ridge
        >>> from skmoe import MetaPiRegressor
        >>> X, y = [[i] for i in range(6)], [0.0, 1.0, 2.0, 9.0, 8.0, 7.0]
        >>> experts = [("rising", Ridge()), ("falling", Ridge())]
        >>> groups = ["rising"] * 3 + ["falling"] * 3
        >>> MetaPiRegressor(experts).fit(X, y, groups=groups).apply(X)
        array([0, 0, 0, 1, 1, 1])
        """
        return self._learn(X, y, sample_weight, groups)

    def predict(self, X):
        """Return the blended answers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            In units of y.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from sklearn.linear_model import Ridge
        >>> from skmoe import MetaPiRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> MetaPiRegressor([("line", Ridge())]).fit(X, y).predict(X).shape
        (10,)
        """
        answer = self._blend(X)
        return answer[:, 0] if self._flat else answer

    def predict_experts(self, X):
        """Return the answers of every expert.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples, n_experts) or (n_samples, n_experts, n_targets)
            In units of y.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from sklearn.linear_model import Ridge
        >>> from skmoe import MetaPiRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> MetaPiRegressor([("line", Ridge())]).fit(X, y).predict_experts(X).shape
        (10, 1)
        """
        _, answers, dtype = self._heard(X)
        answers = answers.astype(dtype, copy=False)
        return answers[:, :, 0] if self._flat else answers

    _asked_of_members = ("predict",)

    def _check_targets(self, y, table):
        if getattr(y, "shape", ())[1:] == (1,) and not get_tags(self).target_tags.multi_output:
            y = column_or_1d(y, warn=True)
        numbers, self._flat = _validation.check_targets(self, y, table)
        return (numbers[:, 0] if numbers.shape[1] == 1 else numbers), numbers

    def _learn_targets(self, numbers, weight):
        return Standardizer.of(numbers.astype(np.float64), weight)

    def _answer_of(self, name, member, raw):
        answer = np.asarray(member.predict(raw))
        answer = answer.reshape(len(answer), -1)
        q = len(self._y_scaling.mean) if hasattr(self, "_y_scaling") else answer.shape[1]
        if answer.shape[1] != q:
            raise ValueError(
                f"experts: {name!r} answers with {answer.shape[1]} numbers; y has {q}."
            )
        return answer

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = all_members(
            self.experts, lambda of: of.target_tags.multi_output
        )
        tags.regressor_tags.poor_score = not all_members(
            self.experts, lambda of: not of.regressor_tags or not of.regressor_tags.poor_score
        )
        return tags
