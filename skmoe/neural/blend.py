"""The meta-pi layer: a gate that blends the answers of experts of any kind."""

from typing import NamedTuple, final

import numpy as np

from skmoe.neural.layers import Layer

__all__ = ["Blend", "Given", "Placed", "Voice"]


class Voice(NamedTuple):
    """One that is heard: the columns of the rows that it sees, and its layer.

    Attributes
    ----------
    columns : slice
    layer : skmoe.neural.layers.Layer
    """

    columns: slice
    layer: Layer


@final
class Blend(Layer):
    """f(x) = sum_i w_i(x) f_i(x), for a gate w (n, K) and experts f_i (n, q).

    Parameters
    ----------
    gate : Voice
        Its layer answers with weights (n, K), and learns from their gradient.
    experts : list of Voice
        Their layers answer alike, (n, q).

    Notes
    -----
    For the squared error E = ||y - f||^2 of the blend, dE/df_i = -2 w_i (y - f) and
    dE/dw_i = -2 f_i'(y - f), of which a softmax makes dE/dlogit_i = -2 w_i (f_i - f)'(y - f). The
    layer stands at a network's entrance: its rows are data, and have no gradient.

    References
    ----------
    Hampshire and Waibel (1992), The meta-pi network: building distributed knowledge representations
    for robust multisource pattern recognition, section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.neural.blend import Blend, Given, Voice
    >>> experts = [Voice(slice(2, 3), Given()), Voice(slice(3, 4), Given())]
    >>> layer = Blend(Voice(slice(0, 2), Given()), experts)
    >>> theta = {"gate": {}, "expert0": {}, "expert1": {}}
    >>> layer.forward(theta, np.array([[0.75, 0.25, 1.0, 5.0]]), None)[0]
    array([[2.]])
    """

    def __init__(self, gate, experts):
        self.gate = gate
        self.experts = {f"expert{i}": expert for i, expert in enumerate(experts)}

    def specs(self):
        return {"gate": self.gate.layer.specs()} | {
            name: expert.layer.specs() for name, expert in self.experts.items()
        }

    def forward(self, theta, x, run):
        weights, gate_cache = self.gate.layer.forward(theta["gate"], x[:, self.gate.columns], run)
        answers, caches = [], {}
        for name, expert in self.experts.items():
            answer, caches[name] = expert.layer.forward(theta[name], x[:, expert.columns], run)
            answers.append(answer)
        answers = np.stack(answers, axis=1)
        return np.einsum("nk,nkq->nq", weights, answers), (weights, answers, gate_cache, caches)

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        weights, answers, gate_cache, caches = cache
        for i, (name, expert) in enumerate(self.experts.items()):
            own = weights[:, i, None] * dy
            expert.layer.backward(theta[name], caches[name], own, grad[name], run, False)
        by_weight = np.einsum("nkq,nq->nk", answers, dy)
        self.gate.layer.backward(theta["gate"], gate_cache, by_weight, grad["gate"], run, False)


@final
class Given(Layer):
    """y = x: answers that are known and stay as they are."""

    def forward(self, theta, x, run):
        return x, None

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        return dy


@final
class Placed(Layer):
    """Columns put where they belong among ``n_out``, zeros elsewhere.

    Parameters
    ----------
    columns : ndarray of int of shape (n_in,)
    n_out : int
    """

    def __init__(self, columns, n_out):
        self.columns, self.n_out = columns, n_out

    def forward(self, theta, x, run):
        y = np.zeros((len(x), self.n_out), x.dtype)
        y[:, self.columns] = x
        return y, None

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        return dy[:, self.columns]
