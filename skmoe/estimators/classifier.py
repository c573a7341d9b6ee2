"""The mixture-of-experts classifier."""

from skmoe.estimators._classes import ClassesMixin
from skmoe.estimators._mixture import BaseMixture
from skmoe.estimators._online import OnlineClassesMixin
from skmoe.estimators._watch import with_callbacks


class MixtureOfExpertsClassifier(OnlineClassesMixin, ClassesMixin, BaseMixture):
    """Mixture of experts for classes: a gate decides which expert's probabilities count where.

    Parameters
    ----------
    n_experts : int, default=3
        Number of experts K.
    experts : {"logistic", "constant"} or Experts, default="logistic"
        The expert bank; ``"constant"`` experts know class shares only. A scikit-learn classifier
        is wrapped in `EstimatorExperts`.
    gate : short name, Gate or scikit-learn classifier, default="softmax"
        Who decides whom to ask.
    criterion : {"likelihood", "classification", "stochastic"} or Criterion, default="likelihood"
        What is climbed; ``"classification"`` is the hard mixture of experts, ``"stochastic"``
        draws an expert for every row.
    fitter : {"em", "gradient_ascent", "online_em", "hard_em"} or Fitter, default="em"
        How it is climbed; ``"online_em"`` adds ``partial_fit``.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, multiplied with ``sample_weight``.
    expert_features, gate_features : list of int or str, transformer, or None, default=None
        Columns that experts or gate see; a transformer makes them from X. None: all columns.
    n_init : int, default=16
        Directions from which short runs start; the best is followed to the end.
    start : {"directions"}, default="directions"
        How first guesses are made.
    max_iter : int, default=1000
        Passes over the rows allowed for the long run.
    tol : float, default=1e-11
        The fit has converged when the bound is expected to rise by less than this per unit of
        sample weight.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the last solution.
    random_state : int, RandomState or None, default=None
        Seed of the directions.
    n_jobs : int or None, default=None
        Short runs side by side (joblib). The result does not depend on it.
    batch_size : int or None, default=None
        Rows handed to the parts at a time; None fits the cache.
    verbose : int, default=0
        Print a line a pass.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (n_experts, n_features) or (n_experts, n_classes, n_features)
        Logistic experts' coefficients a unit of x: of the log-odds of ``classes_[1]`` for two
        classes; for more, columns sum to zero over the classes.
    intercept_ : ndarray of shape (n_experts,) or (n_experts, n_classes)
    gate_coef_, gate_intercept_ : ndarray of shape (n_experts, n_features), (n_experts,)
        Gate coefficients; columns sum to zero over the experts.
    experts_, gate_ : Experts, Gate
        The parts as they were used.
    theta_ : Parameters
        What was learned, for standardized rows.
    n_parameters_, n_iter_, n_passes_, n_search_passes_ : int
    converged_ : bool
    stop_reason_ : str
        Why the fit ended, and what was held back: classes that are separated, say.
    lower_bound_, lower_bounds_ : float, ndarray of shape (n_passes_,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Notes
    -----
    p(c | x) = sum_k g_k(x) p_k(c | x).

    References
    ----------
    Jacobs, Jordan, Nowlan and Hinton (1991), Adaptive mixtures of local experts.
    Jordan and Jacobs (1994), Hierarchical mixtures of experts and the EM algorithm.

    Examples
    --------
    >>> from skmoe import MixtureOfExpertsClassifier
    >>> from skmoe.datasets import load_vowels
    >>> X, y = load_vowels(return_X_y=True)
    >>> est = MixtureOfExpertsClassifier(n_experts=2, random_state=0).fit(X, y)
    >>> est.predict_proba(X).shape
    (1520, 10)
    """

    def __init__(
        self,
        n_experts=3,
        *,
        experts="logistic",
        gate="softmax",
        criterion="likelihood",
        fitter="em",
        class_weight=None,
        expert_features=None,
        gate_features=None,
        n_init=16,
        start="directions",
        max_iter=1000,
        tol=1e-11,
        warm_start=False,
        random_state=None,
        n_jobs=None,
        batch_size=None,
        verbose=0,
    ):
        self.n_experts = n_experts
        self.experts = experts
        self.gate = gate
        self.criterion = criterion
        self.fitter = fitter
        self.class_weight = class_weight
        self.expert_features = expert_features
        self.gate_features = gate_features
        self.n_init = n_init
        self.start = start
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.batch_size = batch_size
        self.verbose = verbose

    @with_callbacks
    def fit(self, X, y=None, sample_weight=None, groups=None):
        """Fit the mixture.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; columns that are no numbers are welcome where only transformers see them.
        y : array-like of shape (n_samples,)
            Classes.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative; an integer weight equals repetition of the row.
        groups : array-like of shape (n_samples,), optional
            Rows of one group, repeated measures of a subject say, share one responsibility. The
            gate's features should not vary within groups; it sees their mean log-weights.

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
        >>> from skmoe import MixtureOfExpertsClassifier
        >>> from skmoe.datasets import load_vowels
        >>> X, y = load_vowels(return_X_y=True)
        >>> X, y = X[::37], y[::37] == "i"
        >>> est = MixtureOfExpertsClassifier(1, random_state=0)
        >>> est.fit(X, y).coef_.shape
        (1, 4)
        """
        return self._learn(X, y, sample_weight, groups=groups)
