"""The mixture of softmaxes: one output matrix, several contexts, and a gate over them."""

from typing import final

import numpy as np

from skmoe._math.logspace import log_softmax, pool_and_share
from skmoe.neural.layers import Activated, Dropout, Linear, Sequential
from skmoe.neural.parameters import Layout, Spec, normal
from skmoe.neural.run import Run

__all__ = ["MixtureOfSoftmaxes", "mixture_of_softmaxes"]

# Logits that are held in memory while rows are answered for.
_LOGITS_AT_ONCE = 1 << 18
# Logarithm of numbers whose digits are not all there.
_TINY = -690.0


@final
class MixtureOfSoftmaxes:
    """p(y | x) = sum_k pi_k(h) softmax(W a_k(h))_y with h = body(x), a network by itself.

    Parameters
    ----------
    body : skmoe.neural.layers.Sequential
        x (n, d) -> h (n, p); without layers h is x.
    gate : skmoe.neural.layers.Layer
        h -> scores (n, K), of which pi is the softmax.
    contexts : skmoe.neural.layers.Layer
        h -> a (n, K * width), expert after expert.
    n_classes : int
        C columns of W, which all experts share.
    shape : tuple (n_experts, width)

    Notes
    -----
    With the posterior r_k = pi_k p_k(y) / p(y), dlog p(y)/dscore_k = r_k - pi_k and
    dlog p(y)/dlogits_k = r_k (onehot(y) - p_k). Everything that could underflow is in logarithms.
    Outputs are log-probabilities (n, C).

    References
    ----------
    Yang, Dai, Salakhutdinov and Cohen (2018), Breaking the softmax bottleneck, equation 2.
    """

    mixtures = {}

    def __init__(self, body, gate, contexts, n_classes, shape):
        self.body, self.gate, self.contexts = body, gate, contexts
        self.n_classes, self.shape = n_classes, shape

    @property
    def head(self):
        """What makes log-probabilities of the outputs: they are."""
        return self

    @property
    def layout(self):
        """Where the parameters live in the flat buffer."""
        width = self.shape[1]
        output = Spec((width, self.n_classes), normal(width**-0.5), "all")
        parts = {"gate": self.gate.specs(), "contexts": self.contexts.specs()}
        return Layout({"body": self.body.specs()} | parts | {"output": {"W": output}})

    def init(self, rng):
        """Return first parameters, float64 (size,)."""
        return self.layout.init(rng)

    def initial_state(self, X, rng):
        """Return nothing: no number moves without a gradient."""
        return {}

    def keys(self, state, X):
        """Return nothing: no expert is fixed by the rows."""
        return {}

    def step(self, theta, grad, batch, run):
        """Write the gradient of the loss of a batch to ``grad``; return the loss.

        Arguments are those of `skmoe.neural.network.Network.step`.
        """
        X, y, weight = batch
        h, body_cache = self._features(theta, X, run)
        scores, gate_cache = self.gate.forward(theta["gate"], h, run)
        a, context_cache = self.contexts.forward(theta["contexts"], h, run)
        log_gate, W = log_softmax(scores), theta["output"]["W"]
        stacked, E = self._by_expert(a), self._logits(a, W, run.buffers)
        lines = np.arange(len(X))
        E -= E.max(axis=2, keepdims=True)
        picked = E[:, lines, y]
        np.exp(E, out=E)
        total = E.sum(axis=2)
        pooled, share = pool_and_share(log_gate + (picked - np.log(total)).T)
        scale = np.ones(len(X), X.dtype) if weight is None else weight
        scale = scale / scale.dtype.type(len(X))
        pull = (share * scale[:, None]).T
        E *= (pull / total)[:, :, None]
        E[:, lines, y] -= pull
        flat, slopes = stacked.reshape(-1, stacked.shape[2]), E.reshape(-1, self.n_classes)
        np.matmul(flat.T, slopes, out=grad["output"]["W"])
        da = (slopes @ W.T).reshape(stacked.shape).transpose(1, 0, 2).reshape(a.shape)
        dscores = (np.exp(log_gate) - share) * scale[:, None]
        need = bool(self.body.layers)
        dh = self.contexts.backward(
            theta["contexts"], context_cache, da, grad["contexts"], run, need
        )
        dh_gate = self.gate.backward(theta["gate"], gate_cache, dscores, grad["gate"], run, need)
        if need:
            dh += dh_gate
            self.body.backward(theta["body"], body_cache, dh, grad["body"], run, False)
        return float(-pooled.astype(np.float64) @ scale)

    def outputs(self, theta, state, X, combine=None, n_threads=1):
        """Return the log-probabilities (n, C) for predictions."""
        return np.concatenate([_log_sums(joint) for joint in self._joints(theta, X)])

    def log_probability(self, out):
        """Return the log-probabilities (n, C) of outputs."""
        return out

    def losses(self, theta, X, y):
        """Return -log p(y | x) for classes y (n,), shape (n,)."""
        found, start = np.empty(len(X)), 0
        for joint in self._joints(theta, X):
            rows = np.arange(joint.shape[1])
            picked = joint[:, rows, y[start : start + len(rows)]]
            found[start : start + len(rows)] = -np.logaddexp.reduce(picked, axis=0)
            start += len(rows)
        return found

    def parts(self, theta, X):
        """Return log-weights (n, K) and the experts' log-probabilities (n, K, C)."""
        log_gate, _ = self._heard(theta, X)
        joints = np.concatenate(list(self._joints(theta, X)), axis=1)
        return log_gate, joints.transpose(1, 0, 2) - log_gate[:, :, None]

    def log_gate(self, theta, X):
        """Return the log-weights (n, K)."""
        return self._heard(theta, X)[0]

    def _heard(self, theta, X):
        """Return log-weights (n, K) and contexts (n, K * width)."""
        run = Run()
        h, _ = self._features(theta, X, run)
        scores, _ = self.gate.forward(theta["gate"], h, run)
        return log_softmax(scores), self.contexts.forward(theta["contexts"], h, run)[0]

    def _joints(self, theta, X):
        """Yield log pi_k + log p_k (K, m, C) for stretches of rows."""
        step = max(1, _LOGITS_AT_ONCE // (self.shape[0] * self.n_classes))
        for start in range(0, max(1, len(X)), step):
            log_gate, a = self._heard(theta, X[start : start + step])
            logits = self._by_expert(a) @ theta["output"]["W"]
            logits -= logits.max(axis=2, keepdims=True)
            logits += (log_gate.T - np.log(np.exp(logits).sum(axis=2)))[:, :, None]
            yield logits

    def _features(self, theta, X, run):
        return self.body.forward(theta["body"], X, run) if self.body.layers else (X, None)

    def _by_expert(self, a):
        """Return contexts (n, K * width) as (K, n, width), contiguous."""
        K, width = self.shape
        return np.ascontiguousarray(a.reshape(len(a), K, width).transpose(1, 0, 2))

    def _logits(self, a, W, buffers):
        E = buffers.get("logits", (self.shape[0], len(a), self.n_classes), a.dtype)
        return np.matmul(self._by_expert(a), W, out=E)


def _log_sums(logs):
    """Return log sum_k exp(logs_k) for logs (K, m, C), none of which is above zero."""
    if len(logs) == 1:
        return logs[0]
    with np.errstate(divide="ignore"):
        sums = np.log(np.exp(logs).sum(axis=0))
    # Where exponentials are too small for their digits, and only there, it takes a detour.
    tiny = sums < _TINY
    if tiny.any():
        sums[tiny] = np.logaddexp.reduce(logs[:, tiny], axis=0)
    return sums


def mixture_of_softmaxes(n_in, n_classes, shape, *, hidden=None, activation="relu", dropout=0.0):
    """Return the `MixtureOfSoftmaxes` with contexts tanh(V_k h).

    Parameters
    ----------
    n_in, n_classes : int
    shape : tuple (n_experts, width)
    hidden : int or None, default=None
        Units of a hidden layer h; None: h is x.
    activation : str, default="relu"
        Of the hidden layer.
    dropout : float, default=0.0
        Of the contexts.
    """
    n_experts, width = shape
    layers, n_features = {}, n_in
    if hidden is not None:
        layers = {"expand": Linear(n_in, hidden, gain=2.0), "bend": Activated(activation)}
        n_features = hidden
    contexts = {"map": Linear(n_features, n_experts * width), "bend": Activated("tanh")}
    if dropout:
        contexts["drop"] = Dropout(dropout)
    network = MixtureOfSoftmaxes(
        Sequential(**layers),
        Linear(n_features, n_experts),
        Sequential(**contexts),
        n_classes,
        shape,
    )
    network.n_features = n_in
    return network
