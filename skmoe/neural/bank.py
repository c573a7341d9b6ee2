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
            With groups that are an expert each, or stacks of experts of equally many rows.
        buffers : skmoe.neural.run.Buffers
        name : str
            Whose buffers these are.
        """
        n, first = len(x), theta["W"].shape[2]
        a = buffers.get(name + "/a", (n, first + 1), x.dtype)
        a[:, first] = 1.0
        z = a[:, :first]
        rows = dispatch.stacked(x)
        _multiply(rows, dispatch.of(theta["W"]), dispatch.stacked(z), np.matmul)
        kept = None
        if self.function.needs_input:
            kept = buffers.get(name + "/z", (n, first), x.dtype)
            kept[...] = z
        # One contiguous stretch of memory, the ones included, is faster than rows with gaps.
        self.function.apply(a, a)
        if self.hidden is None:
            return z, (rows, kept, z, None)
        a[:, first] = 1.0
        y = buffers.get(name + "/y", (n, self.n_out), x.dtype)
        hidden = dispatch.stacked(a)
        _multiply(hidden, dispatch.of(theta["V"]), dispatch.stacked(y))
        return y, (rows, kept, z, hidden)

    def backward(self, theta, cache, dy, grad, dispatch, buffers, name, need_input=True):
        """Write the gradient to ``grad`` and return that of the sorted rows (n_slots, n_in)."""
        rows, z, activated, hidden = cache
        idle = np.flatnonzero(dispatch.counts == 0)
        for array in grad.values():
            array[idle] = 0.0
        back = dispatch.stacked(dy)
        if hidden is not None:
            dy = buffers.get(name + "/da", (len(dy), self.hidden), dy.dtype)
            back = self._through(theta["V"], hidden, back, grad["V"], dispatch, dy)
        self.function.scale_by_slope(dy, z, activated)
        dx = None
        if need_input:
            dx = buffers.get(name + "/dx", (len(dy), self.n_in), dy.dtype)
        self._through(theta["W"], rows, back, grad["W"], dispatch, dx)
        return dx

    @staticmethod
    def _through(weights, rows, back, grad, dispatch, out):
        """Write the gradients of weights and, to ``out``, of rows; return the latter's groups."""
        turned = [A.T if A.ndim == 2 else A.swapaxes(1, 2) for A in rows]
        _multiply(turned, back, dispatch.of(grad))
        if out is None:
            return None
        outs = dispatch.stacked(out)
        _multiply(back, dispatch.of(weights[:, :-1].swapaxes(1, 2)), outs)
        return outs


def _multiply(lefts, rights, outs, of_two=np.dot):
    """Write the matrix products of the groups to ``outs``.

    Of two matrices, `numpy.dot` is the product with the least ado; its output is contiguous.
    """
    multiply = of_two if outs and outs[0].ndim == 2 else np.matmul
    for left, right, out in zip(lefts, rights, outs, strict=True):
        multiply(left, right, out)
