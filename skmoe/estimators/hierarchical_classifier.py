"""The hierarchical mixture-of-experts classifier."""

from skmoe.estimators._classes import ClassesMixin
from skmoe.estimators._hierarchy import HierarchyMixin
from skmoe.estimators._mixture import BaseMixture
from skmoe.estimators._online import OnlineClassesMixin
from skmoe.estimators._watch import with_callbacks


class HierarchicalMixtureOfExpertsClassifier(
    HierarchyMixin, OnlineClassesMixin, ClassesMixin, BaseMixture
):
    """Hierarchical mixture of experts for classes: a tree of gates decides who is asked where.

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
    experts : {"logistic", "constant"} or Experts, default="logistic"
        The expert bank; ``"constant"`` experts know class shares only. A scikit-learn classifier
        is wrapped in `EstimatorExperts`.
    gate : {"tree", "bayesian_tree"}, TreeGate or BayesianTreeGate, default="tree"
        Penalties or priors of the nodes' gates; one whose ``branching`` is a list brings its tree
        along, and overrules ``depth`` and ``branching``.
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
    start : {"partition"}, default="partition"
        How first guesses are made: rows are divided among the root's branches, those of each
        branch among its own, and so on; small trees are also looked for from random directions,
        and experts that were found as equals are put into the places that suit them.
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
    coef_ : ndarray of shape (n_leaves, n_features) or (n_leaves, n_classes, n_features)
        Logistic experts' coefficients a unit of x: of the log-odds of ``classes_[1]`` for two
        classes; for more, columns sum to zero over the classes.
    intercept_ : ndarray of shape (n_leaves,) or (n_leaves, n_classes)
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
    n_parameters_, n_iter_, n_passes_, n_search_passes_ : int
    converged_ : bool
    stop_reason_ : str
        Why the fit ended, and what was held back: classes that are separated, say.
    lower_bound_, lower_bounds_ : float, ndarray of shape (n_passes_,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Notes
    -----
    p(c | x) = sum_i w_i(x) sum_j w_{j|i}(x) p_ij(c | x) for two levels, and so on: the weight of a
    leaf is the product of the gates' along its path.

    References
    ----------
    Jordan and Jacobs (1994), Hierarchical mixtures of experts and the EM algorithm.
    Waterhouse and Robinson (1995), Constructive algorithms for hierarchical mixtures of experts.
    Fritsch, Finke and Waibel (1997), Adaptively growing hierarchical mixtures of experts.

    Examples
    --------
    >>> from skmoe import HierarchicalMixtureOfExpertsClassifier
    >>> from skmoe.datasets import load_vowels
    >>> X, y = load_vowels(return_X_y=True)
    >>> est = HierarchicalMixtureOfExpertsClassifier(depth=1, random_state=0).fit(X, y)
    >>> est.predict_proba(X).shape
    (1520, 10)
    """

    def __init__(
        self,
        depth=2,
        branching=2,
        *,
        growth=None,
        max_leaves=64,
        validation_fraction=0.2,
        experts="logistic",
        gate="tree",
        criterion="likelihood",
        fitter="em",
        class_weight=None,
        expert_features=None,
        gate_features=None,
        n_init=16,
        start="partition",
        max_iter=1000,
        tol=1e-11,
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
        >>> from skmoe import HierarchicalMixtureOfExpertsClassifier
        >>> from skmoe.datasets import load_vowels
        >>> X, y = load_vowels(return_X_y=True)
        >>> X, y = X[::37], y[::37] == "i"
        >>> est = HierarchicalMixtureOfExpertsClassifier(depth=1, random_state=0)
        >>> est.fit(X, y).coef_.shape
        (2, 4)
        """
        return self._learn(X, y, sample_weight, groups=groups)
