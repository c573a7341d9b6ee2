"""The experts of a meta-pi network: named estimators, who learns which rows, what they answer."""

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import Bunch, _safe_indexing, column_or_1d
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params, check_is_fitted, has_fit_parameter

from skmoe.estimators._validation import naming

__all__ = ["Members", "rows_of_groups"]


class Members(_BaseComposition):
    """Estimators by name, whose parameters are reached as ``name__parameter``."""

    @property
    def named_experts(self):
        """The experts that were given, by name."""
        return Bunch(**dict(self.experts))

    def get_params(self, deep=True):
        """Return the parameters, those of the experts by their names included.

        Parameters
        ----------
        deep : bool, default=True
            Whether to look into experts and gate.

        Returns
        -------
        dict
            Name -> value.

        Examples
        --------
        >>> from sklearn.linear_model import Ridge
        >>> from skmoe import MetaPiRegressor
        >>> MetaPiRegressor([("line", Ridge(alpha=2.0))]).get_params()["line__alpha"]
        2.0
        """
        return self._get_params("experts", deep=deep)

    def set_params(self, **params):
        self._set_params("experts", **params)
        return self

    def _checked_members(self):
        """Return names and estimators, without those that were dropped."""
        listed = isinstance(self.experts, list | tuple) and len(self.experts) > 0
        if not listed or not all(_is_pair(each) for each in self.experts):
            raise ValueError(
                f"experts={self.experts!r} must be a list of (name, estimator), with one at least."
            )
        names = [name for name, _ in self.experts]
        with naming("experts"):
            self._validate_names(names)
        kept = [(name, member) for name, member in self.experts if not _is_dropped(member)]
        if not kept:
            raise ValueError("experts are all dropped; one at least is needed.")
        for name, member in kept:
            for method in ("fit", *self._asked_of_members):
                if not hasattr(member, method):
                    raise TypeError(f"experts: {name!r}, {member!r}, has no {method}.")
        return [name for name, _ in kept], [member for _, member in kept]

    def _fitted_members(self, names, members, X, y, weight, groups):
        """Return the experts, each fitted to its rows: all, or those of its group."""
        if self.prefit:
            if groups is not None:
                raise ValueError("groups say who learns what; with prefit=True nobody learns.")
            for name, member in zip(names, members, strict=True):
                _check_prefit(name, member)
            self.expert_groups_ = None
            return list(members)
        every = [None] * len(names)
        self.expert_groups_ = None
        if groups is not None:
            self.expert_groups_, every = rows_of_groups(groups, names)
        params = self._fit_params(names, members, weight)
        return Parallel(n_jobs=self.n_jobs)(
            delayed(_fitted)(member, X, y, params[name], rows)
            for name, member, rows in zip(names, members, every, strict=True)
        )

    def _fit_params(self, names, members, weight):
        """Return name -> what the fit of the expert is handed beside the rows."""
        if _routing_enabled():
            given = {} if weight is None else {"sample_weight": weight}
            routed = process_routing(self, "fit", **given)
            return {name: routed[name]["fit"] for name in names}
        if weight is None:
            return dict.fromkeys(names, {})
        for name, member in zip(names, members, strict=True):
            last = member.steps[-1][1] if hasattr(member, "steps") else member
            if not has_fit_parameter(last, "sample_weight"):
                raise TypeError(
                    f"sample_weight cannot be handed on: the fit of experts {name!r}, {member!r}, "
                    "does without."
                )
        return {
            name: {_weight_name(member): weight}
            for name, member in zip(names, members, strict=True)
        }

    def get_metadata_routing(self):
        """Return who is handed which metadata.

        Returns
        -------
        MetadataRouter
            As scikit-learn's user guide explains it.

        Examples
        --------
        >>> from sklearn.linear_model import Ridge
        >>> from skmoe import MetaPiRegressor
        >>> type(MetaPiRegressor([("line", Ridge())]).get_metadata_routing()).__name__
        'MetadataRouter'
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        for name, member in self.experts:
            if not _is_dropped(member):
                mapping = MethodMapping().add(caller="fit", callee="fit")
                router.add(**{name: member}, method_mapping=mapping)
        return router


def rows_of_groups(groups, names):
    """Return the label of each expert's group, and the rows (m,) of the group.

    Where every name is the label of a group, an expert learns the group of its name, and rows of
    other groups are nobody's; else experts take the groups in sorted order.

    Parameters
    ----------
    groups : ndarray of shape (n,)
    names : list of str
    """
    labels = np.unique(groups)
    by_name = {str(label): label for label in labels}
    if all(name in by_name for name in names):
        labels = [by_name[name] for name in names]
    elif len(labels) != len(names):
        raise ValueError(
            f"groups has {len(labels)} labels ({labels.tolist()}) for {len(names)} experts "
            f"({names}); allowed are as many, or experts with the names of groups."
        )
    return list(labels), [np.flatnonzero(groups == label) for label in labels]


def check_labels(groups, n_rows):
    """Return the groups' labels (n,) of all rows the user handed in."""
    with naming("groups"):
        groups = column_or_1d(groups)
    if len(groups) != n_rows:
        raise ValueError(f"groups has {len(groups)} entries; X has {n_rows} rows.")
    if groups.dtype.kind == "f" and not np.isfinite(groups).all():
        raise ValueError("groups has labels that are not finite.")
    return groups


def _fitted(member, X, y, params, rows):
    member = clone(member)
    if rows is not None:
        params = _check_method_params(X, params, indices=rows)
        X, y = _safe_indexing(X, rows), y[rows]
    return member.fit(X, y, **params)


def _check_prefit(name, member):
    try:
        check_is_fitted(member)
    except NotFittedError:
        raise NotFittedError(
            f"prefit=True, but experts {name!r}, {member!r}, is not fitted."
        ) from None


def _weight_name(member):
    return f"{member.steps[-1][0]}__sample_weight" if hasattr(member, "steps") else "sample_weight"


def _is_pair(each):
    return isinstance(each, list | tuple) and len(each) == 2 and isinstance(each[0], str)


def _is_dropped(member):
    return isinstance(member, str) and member == "drop"
