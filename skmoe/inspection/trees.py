"""Trees of gates as text."""

from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from skmoe._math.checks import check_count

__all__ = ["Writer", "checked_tree", "export_text", "names_of"]


def export_text(est, *, feature_names=None, max_depth=10, max_terms=6, spacing=3, decimals=2):
    """Return a fitted tree of gates and its experts as text.

    Parameters
    ----------
    est : estimator
        A fitted hierarchical mixture, or any mixture with a `TreeGate`.
    feature_names : sequence of str, optional
        Names of the columns of X. None: those that fit saw, or ``x0, x1, ...``.
    max_depth : int, default=10
        Gates below this depth are not written out.
    max_terms : int, default=6
        Terms of a gate or of an expert that are written out, the largest ones for columns of equal
        spread; ``...`` stands for the rest.
    spacing : int, default=3
        Characters a level.
    decimals : int, default=2
        Digits after the decimal point; what would be rounded to zero is written with an exponent.

    Returns
    -------
    str
        A line for each branch and each leaf. A branch of two shows where the gate prefers it, and
        a branch of more its score, of which the largest is preferred; all in the units of X. In
        brackets the share of the training rows that goes there.

    Raises
    ------
    ValueError
        If the gate is no tree, or names are too few.

    Examples
    --------
    >>> from skmoe import HierarchicalMixtureOfExpertsRegressor
    >>> from skmoe.inspection import export_text
    >>> X, y = [[i] for i in range(10)], [0, 1, 2, 3, 4, 4, 3, 2, 1, 0]
    >>> est = HierarchicalMixtureOfExpertsRegressor(depth=1, n_init=2, random_state=0).fit(X, y)
    >>> text = export_text(est, feature_names=["day"], decimals=1)
    >>> [line.count("day") for line in text.splitlines()]
    [1, 1, 1, 1]
    """
    checked_tree(est)
    for name, value in (("max_depth", max_depth), ("max_terms", max_terms), ("spacing", spacing)):
        check_count(name, value)
    check_count("decimals", decimals, least=0)
    names = names_of(est, feature_names)
    writer = Writer(est, names, max_depth, max_terms, spacing, decimals)
    writer.write(0 if est.tree_.n_nodes else -1, "")
    return "\n".join(writer.lines) + "\n"


def checked_tree(est):
    """Return the Tree of a fitted estimator, or raise."""
    check_is_fitted(est)
    if not hasattr(est, "tree_"):
        raise ValueError(f"est={est!r} has no tree of gates; gate must be a TreeGate.")
    return est.tree_


def names_of(est, feature_names):
    """Return the names of the columns that experts and gate see, two lists or None each."""
    if feature_names is None:
        feature_names = getattr(est, "feature_names_in_", None)
    elif len(feature_names) != est.n_features_in_:
        raise ValueError(
            f"feature_names holds {len(feature_names)} names; X has {est.n_features_in_} columns."
        )
    return [columns.names(feature_names) for columns in est._columns]


class Writer:
    """Lines of a tree from the root down."""

    def __init__(self, est, names, max_depth, max_terms, spacing, decimals):
        self.est, self.tree, self.lines = est, est.tree_, []
        self.max_depth, self.max_terms, self.decimals = max_depth, max_terms, decimals
        self.bar, self.fork = "|" + " " * spacing, "|" + "-" * spacing + " "
        self.of_experts, self.of_gate = names
        self.weight = getattr(est, "leaf_weights_", None)

    def write(self, end, indent, depth=0):
        """Write the node of a number, or the leaf k for -1 - k."""
        if end < 0:
            self.lines += [f"{indent}{self.fork}{line}" for line in self.leaf(-1 - end)]
        elif depth == self.max_depth:
            self.lines.append(f"{indent}{self.fork}{self.rest(end)}")
        else:
            own = self.tree.branches[end]
            for branch in range(own.start, own.stop):
                self.lines.append(
                    f"{indent}{self.fork}{self.share(branch)}{self.gate(own, branch)}"
                )
                self.write(self.tree.child[branch], indent + self.bar, depth + 1)

    def rest(self, node):
        """Return what stands for a node that is not written out."""
        leaves = self.tree.under[self.tree.branches[node]].sum(axis=0)
        return f"tree of {int(leaves.sum())} leaves"

    def share(self, branch):
        """Return the share of the rows that go down a branch, if it is known."""
        if self.weight is None:
            return ""
        return f"[{self.tree.under[branch] @ self.weight:.0%}] "

    def gate(self, own, branch):
        """Return where the gate of a node prefers a branch."""
        coef, intercept = self.est.gate_coef_, self.est.gate_intercept_
        if own.stop - own.start > 2:
            return "score " + self.line(coef[branch], intercept[branch], 1)
        first = own.start
        line = self.line(coef[first] - coef[first + 1], intercept[first] - intercept[first + 1], 1)
        return f"{line} {'>' if branch == first else '<='} 0"

    def leaf(self, k):
        """Return what an expert answers, a list of str."""
        coef = getattr(self.est, "coef_", None)
        if coef is None or coef.ndim not in (2, 3):
            return [f"expert {k}: {type(self.est.experts_).__name__}"]
        intercept = self.est.intercept_
        if coef.ndim == 2:
            return [f"expert {k}: {self.line(coef[k], intercept[k], 0)}"]
        targets = self.est.classes_ if is_classifier(self.est) else range(coef.shape[1])
        return [
            f"expert {k}, {target}: {self.line(coef[k, j], intercept[k, j], 0)}"
            for j, target in enumerate(targets)
        ]

    def line(self, coef, intercept, by_gate):
        """Return a linear predictor, its largest terms for columns of equal spread."""
        names = self.of_gate if by_gate else self.of_experts
        scaling = self.est._scaling.X_gate if by_gate else self.est._scaling.X
        size = abs(coef * scaling.scale[: len(coef)])
        largest = sorted(range(len(coef)), key=lambda j: -size[j])[: self.max_terms]
        text = self.number(intercept)
        for j in sorted(largest):
            name = f"x{j}" if names is None else names[j]
            sign = "-" if coef[j] < 0 else "+"
            text += f" {sign} {self.number(abs(coef[j]))}*{name}"
        return text + (" + ..." if len(coef) > self.max_terms else "")

    def number(self, value):
        """Return a number as text."""
        text = f"{value:.{self.decimals}f}"
        return text if value == 0 or float(text) != 0 else f"{value:.{self.decimals}e}"
