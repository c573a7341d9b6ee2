"""A bank of feed-forward experts, evaluated and differentiated together on sorted rows."""

from typing import final

import numpy as np

from skmoe.neural.activations import ACTIVATIONS
from skmoe.neural.parameters import Spec, he

__all__ = ["ExpertBank"]


@final
class ExpertBank:
    """E networks linear-activation-linear, or linear-activation where ``hidden`` is None.

    Parameters
    ----------
    n_experts : int
    n_in : int
    hidden : int or None
        Width of the hidden layer.
    n_out : int
    activation : {"identity", "relu", "gelu", "tanh", "logistic"}, default="relu"

    Notes
    -----
    Biases are the last rows of the weights, and rows carry a column of ones: bias and gradient of
    the bias come out of the matrix products.
    """

    def __init__(self, n_experts, n_in, hidden, n_out, activation="relu"):
        self.n_experts, self.n_in, self.hidden, self.n_out = n_experts, n_in, hidden, n_out
        self.function = ACTIVATIONS[activation]

    def specs(self):
        """Return the parameters, as `skmoe.neural.layers.Layer` does."""
        first = self.n_out if self.hidden is None else self.hidden
        specs = {"W": Spec((self.n_experts, self.n_in + 1, first), he(2.0), "weights")}
        if self.hidden is not None:
            shape = (self.n_experts, self.hidden + 1, self.n_out)
            specs["V"] = Spec(shape, he(1.0), "weights")
        return specs

    def forward(self, theta, x, dispatch, buffers, name):
        """Return the experts' answers (n_slots, n_out) and the cache.

        Parameters
        ----------
        theta : dict
        x : ndarray of shape (n_slots, n_in + 1)
            Sorted rows with a last column of ones.
        dispatch : skmoe.neural.dispatch.Dispatch
        buffers : skmoe.neural.run.Buffers
        name : str
            Whose buffers these are.
        """
        n, first = len(x), theta["W"].shape[2]
        a = buffers.get(name + "/a", (n, first + 1), x.dtype)
        a[:, first] = 1.0
        z = a[:, :first]
        for group in dispatch.groups:
            np.matmul(group.stacked(x), group.of(theta["W"]), out=_stacked(group, z))
        kept = None
        if self.function.needs_input:
            kept = buffers.get(name + "/z", (n, first), x.dtype)
            kept[...] = z
        # One contiguous stretch of memory, the ones included, is faster than rows with gaps.
        self.function.apply(a, a)
        if self.hidden is None:
            return z, (x, kept, z, None)
        a[:, first] = 1.0
        y = buffers.get(name + "/y", (n, self.n_out), x.dtype)
        for group in dispatch.groups:
            np.matmul(group.stacked(a), group.of(theta["V"]), out=group.stacked(y))
        return y, (x, kept, z, a)

    def backward(self, theta, cache, dy, grad, dispatch, buffers, name, need_input=True):
        """Write the gradient to ``grad`` and return that of the sorted rows (n_slots, n_in)."""
        x, z, activated, a = cache
        idle = np.flatnonzero(dispatch.counts == 0)
        for array in grad.values():
            array[idle] = 0.0
        if a is not None:
            dy = self._through_output(theta, a, dy, grad, dispatch, buffers, name)
        self.function.scale_by_slope(dy, z, activated)
        for group in dispatch.groups:
            rows = group.stacked(x).swapaxes(-1, -2)
            np.matmul(rows, group.stacked(dy), out=group.of(grad["W"]))
        if not need_input:
            return None
        dx = buffers.get(name + "/dx", (len(x), self.n_in), x.dtype)
        for group in dispatch.groups:
            W = group.of(theta["W"])[..., :-1, :].swapaxes(-1, -2)
            np.matmul(group.stacked(dy), W, out=group.stacked(dx))
        return dx

    def _through_output(self, theta, a, dy, grad, dispatch, buffers, name):
        da = buffers.get(name + "/da", (len(a), self.hidden), a.dtype)
        for group in dispatch.groups:
            rows = group.stacked(dy)
            np.matmul(group.stacked(a).swapaxes(-1, -2), rows, out=group.of(grad["V"]))
            V = group.of(theta["V"])[..., :-1, :].swapaxes(-1, -2)
            np.matmul(rows, V, out=group.stacked(da))
        return da


def _stacked(group, strided):
    """Return a view of rows that are part of longer ones, by expert."""
    block = strided[group.slots]
    if group.last - group.first == 1:
        return block
    step, unit = block.strides
    shape = (group.last - group.first, group.rows, block.shape[1])
    return np.lib.stride_tricks.as_strided(block, shape, (group.rows * step, step, unit))
