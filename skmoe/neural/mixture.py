"""The mixture layer: a router, a bank of experts, and what stands beside them."""

from dataclasses import dataclass
from typing import final

import numpy as np

from skmoe.neural.bank import ExpertBank
from skmoe.neural.dispatch import Dispatch
from skmoe.neural.layers import FeedForward, Layer, LayerNorm, Linear
from skmoe.neural.sums import row_sums

__all__ = ["BlockShape", "GatedExpert", "MixtureLayer", "SharedExpert", "with_ones"]


@dataclass(frozen=True)
class BlockShape:
    """Widths and options of a mixture layer.

    Attributes
    ----------
    n_experts, n_in, n_out : int
    hidden : int or None
        Width of the experts' hidden layer; None: an expert is linear-activation.
    activation : str
    norm : bool
        Whether rows are normalized first (pre-norm).
    skip : bool
        Whether the input is added to the output. Rows that no expert takes pass through there.
    shared : bool
        Whether an expert that sees every row stands beside the routed ones.
    """

    n_experts: int
    n_in: int
    n_out: int
    hidden: int | None
    activation: str = "relu"
    norm: bool = False
    skip: bool = True
    shared: bool = False

    def bank(self):
        """Return the bank of routed experts."""
        return ExpertBank(self.n_experts, self.n_in, self.hidden, self.n_out, self.activation)

    def feed_forward(self):
        """Return one dense network of the size of an expert."""
        return FeedForward(self.n_in, self.hidden or self.n_out, self.n_out, self.activation)


@final
class SharedExpert:
    """y = moe + FFN(h): an expert that sees every row, beside the routed ones (DeepSeek)."""

    def __init__(self, shape):
        self.layer = shape.feed_forward()

    def specs(self):
        """Return the parameters."""
        return self.layer.specs()

    def forward(self, theta, h, moe, run):
        """Return the output and the cache."""
        y, cache = self.layer.forward(theta, h, run)
        y += moe
        return y, cache

    def backward(self, theta, cache, dy, grad, run, need_input):
        """Return the gradients of the routed experts' output and of h."""
        return dy, self.layer.backward(theta, cache, dy.copy(), grad, run, need_input)


@final
class GatedExpert:
    """y = (1 - g) FFN(h) + g moe, g = sigmoid(h w + b); loss weight * abs(mean g - budget).

    Parameters
    ----------
    shape : BlockShape
    weight : float, default=0.1
    budget : float, default=0.8

    References
    ----------
    NLLB Team (2022), No language left behind, section 6.2 (conditional MoE routing).
    """

    def __init__(self, shape, weight=0.1, budget=0.8):
        self.layer, self.gate = shape.feed_forward(), Linear(shape.n_in, 1)
        self.weight, self.budget = weight, budget

    def specs(self):
        """Return the parameters."""
        return {"ffn": self.layer.specs(), "gate": self.gate.specs()}

    def forward(self, theta, h, moe, run):
        """Return the output and the cache; the budget's loss is added to the run."""
        dense, cache = self.layer.forward(theta["ffn"], h, run)
        score, gate_cache = self.gate.forward(theta["gate"], h, run)
        with np.errstate(over="ignore"):
            g = 1 / (1 + np.exp(-score))
        excess = float(g.mean()) - self.budget
        if run.training:
            run.loss += self.weight * abs(excess)
        return dense + g * (moe - dense), (cache, gate_cache, dense, moe, g, excess)

    def backward(self, theta, cache, dy, grad, run, need_input):
        """Return the gradients of the routed experts' output and of h."""
        cache, gate_cache, dense, moe, g, excess = cache
        dg = np.einsum("nd,nd->n", dy, moe - dense)[:, None]
        dg += g.dtype.type(self.weight * np.sign(excess) / len(g))
        dg *= g * (1 - g)
        dh = self.gate.backward(theta["gate"], gate_cache, dg, grad["gate"], run, need_input)
        dense_dh = self.layer.backward(
            theta["ffn"], cache, dy * (1 - g), grad["ffn"], run, need_input
        )
        return dy * g, dh + dense_dh if need_input else None


@final
class MixtureLayer(Layer):
    """y = h + sum_i w_i(h) f_i(h) over the experts that the router chose for the row.

    Parameters
    ----------
    name : str
        Under which state, keys and reports are kept.
    router : skmoe.neural.routers.Router
    shape : BlockShape
    beside : SharedExpert, GatedExpert or None, default=None

    Notes
    -----
    Rows are sorted by expert: one product per expert and layer, whatever the number of rows. With
    ``shape.norm``, router and experts see the normalized row and the sum is added to the row as
    it was (pre-norm).
    """

    def __init__(self, name, router, shape, beside=None):
        self.name, self.router, self.shape, self.beside = name, router, shape, beside
        self.bank = shape.bank()
        self.norm = LayerNorm(shape.n_in) if shape.norm else None
        self.skip = shape.skip and shape.n_in == shape.n_out
        self.interpolates = router.interpolates and self.skip

    def specs(self):
        specs = {"router": self.router.specs(self.shape.n_in, self.shape.n_experts)}
        specs["experts"] = self.bank.specs()
        if self.norm:
            specs["norm"] = self.norm.specs()
        if self.beside:
            specs["beside"] = self.beside.specs()
        return specs

    def initial_state(self):
        """Return the router's state."""
        return self.router.initial_state(self.shape.n_experts)

    def forward(self, theta, x, run):
        norm_cache = None
        h = x
        if self.norm:
            h, norm_cache = self.norm.forward(theta["norm"], x, run)
        routing = self.router.forward(theta["router"], run.state[self.name], h, run, self.name)
        run.reports[self.name] = routing.report
        if run.combine is not None:
            run.combine[self.name] = dense_weights(routing, self.shape.n_experts)
        dispatch = Dispatch(routing.experts, routing.kept, self.shape.n_experts)
        answers, bank_cache = self._ask(theta, h, dispatch, run)
        scratch = run.buffers.get(self.name + "/combine", (len(h), self.shape.n_out), h.dtype)
        y = dispatch.combine(answers, routing.weight, scratch)
        beside_cache = None
        if self.beside:
            y, beside_cache = self.beside.forward(theta["beside"], h, y, run)
        rest = None
        if self.interpolates:
            rest = 1 - routing.weight.sum(axis=1, keepdims=True)
            y += rest * x
        elif self.skip:
            y += x
        routed = routing, dispatch, answers, bank_cache
        return y, (x, norm_cache, routed, beside_cache, rest)

    def _ask(self, theta, h, dispatch, run):
        rows = with_ones(h, run.buffers.get(self.name + "/h", (len(h), h.shape[1] + 1), h.dtype))
        slots = run.buffers.get(self.name + "/x", (dispatch.n_slots, rows.shape[1]), h.dtype)
        dispatch.gather(rows, slots)
        return self.bank.forward(theta["experts"], slots, dispatch, run.buffers, self.name)

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        x, norm_cache, routed, beside_cache, rest = cache
        routing, dispatch, answers, bank_cache = routed
        # Gradients of the normalized row are needed for the norm's own parameters.
        need_h = need_input or self.norm is not None
        through_skip = self._skip_gradient(dy, rest) if need_input else None
        dmoe, dh = dy, None
        if self.beside:
            dmoe, dh = self.beside.backward(
                theta["beside"], beside_cache, dy, grad["beside"], run, need_h
            )
        slots, by_weight = run.buffers.get(self.name + "/dy", (2, *answers.shape), x.dtype)
        dispatch.gather(np.ascontiguousarray(dmoe), slots)
        np.multiply(slots, answers, out=by_weight)
        dweight = dispatch.to_choices(row_sums(by_weight))
        if rest is not None:
            dweight = dweight - np.einsum("nd,nd->n", dy, x)[:, None]
        slots *= dispatch.to_slots(routing.weight)[:, None]
        through = self._through_bank(theta, bank_cache, slots, grad, dispatch, run, need_h)
        dh = _plus(dh, through)
        through = self.router.backward(
            theta["router"], routing, dweight, grad["router"], run, need_h
        )
        dh = _plus(dh, through)
        if self.norm:
            dh = self.norm.backward(theta["norm"], norm_cache, dh, grad["norm"], run, need_input)
        return _plus(dh, through_skip) if need_input else None

    def _through_bank(self, theta, cache, dslots, grad, dispatch, run, need_input):
        dx = self.bank.backward(
            theta["experts"],
            cache,
            dslots,
            grad["experts"],
            dispatch,
            run.buffers,
            self.name,
            need_input,
        )
        if not need_input:
            return None
        scratch = run.buffers.get(self.name + "/dh", (dispatch.shape[0], dx.shape[1]), dx.dtype)
        return dispatch.combine(dx, None, scratch)

    def _skip_gradient(self, dy, rest):
        if rest is not None:
            return dy * rest
        return dy if self.skip else None


def with_ones(h, out):
    """Write h (n, d) and a last column of ones to ``out`` (n, d + 1)."""
    out[:, :-1] = h
    out[:, -1] = 1.0
    return out


def dense_weights(routing, n_experts):
    """Return the combine weights of a routing as a table (n, E)."""
    n, k = routing.experts.shape
    table, lines = np.zeros((n, n_experts), routing.weight.dtype), np.arange(n)
    for j in range(k):
        table[lines, routing.experts[:, j]] += routing.weight[:, j]
    return table


def _plus(a, b):
    if a is None or b is None:
        return b if a is None else a
    return a + b
