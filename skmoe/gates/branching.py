"""What gates that are trees of gates share: their shape, and parameters of branches."""

from dataclasses import dataclass, fields, replace

import numpy as np

from skmoe._math.checks import check_count
from skmoe.base import Gate, Parameters
from skmoe.tree import Tree, balanced_tree, tree_of

__all__ = ["BranchParameters", "BranchingGate"]


@dataclass(frozen=True)
class BranchParameters(Parameters):
    """Arrays with a row for each of a tree's B branches, node by node.

    The tree is no number: ``flatten`` goes without it, and ``unflatten`` keeps it.
    """

    tree: Tree

    def unflatten(self, vector):
        cuts = np.cumsum([value.size for value in self._values()])[:-1]
        pieces = np.split(vector, cuts)
        return type(self)(
            self.tree,
            *(
                piece.reshape(value.shape)
                for piece, value in zip(pieces, self._values(), strict=True)
            ),
        )

    def layout(self):
        return (*super().layout(), self.tree)

    def of_branches(self, rows):
        """Return the fields of some branches, a list."""
        return [value[rows] for value in self._values()]

    def _values(self):
        return [getattr(self, field.name) for field in fields(self)[1:]]


class BranchingGate(Gate):
    """A tree of gates of one kind: an expert's weight is the product of those along its path.

    ``branching`` tells the tree's shape, as `TreeGate` explains it.
    """

    @property
    def n_experts(self):
        """Number of leaves, or None where the tree takes any number of experts."""
        return None if self._fits_all else tree_of(self.branching).n_leaves

    @property
    def _fits_all(self):
        return not isinstance(self.branching, list | tuple | np.ndarray)

    def check(self):
        if self._fits_all:
            check_count("branching", self.branching, least=2)
        else:
            tree_of(self.branching)

    def tree(self, n_experts):
        """Return the `Tree` over a number of experts.

        Parameters
        ----------
        n_experts : int
            Number of leaves.

        Returns
        -------
        Tree
            As ``branching`` says.

        Raises
        ------
        ValueError
            If ``branching`` is a tree of another number of leaves.
        """
        if self._fits_all:
            return balanced_tree(n_experts, self.branching)
        tree = tree_of(self.branching)
        if tree.n_leaves != n_experts:
            raise ValueError(
                f"gate={type(self).__name__}: branching={self.branching!r} has {tree.n_leaves} "
                f"leaves, but n_experts={n_experts}."
            )
        return tree

    def path_weights(self, theta, X):
        """Return the weight of a row that goes down each branch.

        Parameters
        ----------
        theta : BranchParameters
        X : ndarray of shape (n, d)

        Returns
        -------
        ndarray of shape (n, B)
            Summed over the leaves beneath the branch.
        """
        return beneath(theta.tree, self.weights(theta, X))

    def divided(self, theta, leaf, halves):
        """Return parameters in which a leaf has become a node of leaves.

        Parameters
        ----------
        theta : BranchParameters
        leaf : int
        halves : Parameters
            Of `resized` for as many experts as the new node has branches.
        """
        tree = theta.tree
        at = tree.nodes_before(leaf)
        at = tree.branches[at].start if at < tree.n_nodes else tree.n_branches
        names = [field.name for field in fields(theta)[1:]]
        new = [getattr(halves, name) for name in names]
        n_branches = len(new[0])
        grown = {
            name: np.insert(getattr(theta, name), [at] * n_branches, own, axis=0)
            for name, own in zip(names, new, strict=True)
        }
        return replace(theta, tree=tree.split(leaf, n_branches), **grown)

    def without(self, theta, lost):
        """Return parameters without the lost leaves; a node of one branch goes, too.

        Parameters
        ----------
        theta : BranchParameters
        lost : ndarray of shape (K,), bool
        """
        tree = theta.tree
        left = tree.under @ ~lost > 0
        kept = np.zeros(tree.n_branches, dtype=bool)
        for own in tree.branches:
            numbers = np.arange(own.start, own.stop)[left[own]]
            kept[numbers] = len(numbers) > 1
        return self._centered(type(theta)(tree.pruned(~lost), *theta.of_branches(kept)))

    def translated(self, theta, change):
        coef, intercept = change.X_gate.of_lines(theta.coef, theta.intercept)
        return replace(theta, coef=coef, intercept=intercept)

    def units(self, theta, scaling):
        coef = np.where(scaling.X_gate.constant, 0.0, theta.coef / scaling.X_gate.scale)
        intercept = theta.intercept - coef @ scaling.X_gate.mean
        shown = centered(theta.tree, coef), centered(theta.tree, intercept)
        return dict(zip(("gate_coef_", "gate_intercept_"), shown, strict=True)) | {
            "tree_": theta.tree
        }

    def _centered(self, theta):
        """Return the same gate with its scores shifted to where its parameters want them."""
        return replace(
            theta,
            coef=centered(theta.tree, theta.coef),
            intercept=centered(theta.tree, theta.intercept),
        )


def centered(tree, numbers):
    """Return numbers (B, ...) of branches that sum to zero over every node."""
    numbers = numbers.copy()
    for own in tree.branches:
        numbers[own] -= numbers[own].mean(axis=0)
    return numbers


def beneath(tree, weight):
    """Return the sums (n, B) of weights (n, K) over the leaves beneath each branch."""
    return (tree.under.astype(weight.dtype) @ weight.T).T
