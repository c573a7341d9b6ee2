"""The shape of a tree of gates: nodes that ask their branches, and leaves that are experts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skmoe._math.checks import check_count

__all__ = ["Tree", "balanced_tree", "tree_of"]

# The logarithm to base 2 of the number of leaves that nobody means.
LARGEST = 16


@dataclass(frozen=True, eq=False)
class Group:
    """The nodes of a tree that have equally many branches, to be worked on side by side.

    Attributes
    ----------
    nodes : ndarray of shape (N,)
    branches : ndarray of shape (b, N)
        Numbers of the nodes' first branches, of their second ones, and so on.
    under : ndarray of shape (b, N, K)
        Which leaves lie beneath them, zeros and ones.
    """

    nodes: np.ndarray
    branches: np.ndarray
    under: np.ndarray


@dataclass(frozen=True)
class Tree:
    """A tree of any depth and any branching.

    Nodes are numbered from the root on, each before what lies beneath it and from left to right;
    leaves are numbered from left to right, so that those beneath a node are neighbors; branches
    are numbered node by node.

    Attributes
    ----------
    nested : tuple
        A node is the tuple of its branches, a leaf is ``()``.

    Examples
    --------
    >>> from skmoe.tree import tree_of
    >>> tree = tree_of([[1, 2], 1])
    >>> tree.n_leaves, tree.n_nodes, tree.n_branches, tree.max_depth
    (4, 3, 6, 3)
    >>> tree.branches
    (slice(0, 2, None), slice(2, 4, None), slice(4, 6, None))
    """

    nested: tuple = ()

    def __reduce__(self):
        return Tree, (self.nested,)

    def __repr__(self):
        return f"Tree({self.as_branching()!r})"

    @cached_property
    def n_leaves(self):
        """Number of leaves K."""
        return _count_leaves(self.nested)

    @property
    def n_nodes(self):
        """Number of nodes, each of which is a gate."""
        return len(self.branches)

    @property
    def n_branches(self):
        """Number of branches B of all nodes."""
        return len(self.child)

    @cached_property
    def max_depth(self):
        """Gates on the longest path from the root to a leaf."""
        return _depth(self.nested)

    @cached_property
    def branches(self):
        """The numbers of each node's branches, a tuple of slices."""
        return tuple(slice(node.first, node.first + len(node.nested)) for node in self._nodes)

    @cached_property
    def node_depth(self):
        """Gates above each node, (n_nodes,)."""
        return np.array([node.depth for node in self._nodes], dtype=np.intp)

    @cached_property
    def node_of(self):
        """The node of each branch, (B,)."""
        sizes = [len(node.nested) for node in self._nodes]
        return np.repeat(np.arange(len(sizes)), sizes)

    @cached_property
    def child(self):
        """Where each branch leads, (B,): to a node of that number, or -1 - k for the leaf k."""
        return np.array([end for node in self._nodes for end in node.ends], dtype=np.intp)

    @cached_property
    def under(self):
        """Which leaves lie beneath which branch, zeros and ones (B, K)."""
        under = np.zeros((self.n_branches, self.n_leaves))
        row = 0
        for node in self._nodes:
            first = node.first_leaf
            for branch in node.nested:
                stop = first + _count_leaves(branch)
                under[row, first:stop] = 1.0
                first, row = stop, row + 1
        return under

    @cached_property
    def groups(self):
        """The nodes by their number of branches, a list of Group."""
        sizes = np.array([own.stop - own.start for own in self.branches], dtype=np.intp)
        groups = []
        for size in np.unique(sizes):
            nodes = np.flatnonzero(sizes == size)
            first = np.array([self.branches[node].start for node in nodes])
            branches = first + np.arange(size)[:, None]
            groups.append(Group(nodes, branches, self.under[branches]))
        return groups

    @cached_property
    def even_scores(self):
        """Scores (B,) under which every leaf weighs the same; they sum to zero over a node."""
        scores = np.log(self.under.sum(axis=1))
        for own in self.branches:
            scores[own] -= scores[own].mean()
        return scores

    def path(self, leaf):
        """Return the numbers of the branches from the root down to a leaf, an ndarray."""
        return np.flatnonzero(self.under[:, leaf])

    def nodes_before(self, leaf):
        """Return how many nodes are numbered before a node in a leaf's place would be (an int)."""
        return sum(node.first_leaf <= leaf for node in self._nodes)

    def split(self, leaf, n_branches=2):
        """Return the tree in which a leaf has become a node of leaves."""
        return Tree(_split(self.nested, leaf, n_branches))

    def pruned(self, kept):
        """Return the tree of the leaves that are kept; a node with one branch left is no node.

        Parameters
        ----------
        kept : ndarray of shape (K,), bool
        """
        left = _pruned(self.nested, list(kept))
        return Tree(() if left is None else left)

    def shared_out(self, weight, lost):
        """Return the weights of the leaves that are left, those of a node sharing what arrives.

        Parameters
        ----------
        weight : ndarray of shape (K,)
        lost : ndarray of shape (K,), bool
        """
        left = self.under @ ~lost > 0
        branch = np.where(left, self.under @ weight, 0.0)
        new = np.ones(self.n_leaves)
        for own in self.branches:
            total = max(branch[own].sum(), 1e-300)
            for number in range(own.start, own.stop):
                new[self.under[number] > 0] *= branch[number] / total
        return new[~lost]

    def as_branching(self):
        """Return the tree as `TreeGate` reads it: levels where they are alike, or nested lists."""
        levels = _levels(self.nested)
        if levels is not None:
            return levels or 1
        listed = _listed(self.nested)
        # Numbers alone would be read as levels.
        nested = any(isinstance(branch, list) for branch in listed)
        return listed if nested else [[1] * n if n > 1 else n for n in listed]

    @cached_property
    def _nodes(self):
        nodes = []
        _collect(self.nested, 0, 0, nodes)
        first = 0
        for node in nodes:
            node.first = first
            first += len(node.nested)
        return nodes


class _Node:
    """A node on the way down: its branches, and where they lead."""

    def __init__(self, nested, depth, first_leaf):
        self.nested, self.depth, self.first_leaf = nested, depth, first_leaf
        self.ends, self.first = [], 0


def _collect(nested, depth, first_leaf, nodes):
    """Append the nodes of a subtree; return where a branch to it leads."""
    if not nested:
        return -1 - first_leaf
    node, number = _Node(nested, depth, first_leaf), len(nodes)
    nodes.append(node)
    for branch in nested:
        node.ends.append(_collect(branch, depth + 1, first_leaf, nodes))
        first_leaf += _count_leaves(branch)
    return number


def _count_leaves(nested):
    return sum(map(_count_leaves, nested)) if nested else 1


def _depth(nested):
    return 1 + max(map(_depth, nested)) if nested else 0


def _split(nested, leaf, n_branches):
    if not nested:
        return ((),) * n_branches
    branches = list(nested)
    for i, branch in enumerate(branches):
        size = _count_leaves(branch)
        if leaf < size:
            branches[i] = _split(branch, leaf, n_branches)
            return tuple(branches)
        leaf -= size
    raise IndexError("the tree has fewer leaves.")


def _pruned(nested, kept):
    """Return what is left of a subtree, None for nothing; takes its leaves off ``kept``."""
    if not nested:
        return () if kept.pop(0) else None
    left = [branch for branch in (_pruned(each, kept) for each in nested) if branch is not None]
    if len(left) < 2:
        return left[0] if left else None
    return tuple(left)


def _levels(nested):
    """Return the branches of a node on each level, or None where nodes of a level differ."""
    if not nested:
        return []
    below = [_levels(branch) for branch in nested]
    alike = None not in below and all(each == below[0] for each in below)
    return [len(nested), *below[0]] if alike else None


def _listed(nested):
    if not any(nested):
        return max(1, len(nested))
    return [_listed(branch) for branch in nested]


# ------------------------------------------------------------------------------------ from lists


def balanced_tree(n_leaves, most_branches):
    """Return the tree of n_leaves whose nodes have at most so many branches, as even as can be.

    Examples
    --------
    >>> from skmoe.tree import balanced_tree
    >>> balanced_tree(5, 2)
    Tree([[2, 1], 2])
    """
    return Tree(_balanced(n_leaves, most_branches))


def _balanced(n_leaves, most_branches):
    if n_leaves == 1:
        return ()
    n_branches = min(n_leaves, most_branches)
    size, larger = divmod(n_leaves, n_branches)
    return tuple(_balanced(size + (i < larger), most_branches) for i in range(n_branches))


def tree_of(branching):
    """Return the tree of a list.

    Parameters
    ----------
    branching : list
        Of integers, the number of branches on each level from the root on; or with lists within,
        each a node whose entries are its branches: again a list, or the number of leaves beneath.

    Raises
    ------
    TypeError, ValueError
        For what is no tree; the message names ``branching``.

    Examples
    --------
    >>> from skmoe.tree import tree_of
    >>> tree_of([2, 3]).n_leaves, tree_of([[1, 1], 3]).n_leaves
    (6, 5)
    """
    branches = _entries(branching)
    if not any(_is_list(branch) for branch in branches):
        for n_branches in branches:
            check_count("branching", n_branches, least=2)
        if np.log2(branches).sum() > LARGEST:
            raise ValueError(f"branching={branching!r} has more than 2^{LARGEST} leaves.")
        nested = ()
        for n_branches in reversed(branches):
            nested = (nested,) * int(n_branches)
        return Tree(nested)
    return Tree(_nested(branching))


def _nested(branch):
    if not _is_list(branch):
        check_count("branching", branch)
        return ((),) * int(branch) if branch > 1 else ()
    branches = _entries(branch)
    if len(branches) < 2:
        raise ValueError(f"branching holds {branch!r}; a node needs at least two branches.")
    return tuple(map(_nested, branches))


def _entries(branching):
    """Return the entries of a list, which has some."""
    branches = list(branching)
    if not branches:
        raise ValueError(f"branching holds {branching!r}, which is empty.")
    return branches


def _is_list(value):
    return isinstance(value, list | tuple | np.ndarray)
