"""Soft mixture of experts: slots are convex combinations of tokens."""

from dataclasses import dataclass
from typing import final

import numpy as np

from skmoe.neural.bank import ExpertBank
from skmoe.neural.layers import Layer, LayerNorm
from skmoe.neural.parameters import Spec, normal, ones

__all__ = ["SoftMixtureLayer"]


@dataclass(frozen=True)
class EvenDispatch:
    """Every expert has the same number of slots."""

    n_experts: int
    rows: int

    @property
    def counts(self):
        """Slots of the experts, (E,)."""
        return np.full(self.n_experts, self.rows)

    def stacked(self, A):
        """Return the rows of A (slots, w) by expert: one array (E, rows, w)."""
        return [A.reshape(self.n_experts, self.rows, A.shape[1])]

    def of(self, A):
        """Return A (E, ...), all experts together."""
        return [A]


@final
class SoftMixtureLayer(Layer):
    """y = h + soft mixture of the tokens of h.

    Parameters
    ----------
    name : str
    shape : skmoe.neural.mixture.BlockShape
    n_tokens : int or None
        Tokens are so many chunks of the row's own vector; None: the rows of the batch are.
    n_slots : int
        Slots of an expert.
    decay : float
        Of the running mean of the slots, when rows are tokens.
    beside : SharedExpert or None

    Notes
    -----
    scores = l2norm(tokens) (scale * l2norm(Phi)); dispatch D = softmax over tokens, combine
    C = softmax over slots; slots = D' tokens; output C f(slots). When rows are tokens the slots
    are frozen at their running mean for predictions, which then depend on a row's own C alone.

    References
    ----------
    Puigcerver et al. (2023), From sparse to soft mixtures of experts, section 2.
    """

    def __init__(self, name, shape, n_tokens, n_slots, decay, beside=None):
        if shape.n_in != shape.n_out:
            raise ValueError("a soft mixture needs an output as wide as its input.")
        self.name, self.shape, self.beside, self.decay = name, shape, beside, decay
        self.n_tokens = None if n_tokens is None else min(n_tokens, max(1, shape.n_in // 2))
        self.width = shape.n_in if n_tokens is None else -(-shape.n_in // self.n_tokens)
        self.n_slots = n_slots * shape.n_experts
        self.bank = ExpertBank(
            shape.n_experts, self.width, shape.hidden, self.width, shape.activation
        )
        self.norm = LayerNorm(shape.n_in) if shape.norm else None

    def specs(self):
        specs = {
            "Phi": Spec((self.width, self.n_slots), normal(1.0)),
            "scale": Spec((1,), ones),
            "experts": self.bank.specs(),
        }
        if self.norm:
            specs["norm"] = self.norm.specs()
        if self.beside:
            specs["beside"] = self.beside.specs()
        return specs

    def initial_state(self):
        """Return the frozen slots, where rows are tokens."""
        frozen = np.full((self.n_slots, self.width), np.nan)
        return {"slots": frozen} if self.n_tokens is None else {}

    def forward(self, theta, x, run):
        h, norm_cache = x, None
        if self.norm:
            h, norm_cache = self.norm.forward(theta["norm"], x, run)
        tokens = self._tokens(h)
        match = _Match(tokens, theta["Phi"], theta["scale"])
        C = _softmax(match.scores, axis=2)
        D = slots = None
        if self.n_tokens is None and not run.training:
            slots = run.state[self.name]["slots"][None].astype(h.dtype)
        else:
            D = _softmax(match.scores, axis=1)
            slots = D.swapaxes(1, 2) @ tokens
            self._remember(slots, run)
        answers, bank_cache, dispatch = self._ask(theta, slots, run)
        y = self._rows(C @ answers, len(x))
        self._report(C, run, len(x))
        beside_cache = None
        if self.beside:
            y, beside_cache = self.beside.forward(theta["beside"], h, y, run)
        if self.shape.skip:
            y = y + x
        cache = (norm_cache, tokens, match, C, D, answers, bank_cache, dispatch, beside_cache)
        return y, cache

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        norm_cache, tokens, match, C, D, answers, bank_cache, dispatch, beside_cache = cache
        dmoe, dh = dy, None
        if self.beside:
            dmoe, dh = self.beside.backward(
                theta["beside"], beside_cache, dy, grad["beside"], run, True
            )
        dtokens_out = self._tokens(dmoe)
        dscores = _through_softmax(C, dtokens_out @ answers.swapaxes(1, 2), axis=2)
        danswers = self._by_expert(C.swapaxes(1, 2) @ dtokens_out)
        dslots = self.bank.backward(
            theta["experts"],
            bank_cache,
            danswers,
            grad["experts"],
            dispatch,
            run.buffers,
            self.name,
        )
        dslots = self._by_row(dslots, len(tokens))
        dscores += _through_softmax(D, tokens @ dslots.swapaxes(1, 2), axis=1)
        dtokens = D @ dslots
        dtokens += match.backward(dscores, grad)
        through = self._rows(dtokens, len(dy))
        dh = through if dh is None else dh + through
        if self.norm:
            dh = self.norm.backward(theta["norm"], norm_cache, dh, grad["norm"], run, need_input)
        if not need_input:
            return None
        return dh + dy if self.shape.skip else dh

    def _tokens(self, h):
        """Return the tokens (m, T, c) of rows (n, d): m = n, or m = 1 if rows are tokens."""
        if self.n_tokens is None:
            return h[None]
        padded = np.zeros((len(h), self.n_tokens * self.width), h.dtype)
        padded[:, : h.shape[1]] = h
        return padded.reshape(len(h), self.n_tokens, self.width)

    def _rows(self, tokens, n_rows):
        return tokens.reshape(n_rows, -1)[:, : self.shape.n_in]

    def _ask(self, theta, slots, run):
        """Return the experts' answers (m, S, c) to slots (m, S, c)."""
        sorted_slots = self._by_expert(slots)
        rows = np.concatenate([sorted_slots, np.ones((len(sorted_slots), 1), slots.dtype)], axis=1)
        dispatch = EvenDispatch(self.shape.n_experts, len(rows) // self.shape.n_experts)
        answers, cache = self.bank.forward(theta["experts"], rows, dispatch, run.buffers, self.name)
        return self._by_row(answers, len(slots)), cache, dispatch

    def _by_expert(self, slots):
        """Return slots (m, E s, c) sorted by expert, (E m s, c)."""
        m, _, c = slots.shape
        split = slots.reshape(m, self.shape.n_experts, -1, c)
        return np.ascontiguousarray(split.transpose(1, 0, 2, 3)).reshape(-1, c)

    def _by_row(self, rows, m):
        split = rows.reshape(self.shape.n_experts, m, -1, rows.shape[1])
        return split.transpose(1, 0, 2, 3).reshape(m, self.n_slots, -1)

    def _remember(self, slots, run):
        if self.n_tokens is not None or not run.training:
            return
        frozen = run.state[self.name]["slots"]
        new = np.isnan(frozen)
        frozen[...] = np.where(new, slots[0], self.decay * frozen + (1.0 - self.decay) * slots[0])

    def _report(self, C, run, n_rows):
        n_experts = self.shape.n_experts
        per_token = C.reshape(*C.shape[:2], n_experts, -1).sum(axis=3)
        share = per_token.reshape(n_rows, -1, n_experts).mean(axis=1)
        if run.combine is not None:
            run.combine[self.name] = share
        report = {"rows": n_rows, "wanted": n_rows, "taken": n_rows, "routed": n_rows}
        report |= {"load": np.full(n_experts, n_rows), "importance": share.sum(axis=0)}
        if run.watch:
            logs = np.log(np.maximum(share, np.finfo(share.dtype).tiny))
            report["watched"] = n_rows
            report["row_entropy"] = float(-np.sum(share * logs))
            report["mean_affinity"] = share.sum(axis=0, dtype=np.float64)
        run.reports[self.name] = report


class _Match:
    """scores = l2norm(tokens) (scale * l2norm(Phi)), (m, T, S)."""

    def __init__(self, tokens, Phi, scale):
        self.scale = scale
        self.lengths = _lengths(tokens, axis=2)
        self.units = tokens / self.lengths
        self.widths = _lengths(Phi, axis=0)
        self.columns = Phi / self.widths
        self.cosine = self.units @ self.columns
        self.scores = scale * self.cosine

    def backward(self, dscores, grad):
        """Write the gradients of Phi and scale; return that of the tokens."""
        grad["scale"][...] = np.sum(dscores * self.cosine)
        dcosine = dscores * self.scale
        units = self.units.reshape(-1, self.units.shape[2])
        dcolumns = units.T @ dcosine.reshape(len(units), -1)
        along = np.sum(dcolumns * self.columns, axis=0)
        grad["Phi"][...] = (dcolumns - self.columns * along) / self.widths
        dunits = dcosine @ self.columns.T
        along = np.sum(dunits * self.units, axis=2, keepdims=True)
        return (dunits - self.units * along) / self.lengths


def _lengths(A, axis):
    lengths = np.sqrt(np.sum(np.square(A), axis=axis, keepdims=True))
    return np.maximum(lengths, A.dtype.type(1e-6))


def _softmax(A, axis):
    share = np.exp(A - A.max(axis=axis, keepdims=True))
    share /= share.sum(axis=axis, keepdims=True)
    return share


def _through_softmax(share, gradient, axis):
    along = np.sum(share * gradient, axis=axis, keepdims=True)
    return share * (gradient - along)
