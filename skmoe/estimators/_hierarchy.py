"""What hierarchical mixtures share: a tree of gates in place of one gate."""

from dataclasses import replace

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skmoe._math.checks import check_choice, check_count, check_fraction, check_number
from skmoe.estimators import _parts
from skmoe.estimators._watch import Scout
from skmoe.gates.branching import BranchingGate, BranchParameters
from skmoe.mixture import MixtureParameters
from skmoe.starts import Plan, best_start, grown, likeliest
from skmoe.tree import Tree, tree_of

__all__ = ["HierarchyMixin"]


class HierarchyMixin:
    """A tree of gates and what can be asked of it; goes before `BaseMixture`."""

    _starts = ("partition",)

    @property
    def n_experts(self):
        """Number of leaves: of the fitted tree, or of the one that fit begins with."""
        fitted = getattr(self, "_n_experts", None)
        return self._asked_tree().n_leaves if fitted is None else fitted

    def decision_path(self, X, y=None):
        """Return which share of every row goes down which branch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), optional
            Their answers. With them, shares are those that the answers give the branches: sums
            of `responsibilities`. Without, they are path weights: sums of `predict_gate`.

        Returns
        -------
        ndarray of shape (n_samples, n_branches)
            Branches in the order of ``tree_``: those of a node sum to what arrives there, and
            those of the root to 1.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import HierarchicalMixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = HierarchicalMixtureOfExpertsRegressor(depth=1, random_state=0).fit(X, y)
        >>> est.decision_path(X).shape
        (10, 2)
        """
        weight = self.predict_gate(X) if y is None else self.responsibilities(X, y)
        return weight @ self.tree_.under.T.astype(weight.dtype)

    def prune(self, min_weight=0.01):
        """Take away the leaves to which hardly any rows go.

        Parameters
        ----------
        min_weight : float, default=0.01
            Leaves whose ``leaf_weights_`` are below this go, the heaviest one never.

        Returns
        -------
        self
            The estimator, whose attributes and answers are those of the smaller tree.

        Raises
        ------
        ValueError
            For a weight that is no number from 0 to 1.

        Notes
        -----
        The branches of a node that are left share what arrives there in the proportions that they
        had: a softmax over fewer branches. A node with one branch left is no node. Nothing is
        fitted anew, and the record of the fit (``lower_bounds_`` and the like) stays; with
        ``warm_start=True``, ``fit`` goes on from the smaller tree.

        Examples
        --------
        >>> from skmoe import HierarchicalMixtureOfExpertsRegressor
        >>> from skmoe.datasets import load_motorcycle
        >>> X, y = load_motorcycle(return_X_y=True)
        >>> est = HierarchicalMixtureOfExpertsRegressor(n_init=2, random_state=0).fit(X, y)
        >>> est.prune(0.3).tree_.n_leaves < 4
        True
        """
        check_is_fitted(self)
        check_fraction("min_weight", min_weight)
        lost = self.leaf_weights_ < min_weight
        lost[self.leaf_weights_.argmax()] = False
        if lost.any():
            self._drop(lost)
        return self

    # ------------------------------------------------------------------------------------ details

    def _drop(self, lost):
        """Publish the mixture without the lost leaves (K,)."""
        tree, theta = self.tree_, self.theta_
        experts, of_experts = self.experts_.without(theta.experts, lost)
        theta = MixtureParameters(of_experts, self.gate_.without(theta.gate, lost))
        mixture = replace(self._mixture, experts=experts)
        dtype = self.gate_intercept_.dtype
        for name, value in self._learned(mixture, theta, dtype).items():
            setattr(self, name, value)
        self.leaf_weights_ = tree.shared_out(self.leaf_weights_, lost)
        self._memory = None

    def _publish(self, mixture, result, block, stopped):
        super()._publish(mixture, result, block, stopped)
        self.leaf_weights_ = result.shares / result.shares.sum()

    def _check_hyper_parameters(self):
        check_choice("growth", self.growth, ("greedy", None))
        check_count("max_leaves", self.max_leaves)
        check_number("validation_fraction", self.validation_fraction, above=0.0)
        if self.validation_fraction > 0.5:
            raise ValueError(
                f"validation_fraction={self.validation_fraction!r} must be above 0 and at most 0.5."
            )
        self._asked_tree()
        super()._check_hyper_parameters()

    def _asked_tree(self):
        """Return the tree that the arguments ask for, one leaf where it grows."""
        if self.growth is not None:
            return Tree()
        if self._tree_gate().n_experts is not None:
            return tree_of(self._tree_gate().branching)
        if isinstance(self.branching, list | tuple | np.ndarray):
            return tree_of(self.branching)
        check_count("depth", self.depth)
        check_count("branching", self.branching, least=2)
        return tree_of([self.branching] * self.depth)

    def _tree_gate(self):
        """Return the gate that the arguments ask for, without its tree."""
        gate = _parts.build("gate", self.gate)
        if not isinstance(gate, BranchingGate):
            raise ValueError(
                f"gate={self.gate!r} is no tree; allowed are 'tree', 'bayesian_tree', and "
                "a TreeGate or BayesianTreeGate."
            )
        return gate

    def _build_gate(self):
        tree = self._asked_tree()
        if self.warm_start and hasattr(self, "theta_") and tree == self._asked:
            # As it has grown, or as it was pruned.
            tree = self.tree_
        self._n_experts = tree.n_leaves
        return _with_tree(self._tree_gate(), tree)

    def _may_end_at(self, result):
        # A tree that grows may end at any size; pairs of experts are looked at under one softmax.
        whole = self.growth is not None or super()._may_end_at(result)
        return whole and isinstance(result.theta.gate, BranchParameters)

    def _start(self, mixture, fitter, batches, watcher):
        if self.growth is None:
            return super()._start(mixture, fitter, batches, watcher)
        if not mixture.experts.exchangeable:
            raise ValueError(
                f"growth={self.growth!r} splits experts into more of their kind, and "
                f"experts={mixture.experts!r} are a given number; set growth=None."
            )
        watcher.search()
        scout = Scout(fitter, watcher)
        n_pairs = max(4, self.n_init // 2)
        plan = Plan(scout.scout(), self.max_leaves, self.validation_fraction, n_pairs)
        rng = check_random_state(self.random_state)
        theta = grown(mixture, plan, batches, rng=rng, n_jobs=self.n_jobs)
        tree = theta.gate.tree
        if tree.n_leaves == 1:
            return theta
        # Splits are greedy; a search for all leaves at once may see more.
        whole = replace(mixture, gate=_with_tree(mixture.gate, tree))
        rival = best_start(
            whole, scout, batches, tree.n_leaves, n_init=self.n_init, rng=rng, n_jobs=self.n_jobs
        )
        return likeliest(whole, plan.fitter, batches, [theta, rival], rng)

    def _learned(self, mixture, theta, dtype):
        tree = theta.gate.tree
        mixture = replace(mixture, gate=_with_tree(mixture.gate, tree))
        learned = super()._learned(mixture, theta, dtype)
        return learned | {"_n_experts": tree.n_leaves, "_asked": self._asked_tree()}


def _with_tree(gate, tree):
    """Return the gate that knows its tree; one expert is no tree."""
    branching = tree.as_branching() if tree.n_leaves > 1 else 2
    return clone(gate).set_params(branching=branching)
