"""Embeddings of numeric features: many columns in the place of one."""

from typing import final

import numpy as np

from skmoe.neural.layers import Layer
from skmoe.neural.parameters import Spec, normal

__all__ = ["EMBEDDINGS", "Periodic", "PiecewiseLinear", "quantile_edges"]


@final
class PiecewiseLinear(Layer):
    """Columns e_t = clip((x - b_t) / (b_t+1 - b_t), 0, 1) for the bins of every feature.

    The first bin is open to the left and the last to the right: there the column goes on linearly.

    Parameters
    ----------
    edges : ndarray of shape (d, T + 1)
        Bounds of the bins, rising; see `quantile_edges`.

    References
    ----------
    Gorishniy, Rubachev and Babenko (2022), On embeddings for numerical features in tabular deep
    learning, equation 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.neural.embeddings import PiecewiseLinear
    >>> layer = PiecewiseLinear(np.array([[0.0, 1.0, 3.0]]))
    >>> layer.forward({}, np.array([[0.5], [2.0]]), None)[0]
    array([[0.5, 0. ],
           [1. , 0.5]])
    """

    def __init__(self, edges):
        self.low, self.width = edges[:, :-1], np.diff(edges, axis=1)
        self.n_out = self.low.size

    def forward(self, theta, x, run):
        low, width = self.low.astype(x.dtype), self.width.astype(x.dtype)
        e = (x[:, :, None] - low) / width
        inside = np.ones(e.shape, dtype=bool)
        inside[:, :, 1:] &= e[:, :, 1:] > 0
        inside[:, :, :-1] &= e[:, :, :-1] < 1
        np.maximum(e[:, :, 1:], 0, out=e[:, :, 1:])
        np.minimum(e[:, :, :-1], 1, out=e[:, :, :-1])
        return e.reshape(len(x), -1), inside

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        if not need_input:
            return None
        slopes = dy.reshape(cache.shape) / self.width.astype(dy.dtype)
        return np.sum(np.where(cache, slopes, 0), axis=2)


@final
class Periodic(Layer):
    """Columns x, sin(2 pi c_t x) and cos(2 pi c_t x) with learned frequencies of every feature.

    Parameters
    ----------
    n_in : int
    n_frequencies : int, default=8
    spread : float, default=0.3
        Standard deviation of the first frequencies, per standard deviation of the feature.

    References
    ----------
    Gorishniy, Rubachev and Babenko (2022), equation 2.
    """

    def __init__(self, n_in, n_frequencies=8, spread=0.3):
        self.n_in, self.n_frequencies, self.spread = n_in, n_frequencies, spread
        self.n_out = n_in * (2 * n_frequencies + 1)

    def specs(self):
        return {"c": Spec((self.n_in, self.n_frequencies), normal(self.spread))}

    def forward(self, theta, x, run):
        angle = x[:, :, None] * (x.dtype.type(2.0 * np.pi) * theta["c"])
        sine, cosine = np.sin(angle), np.cos(angle)
        n = len(x)
        y = np.concatenate([x, sine.reshape(n, -1), cosine.reshape(n, -1)], axis=1)
        return y, (x, sine, cosine)

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        x, sine, cosine = cache
        dsine, dcosine = np.split(dy[:, self.n_in :], 2, axis=1)
        dangle = dsine.reshape(sine.shape) * cosine - dcosine.reshape(sine.shape) * sine
        dangle *= dangle.dtype.type(2.0 * np.pi)
        grad["c"][...] = np.einsum("ndt,nd->dt", dangle, x)
        if not need_input:
            return None
        return dy[:, : self.n_in] + np.einsum("ndt,dt->nd", dangle, theta["c"])


def quantile_edges(X, n_bins=8):
    """Return bounds (d, n_bins + 1) of bins that hold equally many rows of X (n, d).

    Bounds that coincide, as for a column of few values, are moved apart by the mean bin's width.
    """
    edges = np.quantile(np.asarray(X, np.float64), np.linspace(0, 1, n_bins + 1), axis=0).T
    spread = np.maximum(edges[:, -1:] - edges[:, :1], 1e-6) / n_bins
    steps = np.diff(edges, axis=1)
    steps = np.where(steps > 1e-6 * spread, steps, spread)
    return np.concatenate([edges[:, :1], edges[:, :1] + np.cumsum(steps, axis=1)], axis=1)


#: ``numeric_embedding=`` -> builds a layer from standardized rows (n, d)
EMBEDDINGS = {
    "piecewise": lambda X: PiecewiseLinear(quantile_edges(X)),
    "periodic": lambda X: Periodic(X.shape[1]),
}
