"""The hierarchical mixture-of-experts regressor."""

from skmoe.estimators._hierarchy import HierarchyMixin
from skmoe.estimators._mixture import BaseMixture
from skmoe.estimators._numbers import NumbersMixin
from skmoe.estimators._online import OnlineMixin
from skmoe.estimators._watch import with_callbacks


class HierarchicalMixtureOfExpertsRegressor(HierarchyMixin, OnlineMixin, NumbersMixin, BaseMixture):
    """Hierarchical mixture of experts: a tree of gates decides which expert answers where.

    Parameters
    ----------
    depth : int, default=2
        Gates on the way from the root to every leaf.
    branching : int or list, default=2
        Branches of every node; or, without regard to ``depth``, a list of ints, branches on each
        level from the root on, or a list with lists within for a ragged tree, whose entries are
        nodes again or numbers of leaves: ``[[1, 3], 2]`` (see `TreeGate`).
    growth : {"greedy", None}, default=None
        ``"greedy"`` begins with one expert and splits the leaves that explain their rows worst in
        two, as long as rows that are set aside grow likelier; ``depth`` and ``branching`` are then
        not read.
    max_leaves : int, default=64
        Leaves at which a tree stops growing.
    validation_fraction : float, default=0.2
        Share of the rows that is set aside to tell how far to grow. Of few rows several such sets
        take turns. In the end a tree as large as that is grown on all rows, and compared with what
        a search for as many leaves finds.
    experts : str, Experts or scikit-learn regressor, default="linear"
        The expert bank: "linear", "constant", "poisson", "gamma", "negative_binomial",
        "student_t", "laplace", or any of `skmoe.experts`.
    gate : {"tree", "bayesian_tree"}, TreeGate or BayesianTreeGate, default="tree"
        Penalties or priors of the nodes' gates; one whose ``branching`` is a list brings its tree
        along, and overrules ``depth`` and ``branching``.
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
    start : {"partition"}, default="partition"
        How first guesses are made: rows are divided among the root's branches, those of each
        branch among its own, and so on; small trees are also looked for from random directions,
        and experts that were found as equals are put into the places that suit them.
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
    coef_ : ndarray of shape (n_leaves, n_features) or (n_leaves, n_targets, n_features)
        Experts' coefficients, in units of y per unit of x.
    intercept_ : ndarray of shape (n_leaves,) or (n_leaves, n_targets)
    covariances_ : ndarray
        Noise of the experts in squared units of y: variances (n_leaves,) for a flat y, else as
        the experts' ``covariance_type`` says.
    tree_ : Tree
        The shape of the tree: ``n_leaves``, ``n_nodes``, ``max_depth``; ``branches[m]``, the slice
        of node m's branches; ``child``, where branches lead; ``under``, the leaves beneath each.
    gate_coef_ : ndarray of shape (n_branches, n_features)
        Coefficients of the nodes' gates, node by node as ``tree_.branches`` says; columns sum to
        zero over the branches of a node.
    gate_intercept_ : ndarray of shape (n_branches,)
    leaf_weights_ : ndarray of shape (n_leaves,)
        Share of the training rows that goes to each leaf; they sum to 1.
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
    p(y | x) = sum_i w_i(x) sum_j w_{j|i}(x) p_ij(y | x) for two levels, and so on: the weight of a
    leaf is the product of the gates' along its path. Rows are standardized inside, so that nothing
    depends on the units of X or y, penalties included.

    References
    ----------
    Jordan and Jacobs (1994), Hierarchical mixtures of experts and the EM algorithm.
    Waterhouse and Robinson (1995), Constructive algorithms for hierarchical mixtures of experts.
    Fritsch, Finke and Waibel (1997), Adaptively growing hierarchical mixtures of experts.

    Examples
    --------
    >>> from skmoe import HierarchicalMixtureOfExpertsRegressor
    >>> from skmoe.datasets import load_motorcycle
    >>> X, y = load_motorcycle(return_X_y=True)
    >>> est = HierarchicalMixtureOfExpertsRegressor(depth=2, random_state=0).fit(X, y)
    >>> est.tree_
    Tree([2, 2])
    >>> est.decision_path(X).shape
    (133, 6)
    """

    def __init__(
        self,
        depth=2,
        branching=2,
        *,
        growth=None,
        max_leaves=64,
        validation_fraction=0.2,
        experts="linear",
        gate="tree",
        criterion="likelihood",
        fitter="em",
        expert_features=None,
        gate_features=None,
        n_init=16,
        start="partition",
        max_iter=1000,
        tol=1e-9,
        warm_start=False,
        random_state=None,
        n_jobs=None,
        batch_size=None,
        verbose=0,
    ):
        self.depth = depth
        self.branching = branching
        self.growth = growth
        self.max_leaves = max_leaves
        self.validation_fraction = validation_fraction
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
        >>> from skmoe import HierarchicalMixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = HierarchicalMixtureOfExpertsRegressor(depth=1, random_state=0)
        >>> est.fit(X, y).coef_.shape
        (2, 1)
        """
        return self._learn(X, y, sample_weight, offset, groups)
