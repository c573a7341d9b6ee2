"""Dense layers with forward and backward passes. They know nothing of routing.

A layer holds shapes only. Its numbers come as a dict of views (see `skmoe.neural.parameters`), and
``backward`` writes the gradient to a dict of the same layout: each array belongs to one layer and
is written once a pass.
"""

from abc import ABC, abstractmethod
from typing import final

import numpy as np

from skmoe._math.logspace import softmax
from skmoe.neural.activations import ACTIVATIONS
from skmoe.neural.parameters import Spec, he, ones, zeros
from skmoe.neural.sums import column_sums

__all__ = [
    "Activated",
    "Dropout",
    "FeedForward",
    "Layer",
    "LayerNorm",
    "Linear",
    "Residual",
    "Sequential",
    "Softmax",
]


class Layer(ABC):
    """A differentiable function of the rows of a block."""

    def specs(self):
        """Return the parameters: name -> Spec, or name -> such a dict."""
        return {}

    @abstractmethod
    def forward(self, theta, x, run):
        """Return the output and whatever ``backward`` will ask for.

        Parameters
        ----------
        theta : dict
            Views of the parameters, as named in ``specs``.
        x : ndarray of shape (n, d)
        run : skmoe.neural.run.Run
            Whether this is training, and where noise comes from.
        """

    @abstractmethod
    def backward(self, theta, cache, dy, grad, run, need_input=True):
        """Write the gradient of the parameters to ``grad``; return that of the input.

        Parameters
        ----------
        theta : dict
        cache : object
            From ``forward``.
        dy : ndarray of shape (n, d_out)
            Gradient of the output; the layer may overwrite it.
        grad : dict
            Views of the gradient, written and not added to.
        run : skmoe.neural.run.Run
        need_input : bool, default=True
            If false, the gradient of the input may be skipped and None returned.
        """


@final
class Linear(Layer):
    """y = x W + b; b is the last row of the stored array.

    Parameters
    ----------
    n_in, n_out : int
    gain : float, default=1.0
        Variance of the first weights, times ``n_in``; 2 keeps variances through rectified units.
    """

    def __init__(self, n_in, n_out, gain=1.0):
        self.n_in, self.n_out, self.gain = n_in, n_out, gain

    def specs(self):
        return {"W": Spec((self.n_in + 1, self.n_out), he(self.gain), "weights")}

    def forward(self, theta, x, run):
        # To a single output or from one, matmul takes seven times as long as dot.
        y = np.dot(x, theta["W"][:-1])
        y += theta["W"][-1]
        return y, x

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        np.matmul(cache.T, dy, out=grad["W"][:-1])
        grad["W"][-1] = column_sums(dy)
        return np.dot(dy, theta["W"][:-1].T) if need_input else None


@final
class Activated(Layer):
    """y = f(x), element by element.

    Parameters
    ----------
    name : {"identity", "relu", "gelu", "tanh", "logistic"}
    """

    def __init__(self, name):
        self.function = ACTIVATIONS[name]

    def forward(self, theta, x, run):
        y = np.empty_like(x)
        self.function.apply(x, y)
        return y, (x if self.function.needs_input else None, y)

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        self.function.scale_by_slope(dy, *cache)
        return dy


@final
class Softmax(Layer):
    """y_i = exp(x_i) / sum_j exp(x_j)."""

    def forward(self, theta, x, run):
        y = softmax(x)
        return y, y

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        dx = cache * dy
        dx -= cache * dx.sum(axis=1, keepdims=True)
        return dx


@final
class LayerNorm(Layer):
    """y = g (x - mean) / sqrt(variance + epsilon) + b, mean and variance over a row's columns.

    References
    ----------
    Ba, Kiros and Hinton (2016), Layer normalization, equation 4.
    """

    def __init__(self, width, epsilon=1e-5):
        self.width, self.epsilon = width, epsilon

    def specs(self):
        return {"gain": Spec((self.width,), ones), "bias": Spec((self.width,), zeros)}

    def forward(self, theta, x, run):
        unit = x - x.mean(axis=1, keepdims=True)
        scale = 1 / np.sqrt(np.einsum("nd,nd->n", unit, unit) / x.shape[1] + self.epsilon)
        scale = scale.astype(x.dtype, copy=False)
        unit *= scale[:, None]
        return unit * theta["gain"] + theta["bias"], (unit, scale)

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        unit, scale = cache
        grad["gain"][...] = np.einsum("nd,nd->d", dy, unit)
        grad["bias"][...] = column_sums(dy)
        if not need_input:
            return None
        dx = dy * theta["gain"]
        along = np.einsum("nd,nd->n", dx, unit) / self.width
        dx -= dx.mean(axis=1, keepdims=True)
        dx -= unit * along[:, None]
        dx *= scale[:, None]
        return dx


@final
class Dropout(Layer):
    """Set a share of the numbers to zero in training, and scale the others up to make up for it.

    Parameters
    ----------
    rate : float
        The share, in [0, 1).
    """

    def __init__(self, rate):
        self.rate = rate

    def forward(self, theta, x, run):
        if not run.training or self.rate == 0.0:
            return x, None
        keep = run.rng.random(x.shape, dtype=np.float32) >= self.rate
        mask = keep.astype(x.dtype)
        mask /= 1.0 - self.rate
        return x * mask, mask

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        return dy if cache is None else dy * cache


@final
class Sequential(Layer):
    """Layers one after the other.

    Parameters
    ----------
    **layers : Layer
        By name, in their order.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.neural.layers import Activated, Linear, Sequential
    >>> from skmoe.neural.parameters import Layout
    >>> from skmoe.neural.run import Run
    >>> net = Sequential(hidden=Linear(3, 8), bend=Activated("tanh"), answer=Linear(8, 1))
    >>> layout = Layout(net.specs())
    >>> theta, grad = layout.init(np.random.default_rng(0)), np.zeros(layout.size)
    >>> x, y = np.ones((5, 3)), np.zeros((5, 1))
    >>> answer, cache = net.forward(layout.views(theta), x, Run(training=True))
    >>> dx = net.backward(
    ...     layout.views(theta), cache, answer - y, layout.views(grad), Run(training=True)
    ... )
    >>> answer.shape, dx.shape, grad.shape
    ((5, 1), (5, 3), (41,))
    """

    def __init__(self, **layers):
        self.layers = layers

    def specs(self):
        return {name: layer.specs() for name, layer in self.layers.items()}

    def forward(self, theta, x, run):
        caches = []
        for name, layer in self.layers.items():
            x, cache = layer.forward(theta[name], x, run)
            caches.append(cache)
        return x, caches

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        steps = list(zip(self.layers.items(), cache, strict=True))
        for (name, layer), own in reversed(steps[1:]):
            dy = layer.backward(theta[name], own, dy, grad[name], run)
        (name, layer), own = steps[0]
        return layer.backward(theta[name], own, dy, grad[name], run, need_input)


@final
class Residual(Layer):
    """y = x + f(x).

    Parameters
    ----------
    layer : Layer
        f, whose output is as wide as its input.
    """

    def __init__(self, layer):
        self.layer = layer

    def specs(self):
        return self.layer.specs()

    def forward(self, theta, x, run):
        y, cache = self.layer.forward(theta, x, run)
        return x + y, cache

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        through = self.layer.backward(theta, cache, dy.copy(), grad, run, need_input)
        return dy + through if need_input else None


def FeedForward(n_in, hidden, n_out, activation="relu", dropout=0.0):
    """Return linear, activation, (dropout,) linear as one layer."""
    layers = {"expand": Linear(n_in, hidden, gain=2.0), "bend": Activated(activation)}
    if dropout:
        layers["drop"] = Dropout(dropout)
    return Sequential(**layers, contract=Linear(hidden, n_out))
