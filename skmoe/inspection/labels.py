"""Names of the numbers that a fitted mixture shows."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from sklearn.base import is_classifier

__all__ = ["Labels", "labels_of"]

# Attributes whose numbers may have any sign and be zero.
LINEAR = ("coef_", "intercept_", "means_")


@dataclass(frozen=True, eq=False)
class Labels:
    """What published numbers are, one entry a number.

    Attributes
    ----------
    attribute, expert, term : ndarray of shape (m,), object
    scale : ndarray of shape (m,), bool
        Whether a number is positive by what it is: a variance, say.
    """

    attribute: np.ndarray
    expert: np.ndarray
    term: np.ndarray
    scale: np.ndarray


def labels_of(est, attributes):
    """Return the Labels of arrays, a dict of attribute name -> ndarray, in their order."""
    rows = []
    for name, value in attributes.items():
        shared = name == "covariances_" and getattr(est.experts_, "tied", False)
        holders = _holders(est, name)
        own = not (shared and est.n_experts > 1) and value.shape[0] == len(holders)
        names = [_axis(est, name, i, value, own) for i in range(own, value.ndim)]
        experts = holders if own else ["all"]
        for expert, *index in product(experts, *(range(len(axis)) for axis in names)):
            term = ", ".join(str(axis[i]) for axis, i in zip(names, index, strict=True))
            covariance = len(set(index)) > 1 and not name.endswith(LINEAR)
            rows.append((name, expert, term, not covariance and not name.endswith(LINEAR)))
    attribute, expert, term, scale = (
        np.array(column, dtype=object) for column in zip(*rows, strict=True)
    )
    return Labels(attribute, expert, term, scale.astype(bool))


def _holders(est, name):
    """Return whose numbers an attribute holds: the experts', or those of a tree's branches."""
    if name.startswith("gate_") and hasattr(est, "tree_"):
        return [f"branch {j}" for j in range(est.tree_.n_branches)]
    return list(range(est.n_experts))


def _axis(est, name, axis, value, own):
    """Return the names of what lies along an axis of an attribute."""
    length, of_gate = value.shape[axis], name.startswith("gate_")
    last = axis == value.ndim - 1
    if (last and name.endswith("coef_")) or (of_gate and axis >= own):
        known = est._columns[of_gate].names(getattr(est, "feature_names_in_", None))
        return [f"x{j}" for j in range(length)] if known is None else list(known)[:length]
    if is_classifier(est):
        return list(est.classes_)
    return [f"y{j}" for j in range(length)]
