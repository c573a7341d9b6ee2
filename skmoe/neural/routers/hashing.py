"""Hash routing: the expert of a row is fixed before training."""

from typing import final

import numpy as np
from sklearn.base import clone

from skmoe._math.checks import check_choice, check_count, check_flag
from skmoe.neural.routers.base import Choice, Router, Routing
from skmoe.neural.routers.reports import report_of

__all__ = ["HashRouter", "mix_bits"]

KINDS = ("hyperplanes", "quantile", "category", "kmeans")
# Cells per expert that a balanced hash distributes.
_CELLS = 16


@final
class HashRouter(Router):
    """A hash of the row, fixed before training, names its only expert, which has weight 1.

    Parameters
    ----------
    kind : {"hyperplanes", "quantile", "category", "kmeans"}, default="hyperplanes"
        Signs of random projections; bins of a column that hold equally many rows; the value of a
        column, as a category; the nearest center of k-means.
    column : int, default=0
        For "quantile" and "category".
    balanced : bool, default=False
        Whether cells, more of them than experts, are shared out so that experts get equally many
        training rows, the largest cell first. Categories that training did not show are hashed.
    seed : int, default=0
        Of projections, centers and of the mixing of categories. Never Python's salted hash: the
        answer is the same in every process.

    References
    ----------
    Roller et al. (2021), Hash layers for large sparse models, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.neural.routers import HashRouter
    >>> X = np.arange(12.0).reshape(12, 1)
    >>> router = HashRouter("quantile", column=0)
    >>> router.keys(router.prepare(X, 3, None), X)
    array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    """

    def __init__(self, kind="hyperplanes", column=0, balanced=False, seed=0):
        self.kind = kind
        self.column = column
        self.balanced = balanced
        self.seed = seed

    def check(self):
        check_choice("kind", self.kind, KINDS)
        check_count("column", self.column, least=0)
        check_flag("balanced", self.balanced)
        check_count("seed", self.seed, least=0)

    def rescaled(self, n_experts):
        return clone(self)

    def specs(self, width, n_experts):
        return {}

    def initial_state(self, n_experts):
        return {}

    def prepare(self, X, n_experts, rng):
        if X is None:
            raise ValueError("router=HashRouter needs rows to look at: X is None.")
        if self.kind in ("quantile", "category") and self.column >= X.shape[1]:
            raise ValueError(
                f"router=HashRouter: column={self.column} is not there; "
                f"allowed are 0 to {X.shape[1] - 1}."
            )
        n_cells = n_experts * (_CELLS if self.balanced else 1)
        state = {"experts": np.arange(n_cells) % n_experts}
        state |= getattr(self, f"_prepare_{self.kind}")(X, n_cells)
        if self.balanced:
            known, counts = np.unique(self._cells(state, X), return_counts=True)
            state["experts"] = _share_out(known, counts, state["experts"], n_experts)
        return state

    def keys(self, state, X):
        return state["experts"][self._cells(state, X)]

    def forward(self, theta, state, h, run, key):
        choice = Choice(run.keys[key][:, None])
        weight = np.ones((len(h), 1), dtype=h.dtype)
        routing = Routing(choice.experts, weight, None)
        n_experts = int(state["experts"].max()) + 1
        routing.report = report_of(choice, weight, None, None, n_experts, run.watch)
        return routing

    def backward(self, theta, routing, dweight, grad, run, need_input):
        return None

    def _cells(self, state, X):
        return getattr(self, f"_{self.kind}")(state, np.asarray(X, dtype=np.float64))

    def _prepare_hyperplanes(self, X, n_cells):
        n_planes = int(np.ceil(np.log2(max(2, n_cells))))
        planes = np.random.default_rng(self.seed).standard_normal((X.shape[1], n_planes))
        return {"planes": planes, "offset": np.asarray(X, dtype=np.float64).mean(axis=0) @ planes}

    def _hyperplanes(self, state, X):
        # A plain sum: a product's rounding may depend on the number of rows.
        side = np.einsum("nd,dm->nm", X, state["planes"]) > state["offset"]
        code = side @ (1 << np.arange(side.shape[1]))
        return code % len(state["experts"])

    def _prepare_quantile(self, X, n_cells):
        levels = np.arange(1, n_cells) / n_cells
        return {"edges": np.quantile(np.asarray(X[:, self.column], dtype=np.float64), levels)}

    def _quantile(self, state, X):
        return np.searchsorted(state["edges"], X[:, self.column], side="right")

    def _prepare_category(self, X, n_cells):
        return {}

    def _category(self, state, X):
        return (mix_bits(X[:, self.column], self.seed) % len(state["experts"])).astype(np.intp)

    def _prepare_kmeans(self, X, n_cells):
        from sklearn.cluster import KMeans  # slow to import, and seldom wanted

        n_cells = min(n_cells, len(np.unique(X, axis=0)))
        means = KMeans(n_cells, n_init=1, random_state=self.seed)
        centers = means.fit(np.asarray(X, dtype=np.float64)).cluster_centers_
        return {"centers": centers}

    def _kmeans(self, state, X):
        centers = state["centers"]
        cross = np.einsum("nd,cd->nc", X, centers)
        return (np.sum(centers**2, axis=1) - 2.0 * cross).argmin(axis=1)


def mix_bits(values, seed=0):
    """Return a hash of numbers that is the same everywhere, uint64 of their shape.

    The finalizer of splitmix64 on the bits of the number (Steele, Lea and Flood 2014).
    """
    bits = (np.asarray(values, dtype=np.float64) + 0.0).view(np.uint64)
    golden, first, second = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
    mask = (1 << 64) - 1
    bits = bits + np.uint64((seed + 1) * golden & mask)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(first)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(second)
    return bits ^ (bits >> np.uint64(31))


def _share_out(known, counts, experts, n_experts):
    """Return experts (cells,): the largest cells first, each to the expert with the fewest rows."""
    experts, load = experts.copy(), np.zeros(n_experts)
    for cell, count in sorted(zip(known, counts, strict=True), key=lambda pair: -pair[1]):
        experts[cell] = load.argmin()
        load[experts[cell]] += count
    return experts
