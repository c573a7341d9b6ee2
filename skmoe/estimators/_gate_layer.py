"""A gate of the classical half as a layer of a network."""

from typing import final

import numpy as np

from skmoe.neural.layers import Layer
from skmoe.neural.parameters import Spec

__all__ = ["GateLayer"]


@final
class GateLayer(Layer):
    """The weights of any gate that has a gradient.

    Parameters
    ----------
    gate : skmoe.base.Gate
    neutral : skmoe.base.Parameters
        Shapes of its parameters, and where they start.
    n_rows : float
        Weight of all rows, among which the gate's penalty is shared out.

    Notes
    -----
    A gate's slope is that of sum_nk a_nk log g_k(x_n) for any weights a (n, K). With
    a = -dE/dlog g, less a share of its sum that does not count, that is the descent of any error E
    of the blend.
    """

    def __init__(self, gate, neutral, n_rows):
        self.gate, self.neutral, self.n_rows = gate, neutral, n_rows

    def specs(self):
        start = self.neutral.flatten()
        return {"flat": Spec(start.shape, lambda rng, shape: start)}

    def forward(self, theta, x, run):
        learned = self.neutral.unflatten(theta["flat"])
        weights = self.gate.weights(learned, x)
        if run.training:
            run.loss -= self.gate.penalty(learned) / self.n_rows
        return weights, (x, learned, weights)

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        x, learned, weights = cache
        pull = weights * dy
        pull -= weights * pull.sum(axis=1, keepdims=True)
        slope = self.gate.slope(learned, x, np.asfortranarray(-self.n_rows * pull))
        grad["flat"][...] = slope.flatten() / -self.n_rows
