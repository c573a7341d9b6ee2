"""The mixture-of-experts regressor."""

from skmoe.estimators._mixture import BaseMixture
from skmoe.estimators._numbers import NumbersMixin
from skmoe.estimators._online import OnlineMixin
from skmoe.estimators._watch import with_callbacks


class MixtureOfExpertsRegressor(OnlineMixin, NumbersMixin, BaseMixture):
    """Mixture of experts: a gate decides which expert answers where.

    Parameters
    ----------
    n_experts : int, default=3
        Number of experts K.
    experts : str, Experts or scikit-learn regressor, default="linear"
        The expert bank: "linear", "constant", "poisson", "gamma", "negative_binomial",
        "student_t", "laplace", or any of `skmoe.experts`.
    gate : {"softmax", "constant", "localized", "mlp"} or Gate or classifier, default="softmax"
        Who decides whom to ask.
    criterion : str or Criterion, default="likelihood"
        What is climbed: ``"likelihood"``; ``"classification"``, the hard mixture of experts;
        ``"stochastic"``, which draws an expert for every row; ``"squared_error"`` of the blend, in
        which experts cooperate; or ``"competitive"``, the experts' own errors weighted by the gate.
    fitter : {"em", "gradient_ascent", "online_em", "hard_em"} or Fitter, default="em"
        How it is climbed; ``"online_em"`` adds ``partial_fit``.
    expert_features, gate_features : list of int or str, transformer, or None, default=None
        Columns that experts or gate see; a transformer makes them from X. None: all columns.
    n_init : int, default=16
        Directions from which short runs start; the best is followed to the end.
    start : {"directions"}, default="directions"
        How first guesses are made.
    max_iter : int, default=1000
        Passes over the rows allowed for the long run.
    tol : float, default=1e-9
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
    coef_ : ndarray of shape (n_experts, n_features) or (n_experts, n_targets, n_features)
        Experts' coefficients, in units of y per unit of x.
    intercept_ : ndarray of shape (n_experts,) or (n_experts, n_targets)
    covariances_ : ndarray
        Noise of the experts in squared units of y: variances (n_experts,) for a flat y, else as
        the experts' ``covariance_type`` says.
    gate_coef_ : ndarray of shape (n_experts, n_features)
        Gate coefficients; columns sum to zero over the experts.
    gate_intercept_ : ndarray of shape (n_experts,)
    experts_, gate_ : Experts, Gate
        The parts as they were used.
    theta_ : Parameters
        What was learned, for standardized rows.
    n_parameters_ : int
        Free parameters, for AIC and BIC.
    n_iter_, n_passes_ : int
        Accepted moves, and sweeps of the rows, of the long run.
    n_search_passes_ : int
        Passes of all short runs of the search, over the rows that they looked at; 0 where
        ``warm_start`` made it needless.
    converged_ : bool
    stop_reason_ : str
    lower_bound_, lower_bounds_ : float, ndarray of shape (n_passes_,)
        The bound at the end and after each pass: log-likelihood of standardized rows plus
        penalties. It never falls.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Notes
    -----
    p(y | x) = sum_k g_k(x) p_k(y | x). Rows are standardized inside, so that nothing depends on
    the units of X or y, penalties included.

    With scikit-learn's ``array_api_dispatch``, arrays of other libraries (PyTorch tensors, say) are
    learned from and answered for on their device, by linear or constant experts under a softmax
    gate; learned attributes are numpy arrays. The start is looked for on a sample in numpy.

    References
    ----------
    Jacobs, Jordan, Nowlan and Hinton (1991), Adaptive mixtures of local experts.
    Jordan and Jacobs (1994), Hierarchical mixtures of experts and the EM algorithm.

    Examples
    --------
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> from skmoe.datasets import load_motorcycle
    >>> X, y = load_motorcycle(return_X_y=True)
    >>> est = MixtureOfExpertsRegressor(n_experts=4, random_state=0).fit(X, y)
    >>> est.predict_gate(X).shape
    (133, 4)
    """

    def __init__(
        self,
        n_experts=3,
        *,
        experts="linear",
        gate="softmax",
        criterion="likelihood",
        fitter="em",
        expert_features=None,
        gate_features=None,
        n_init=16,
        start="directions",
        max_iter=1000,
        tol=1e-9,
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
    def fit(self, X, y=None, sample_weight=None, offset=None, groups=None):
        """Fit the mixture.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; columns that are no numbers are welcome where only transformers see them.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative; an integer weight equals repetition of the row. Weights that average
            less than one are measured in their mean, lest they pass for fewer rows.
        offset : array-like of shape (n_samples,), optional
            Added to the experts' linear predictors with coefficient 1 (the logarithm of an
            exposure), for experts that take one.
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
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsRegressor(2, random_state=0)
        >>> est.fit(X, y).coef_.shape
        (2, 1)
        """
        return self._learn(X, y, sample_weight, offset, groups)
