"""The network: layers, their numbers in one buffer, the routers' state, and a head."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import final

import numpy as np

from skmoe.neural.embeddings import EMBEDDINGS
from skmoe.neural.layers import Activated, Dropout, LayerNorm, Linear, Residual, Sequential
from skmoe.neural.mixture import BlockShape
from skmoe.neural.parameters import Layout
from skmoe.neural.run import Buffers, Run

__all__ = ["Network", "Plan", "build_network"]

# Rows answered at a time.
_ANSWER_ROWS = 2048


@dataclass(frozen=True)
class Plan:
    """What a network of mixture blocks looks like.

    Attributes
    ----------
    router : skmoe.neural.routers.Router or None
        None: a dense network.
    n_experts : int
    hidden : int
        Width of an expert's hidden layer.
    shallow : bool
        Whether experts are linear-activation, and blocks replace their input.
    n_blocks, mixture_every : int
        Every so manieth block, counted from the last, is a mixture; the others are dense.
    width : int or None
        Columns that run through the blocks, made by a linear layer first; None: the features
        themselves for one block without an embedding, else ``hidden``.
    activation : str
    shared_expert : bool
    dropout : float
    numeric_embedding : str or None
    """

    router: object
    n_experts: int
    hidden: int
    shallow: bool = False
    n_blocks: int = 1
    mixture_every: int = 1
    width: int | None = None
    activation: str = "relu"
    shared_expert: bool = False
    dropout: float = 0.0
    numeric_embedding: str | None = None

    @property
    def mixtures(self):
        """Numbers of the blocks that are mixtures."""
        if self.router is None:
            return ()
        last = self.n_blocks - 1
        return tuple(i for i in range(self.n_blocks) if (last - i) % self.mixture_every == 0)


def build_network(plan, head, X):
    """Return the `Network` of a plan for standardized rows X (n, d)."""
    layers, width = _entrance(plan, X)
    mixtures = {}
    for i in range(plan.n_blocks):
        n_out = plan.hidden if plan.shallow else width
        norm = "enter" in layers and not plan.shallow
        if i in plan.mixtures:
            block = _mixture_block(plan, f"block{i}", width, n_out, norm)
            mixtures[f"block{i}"] = block
        else:
            block = _dense_block(plan, width, n_out, norm)
        layers[f"block{i}"], width = block, n_out
        if plan.dropout:
            layers[f"drop{i}"] = Dropout(plan.dropout)
    # Answers start next to where the head says: densities that start at random start badly.
    layers["answer"] = Linear(width, head.n_out, gain=0.01)
    network = Network(Sequential(**layers), mixtures, head)
    network.n_features = X.shape[1]
    return network


def _entrance(plan, X):
    """Return the layers in front of the blocks, and how many columns they hand on."""
    layers, width = {}, X.shape[1]
    if plan.numeric_embedding is not None:
        layers["embed"] = EMBEDDINGS[plan.numeric_embedding](X)
        width = layers["embed"].n_out
    several = plan.n_blocks > 1 or plan.numeric_embedding is not None
    wanted = plan.width or (plan.hidden if several else None)
    if wanted is not None and not (plan.shallow and plan.width is None):
        layers["enter"] = Linear(width, wanted)
        width = wanted
    return layers, width


def _mixture_block(plan, name, width, n_out, norm):
    shape = BlockShape(
        n_experts=plan.n_experts,
        n_in=width,
        n_out=n_out,
        hidden=None if plan.shallow else plan.hidden,
        activation=plan.activation,
        norm=norm,
        skip=not plan.shallow,
        shared=plan.shared_expert,
    )
    return plan.router.layer(name, shape)


def _dense_block(plan, width, n_out, norm):
    if plan.shallow:
        return Sequential(expand=Linear(width, n_out, gain=2.0), bend=Activated(plan.activation))
    parts = {"norm": LayerNorm(width)} if norm else {}
    parts["expand"] = Linear(width, plan.hidden, gain=2.0)
    parts["bend"] = Activated(plan.activation)
    return Residual(Sequential(**parts, contract=Linear(plan.hidden, width)))


@final
class Network:
    """Layers with a head.

    Parameters
    ----------
    body : skmoe.neural.layers.Layer
    mixtures : dict
        Name -> mixture layer, those of the body that have a router.
    head : skmoe.neural.heads.Head

    Attributes
    ----------
    layout : skmoe.neural.parameters.Layout
        Where the parameters live in the flat buffer.
    n_features : int or None
        Columns of X, where a plan built the network.
    """

    def __init__(self, body, mixtures, head):
        self.body, self.mixtures, self.head = body, mixtures, head
        self.n_features = None

    @property
    def layout(self):
        return Layout(self.body.specs())

    def init(self, rng):
        """Return first parameters, float64 (size,)."""
        layout = self.layout
        theta = layout.init(rng)
        views = layout.views(theta)
        if "answer" in views:
            views["answer"]["W"][-1] = self.head.bias()
        return theta

    def initial_state(self, X, rng):
        """Return the routers' state, fixed hashes from the rows X (n, d) included."""
        state = {}
        for name, layer in self.mixtures.items():
            prepared = layer.router.prepare(X, layer.shape.n_experts, rng) if _routes(layer) else {}
            state[name] = layer.initial_state() | prepared
        return state

    def keys(self, state, X):
        """Return name -> experts (n,) that are fixed by the rows X (n, d)."""
        found = {}
        for name, layer in self.mixtures.items():
            keys = layer.router.keys(state[name], X) if _routes(layer) else None
            if keys is not None:
                found[name] = keys
        return found

    def step(self, theta, grad, batch, run):
        """Write the gradient of the objective on a batch to ``grad``; return the data loss.

        Parameters
        ----------
        theta, grad : dict
            Views of parameters and gradient.
        batch : tuple of ndarrays
            Rows X (n, d), answers y, and weights (n,) or None for ones.
        run : skmoe.neural.run.Run
        """
        X, y, weight = batch
        out, cache = self.body.forward(theta, X, run)
        losses, dout = self.head.loss(out, y)
        if weight is not None:
            losses = losses * weight
            dout *= weight[:, None]
        dout *= dout.dtype.type(1.0 / len(X))
        run.row_loss = losses
        self.body.backward(theta, cache, dout, grad, run, need_input=False)
        return float(losses.mean(dtype=np.float64))

    def outputs(self, theta, state, X, combine=None, n_threads=1):
        """Return the outputs (n, n_out) for predictions, row by row.

        Parameters
        ----------
        theta : dict
        state : dict
        X : ndarray of shape (n, d)
        combine : dict or None, default=None
            Filled with name -> combine weights (n, E) of the mixture layers.
        n_threads : int, default=1
            Stretches of rows that are answered side by side.
        """
        n_parts = n_threads if len(X) >= 4 * _ANSWER_ROWS * n_threads else 1
        # Whole blocks, so that answers are the same to the last bit for any number of threads.
        n_blocks = -(-len(X) // _ANSWER_ROWS)
        ends = [_ANSWER_ROWS * (n_blocks * i // n_parts) for i in range(1, n_parts)]
        stretches = np.split(X, ends)

        def answer(rows):
            return self._answer(theta, state, rows, combine is not None)

        if n_parts == 1:
            parts = [answer(X)]
        else:
            with ThreadPoolExecutor(n_parts) as pool:
                parts = list(pool.map(answer, stretches))
        if combine is not None:
            for name in self.mixtures:
                combine[name] = np.concatenate([w[name] for _, found in parts for w in found])
        return parts[0][0] if n_parts == 1 else np.concatenate([out for out, _ in parts])

    def _answer(self, theta, state, X, watch):
        """Return the outputs for a stretch of rows, and the combine weights of its blocks."""
        out = np.empty((len(X), self.head.n_out), X.dtype)
        buffers, found = Buffers(), []
        for start in range(0, max(1, len(X)), _ANSWER_ROWS):
            rows = slice(start, start + _ANSWER_ROWS)
            run = Run(state=state, buffers=buffers, keys=self.keys(state, X[rows]))
            run.combine = {} if watch else None
            out[rows], _ = self.body.forward(theta, X[rows], run)
            found.append(run.combine)
        return out, found


def _routes(layer):
    return hasattr(layer, "router")
