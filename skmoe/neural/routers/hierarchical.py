"""The hierarchical sparse gate: a primary gate over groups, a secondary one within each."""

from typing import final

import numpy as np
from sklearn.base import clone

from skmoe._math.checks import check_count, check_number
from skmoe._math.logspace import softmax
from skmoe.neural.routers.balance import SmoothLoad, squared_variation
from skmoe.neural.routers.base import Choice, Router, Routing, Scores
from skmoe.neural.routers.reports import report_of
from skmoe.neural.routers.scores import NoisyScore
from skmoe.neural.routers.selection import top_k

__all__ = ["HierarchicalRouter"]


@final
class HierarchicalRouter(Router):
    """Noisy top k over groups of experts, then noisy top k over the experts of each chosen group.

    Parameters
    ----------
    n_groups : int or None, default=None
        Groups a, of b = E / a experts each; None: the divisor of E next to its root that leaves
        enough of both.
    top_groups, top_k : int, default=2, 1
        Groups of a row, and experts of each of these groups.
    importance, load : float, default=0.1
        Weights of the losses.

    Notes
    -----
    The weight of expert j of group i is G_i(h) G_ij(h), each gate a softmax over what it kept.
    Importance_ij = sum over rows of the weights, and
    Load_ij = Load_primary_i * Load_i(X_i)_j / |X_i| with X_i the rows that chose group i. The
    losses are weights times CV^2 over all experts. A gate that keeps one entry weighs it by its
    probability among all, since 1 would teach it nothing.

    References
    ----------
    Shazeer et al. (2017), appendix B, equations 12 to 14.

    Examples
    --------
    As ``router`` of an estimator:

    >>> from skmoe import SparseMixtureOfExpertsRegressor
    >>> from skmoe.neural.routers import HierarchicalRouter
    >>> router = HierarchicalRouter(n_groups=4, top_groups=2)
    >>> est = SparseMixtureOfExpertsRegressor(16, router=router)
    """

    def __init__(self, n_groups=None, top_groups=2, top_k=1, importance=0.1, load=0.1):
        self.n_groups = n_groups
        self.top_groups = top_groups
        self.top_k = top_k
        self.importance = importance
        self.load = load

    def check(self):
        if self.n_groups is not None:
            check_count("n_groups", self.n_groups)
        for name in ("top_groups", "top_k"):
            check_count(name, getattr(self, name))
        for name in ("importance", "load"):
            check_number(name, getattr(self, name))

    def rescaled(self, n_experts):
        if 1 in (self.top_groups, self.top_k):
            return super().rescaled(n_experts)
        return clone(self)

    def groups(self, n_experts):
        """Return the number of groups a and their size b."""
        if self.n_groups is None:
            fitting = [
                a for a in range(self.top_groups, n_experts // self.top_k + 1) if n_experts % a == 0
            ]
            a = min(fitting or [1], key=lambda a: abs(np.log(a) - 0.5 * np.log(n_experts)))
        else:
            a = self.n_groups
        if n_experts % a or self.top_groups > a or self.top_k > n_experts // a:
            raise ValueError(
                f"router=HierarchicalRouter: n_groups={a}, top_groups={self.top_groups} and "
                f"top_k={self.top_k} do not fit n_experts={n_experts}; groups are of equal size, "
                "and hold at least top_k experts each."
            )
        return a, n_experts // a

    def specs(self, width, n_experts):
        a, _ = self.groups(n_experts)
        score = NoisyScore()
        return {"primary": score.specs(width, a), "secondary": score.specs(width, n_experts)}

    def initial_state(self, n_experts):
        return {}

    def forward(self, theta, state, h, run, key):
        score = NoisyScore()
        primary = score.forward(theta["primary"], h, run)
        secondary = score.forward(theta["secondary"], h, run)
        gates = _Gates(primary, secondary, self.top_groups, self.top_k)
        weight, experts = gates.weight(), gates.experts
        slope = None
        if run.training:
            loss, slope = self._balance(gates, experts, weight)
            run.loss += loss
        routing = Routing(experts, weight, None, (score, gates, slope))
        choice, n_experts = Choice(experts), secondary.logits.shape[1]
        whole = _whole_affinity(primary, secondary) if run.watch else None
        routing.report = report_of(choice, weight, None, whole, n_experts, run.watch)
        return routing

    def _balance(self, gates, experts, weight):
        n_experts = gates.secondary.logits.shape[1]
        amounts = np.bincount(experts.T.ravel(), weight.T.ravel(), minlength=n_experts)
        loss, slope = squared_variation(amounts)
        total = self.importance * loss + self.load * gates.load_loss(self.load)
        return total, (self.importance * slope).astype(weight.dtype)[experts]

    def backward(self, theta, routing, dweight, grad, run, need_input):
        score, gates, slope = routing.cache
        gates.backward(dweight if slope is None else dweight + slope)
        dh = score.backward(theta["primary"], gates.primary, grad["primary"], need_input)
        other = score.backward(theta["secondary"], gates.secondary, grad["secondary"], need_input)
        return dh + other if need_input else None


class _Gates:
    """Both gates of a block of rows.

    Attributes
    ----------
    groups : (n, g) chosen groups; inner : (n g, t) chosen experts within the chosen groups
    experts : (n, g t) their numbers among all
    """

    def __init__(self, primary, secondary, n_chosen, n_inner):
        self.primary, self.secondary = primary, secondary
        n, a = primary.logits.shape
        self.shape = n, a, secondary.logits.shape[1] // a
        b = self.shape[2]
        self.groups = np.ascontiguousarray(top_k(primary.logits, n_chosen))
        # Columns of the secondary scores that belong to the chosen groups, (n g, b).
        self.columns = (self.groups[:, :, None] * b + np.arange(b)).reshape(n, -1)
        self.logits = self._of_groups(secondary.logits)
        self.inner = np.ascontiguousarray(top_k(self.logits, n_inner))
        self.outer_gate = _Kept(primary.affinity, self.groups)
        self.inner_gate = _Kept(softmax(self.logits), self.inner)
        numbers = np.take_along_axis(self.columns.reshape(-1, b), self.inner, axis=1)
        self.experts = numbers.reshape(n, -1)

    def _of_groups(self, A):
        A = np.ascontiguousarray(A)
        return np.take_along_axis(A, self.columns, axis=1).reshape(-1, self.shape[2])

    def weight(self):
        """Return the products of both gates (n, g t)."""
        n, n_chosen = self.groups.shape
        inner = self.inner_gate.weight.reshape(n, n_chosen, -1)
        return (self.outer_gate.weight[:, :, None] * inner).reshape(n, -1)

    def load_loss(self, weight):
        """Return CV^2 of the load, and add ``weight`` times its gradient to the scores'."""
        n, a, b = self.shape
        smooth = self._smooth_outer(), self._smooth_inner()
        outer = np.full((n, a), 1.0) if smooth[0] is None else smooth[0].probability
        inner = np.ones_like(self.logits) if smooth[1] is None else smooth[1].probability
        chosen = self.groups.ravel()
        rows = np.maximum(np.bincount(chosen, minlength=a), 1)
        per_group = outer.sum(axis=0, dtype=np.float64)
        within = np.zeros((a, b))
        np.add.at(within, chosen, inner)
        loss, slope = squared_variation((per_group[:, None] * within / rows[:, None]).ravel())
        slope = weight * slope.reshape(a, b)
        if smooth[0] is not None:
            along = np.sum(slope * within, axis=1) / rows
            self._add(self.primary, smooth[0].backward(along.astype(outer.dtype)), None)
        if smooth[1] is not None:
            pull = slope * (per_group / rows)[:, None]
            pull = pull.astype(inner.dtype)[chosen]
            self._add(self.secondary, smooth[1].backward(pull), self.columns)
        return loss

    def _smooth_outer(self):
        s, k = self.primary, self.groups.shape[1]
        if k >= self.shape[1]:
            return None
        return SmoothLoad(s.clean, s.logits, s.sigma, top_k(s.logits, k + 1))

    def _smooth_inner(self):
        s, k = self.secondary, self.inner.shape[1]
        if k >= self.shape[2]:
            return None
        clean, sigma = self._of_groups(s.clean), self._of_groups(s.sigma)
        return SmoothLoad(clean, self.logits, sigma, top_k(self.logits, k + 1))

    def _add(self, scores, gradients, columns):
        for name, gradient in zip(("clean", "logits", "sigma"), gradients, strict=True):
            if columns is not None:
                gradient = self._spread(gradient)
            scores.add(name, gradient)

    def _spread(self, gradient):
        """Return a gradient (n g, b) at its columns among all experts, (n, E)."""
        full = np.zeros(self.secondary.logits.shape, gradient.dtype)
        np.put_along_axis(full, self.columns, gradient.reshape(len(full), -1), axis=1)
        return full

    def backward(self, dweight):
        """Add the gradient of the weights (n, g t) to that of both gates' scores."""
        n, n_chosen = self.groups.shape
        dweight = dweight.reshape(n, n_chosen, -1)
        inner = self.inner_gate.weight.reshape(n, n_chosen, -1)
        self.primary.add("affinity", self.outer_gate.backward((dweight * inner).sum(axis=2)))
        through = (dweight * self.outer_gate.weight[:, :, None]).reshape(n * n_chosen, -1)
        p = self.inner_gate.affinity
        dp = self.inner_gate.backward(through)
        dlogits = p * (dp - np.einsum("ne,ne->n", dp, p)[:, None])
        self.secondary.add("logits", self._spread(dlogits))


class _Kept:
    """Affinities of the chosen entries, divided by their sum if there are several."""

    def __init__(self, affinity, chosen):
        self.affinity, self.chosen = affinity, chosen
        picked = affinity[np.arange(len(affinity))[:, None], chosen]
        self.norm = picked.sum(axis=1, keepdims=True) if chosen.shape[1] > 1 else None
        self.weight = picked if self.norm is None else picked / self.norm

    def backward(self, dweight):
        """Return the gradient of the affinities."""
        if self.norm is not None:
            along = np.sum(dweight * self.weight, axis=1, keepdims=True)
            dweight = (dweight - along) / self.norm
        full = np.zeros(self.affinity.shape, self.affinity.dtype)
        np.put_along_axis(full, self.chosen, dweight, axis=1)
        return full


def _whole_affinity(primary, secondary):
    """Return the scores whose affinities are the products of both gates before any selection."""
    n, a = primary.logits.shape
    inner = softmax(np.ascontiguousarray(secondary.logits).reshape(n * a, -1)).reshape(n, a, -1)
    whole = (primary.affinity[:, :, None] * inner).reshape(n, -1)
    return Scores(secondary.logits, whole, "softmax", secondary.logits)
