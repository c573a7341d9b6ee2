"""A picture of a tree of gates: how many rows go down which branch."""

import numpy as np

from skmoe._math.checks import check_count
from skmoe.inspection.drawing import axes_for, stroke
from skmoe.inspection.trees import Writer, checked_tree, names_of

__all__ = ["TreeDisplay"]

# Lines of an expert, one a target or a class, that a leaf has room for.
MOST_LINES = 4


class TreeDisplay:
    """A tree of gates with the shares of the training rows on its branches.

    Parameters
    ----------
    tree : skmoe.tree.Tree
        The shape of the tree.
    shares : ndarray of shape (n_branches,) or None
        Share of the rows that go down each branch.
    rules : list of str
        What a node says: where its gate prefers the first branch.
    answers : list of str
        What an expert answers.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    branches_ : list of matplotlib Line2D
        As wide as the share of the rows.
    shares_ : list of matplotlib Text
        One a branch, empty if shares are not known.
    nodes_, leaves_ : list of matplotlib Text
        What stands in the boxes.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from skmoe import HierarchicalMixtureOfExpertsRegressor
    >>> from skmoe.inspection import TreeDisplay
    >>> X, y = [[i] for i in range(10)], [0, 1, 2, 3, 4, 4, 3, 2, 1, 0]
    >>> est = HierarchicalMixtureOfExpertsRegressor(depth=1, n_init=2, random_state=0).fit(X, y)
    >>> display = TreeDisplay.from_estimator(est, feature_names=["day"])
    >>> len(display.nodes_), len(display.leaves_), len(display.branches_)
    (1, 2, 2)
    """

    def __init__(self, tree, shares, rules, answers):
        self.tree = tree
        self.shares = shares
        self.rules = rules
        self.answers = answers

    @classmethod
    def from_estimator(cls, est, *, feature_names=None, max_terms=2, decimals=2, ax=None):
        """Draw the tree of a fitted hierarchical mixture.

        Parameters
        ----------
        est : estimator
            A fitted hierarchical mixture, or any mixture with a `TreeGate`.
        feature_names : sequence of str, optional
            Names of the columns of X. None: those that fit saw, or ``x0, x1, ...``.
        max_terms : int, default=2
            Terms of a gate or of an expert that are written out.
        decimals : int, default=2
            Digits after the decimal point.
        ax : matplotlib Axes, optional
            Where to draw. None: a new figure.

        Returns
        -------
        TreeDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ValueError
            If the gate is no tree, or names are too few.
        ImportError
            Without matplotlib.
        """
        tree = checked_tree(est)
        check_count("max_terms", max_terms)
        check_count("decimals", decimals, least=0)
        names = names_of(est, feature_names)
        writer = Writer(est, names, tree.max_depth + 1, max_terms, 3, decimals)
        weight = getattr(est, "leaf_weights_", None)
        rules = [_rule(writer, own) for own in tree.branches]
        answers = [_answer(writer, k) for k in range(tree.n_leaves)]
        shares = None if weight is None else tree.under @ weight
        return cls(tree, shares, rules, answers).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            None: a new figure.

        Returns
        -------
        TreeDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        tree = self.tree
        width, height = max(4.8, 2.0 * tree.n_leaves), 1.5 * tree.max_depth + 1.2
        self.ax_ = ax = axes_for(ax, "TreeDisplay", figsize=(width, height))
        self.figure_ = ax.figure
        self.branches_, self.shares_ = [], []
        places = [self._place(node) for node in range(tree.n_nodes)]
        for branch, end in enumerate(tree.child):
            below = places[end] if end >= 0 else self._leaf_place(-1 - end)
            self._draw_branch(branch, places[tree.node_of[branch]], below)
        self.nodes_ = [
            _box(ax, place, rule, "0.35") for place, rule in zip(places, self.rules, strict=True)
        ]
        self.leaves_ = [
            _box(ax, self._leaf_place(k), answer, stroke(k)["color"])
            for k, answer in enumerate(self.answers)
        ]
        ax.set_xlim(-0.6, tree.n_leaves - 0.4)
        ax.set_ylim(-tree.max_depth - 0.4, 0.4)
        ax.set_axis_off()
        return self

    def _place(self, node):
        """Return where a node stands: above the middle of its leaves."""
        leaves = np.flatnonzero(self.tree.under[self.tree.branches[node]].sum(axis=0))
        return leaves.mean(), -float(self.tree.node_depth[node])

    def _leaf_place(self, k):
        return float(k), -float(len(self.tree.path(k)))

    def _draw_branch(self, branch, above, below):
        share = None if self.shares is None else self.shares[branch]
        (x0, y0), (x1, y1) = above, below
        self.branches_ += self.ax_.plot(
            [x0, x1],
            [y0, y1],
            color="#56B4E9",
            linewidth=2.0 if share is None else 1.0 + 14.0 * share,
            solid_capstyle="round",
            zorder=1,
        )
        self.shares_.append(
            self.ax_.text(
                0.5 * (x0 + x1),
                0.5 * (y0 + y1),
                "" if share is None else f"{share:.0%}",
                ha="center",
                va="center",
                fontsize="small",
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
            )
        )


def _rule(writer, own):
    """Return what a node says: the condition of its first branch, or how many there are."""
    if own.stop - own.start == 2:
        return writer.gate(own, own.start) + "\nleft if it holds"
    return f"{own.stop - own.start} branches"


def _answer(writer, k):
    """Return what stands in a leaf: the expert and its lines, of which many would fill the page."""
    lines = writer.leaf(k)
    if len(lines) > MOST_LINES:
        return f"expert {k}"
    if len(lines) == 1:
        return lines[0].replace(": ", "\n", 1)
    return "\n".join([f"expert {k}", *(line.partition(", ")[2] for line in lines)])


def _box(ax, place, text, color):
    return ax.text(
        *place,
        text,
        ha="center",
        va="center",
        fontsize="small",
        zorder=4,
        bbox={
            "boxstyle": "round,pad=0.4",
            "facecolor": "white",
            "edgecolor": color,
            "linewidth": 1.8,
        },
    )
