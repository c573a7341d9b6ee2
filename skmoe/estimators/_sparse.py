"""What the sparse neural mixtures have beside a network: routers, and what they do with rows."""

from abc import abstractmethod

import numpy as np

from skmoe.estimators._network import BaseNetwork
from skmoe.estimators._sparse_options import SparseOptions
from skmoe.estimators._upcycling import UpcyclingMixin
from skmoe.estimators._warnings import warn_caller
from skmoe.neural.network import build_network

# Rows of the training set on which loads and entropies are measured in the end.
_WATCHED_ROWS = 20_000


class BaseSparseMixture(UpcyclingMixin, SparseOptions, BaseNetwork):
    """Fit and answer for any router, head and stack of blocks."""

    @abstractmethod
    def _head(self):
        """Return the head for the targets that were seen."""

    def _build_network(self, Z):
        self._plan = self._build_plan()
        return build_network(self._plan, self._head(), Z)

    def _publish(self, Z):
        super()._publish(Z)
        self.routing_history_ = list(self._session.routing_history)
        self.n_experts_ = max(
            (m.shape.n_experts for m in self.network_.mixtures.values()), default=1
        )
        self._watch(Z[:: max(1, len(Z) // _WATCHED_ROWS)])

    def _watch(self, Z):
        """Measure loads and entropies of predictions, and take over what training dropped."""
        weights = {}
        self.network_.outputs(self._views(), self._session.state, Z, combine=weights)
        self.expert_load_ = [np.mean(w > 0, axis=0) for w in weights.values()]
        self.routing_entropy_ = np.array([_entropy(w) for w in weights.values()])
        best = self.routing_history_[max(0, self.best_iter_ - 1)] if self.routing_history_ else {}
        self.dropped_fraction_ = np.array(
            [best[name]["dropped"] if name in best else 0.0 for name in self.network_.mixtures]
        )

    def _warn(self):
        super()._warn()
        for name, load in zip(self.network_.mixtures, self.expert_load_, strict=True):
            dead = np.flatnonzero(load == 0)
            if len(dead):
                warn_caller(
                    f"Experts {dead.tolist()} of {name} see no row; fewer experts, or stronger "
                    f"balancing than that of router={self.router!r}, would use them.",
                )

    def route(self, X):
        """Return how much weight every expert has in the answer, for each mixture layer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        list of ndarray of shape (n_samples, n_experts)
            Combine weights, zero for experts that do not see the row.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from sklearn.datasets import make_friedman1
        >>> from skmoe import SparseMixtureOfExpertsRegressor
        >>> X, y = make_friedman1(200, random_state=0)
        >>> est = SparseMixtureOfExpertsRegressor(
        ...     4, 2, learning_rate="cosine", max_iter=20, random_state=0
        ... )
        >>> [weights] = est.fit(X, y).route(X)
        >>> weights.shape, set((weights > 0).sum(axis=1).tolist())
        ((200, 4), {2})
        """
        weights = {}
        self._outputs(X, combine=weights)
        return list(weights.values())


def _entropy(weights):
    """Return the mean entropy of rows of weights (n, E), each divided by its sum, in nats."""
    total = weights.sum(axis=1, keepdims=True)
    p = weights / np.where(total > 0, total, 1.0)
    logs = np.log(np.where(p > 0, p, 1.0))
    return float(-np.mean(np.sum(p * logs, axis=1)))
