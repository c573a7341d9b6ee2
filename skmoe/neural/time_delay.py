"""The time-delay network: windows of frames with shared weights, and evidence pooled over time."""

from typing import final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from skmoe.neural.heads import CrossEntropy
from skmoe.neural.layers import Activated, Dropout, Layer, Sequential
from skmoe.neural.network import Network
from skmoe.neural.parameters import Spec, he
from skmoe.neural.sums import column_sums

__all__ = ["PoolOverTime", "TimeDelay", "time_delay_network"]


@final
class TimeDelay(Layer):
    """y_t = [x_t, ..., x_{t + w - 1}] W + b: the same affine map for every window of w frames.

    Parameters
    ----------
    n_frames, n_in : int
        Frames T of a row, and channels of a frame; rows are (n, T * n_in), frame after frame.
    window : int
        Frames w that are seen at a time.
    n_out : int
        Channels of the answer, whose rows are (n, (T - w + 1) * n_out).
    gain : float, default=1.0
        Variance of the first weights, times what goes in.

    References
    ----------
    Waibel, Hanazawa, Hinton, Shikano and Lang (1989), Phoneme recognition using time-delay neural
    networks.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.neural.time_delay import TimeDelay
    >>> layer = TimeDelay(n_frames=4, n_in=1, window=2, n_out=1)
    >>> layer.forward({"W": np.array([[1.0], [10.0], [0.0]])}, np.arange(4.0)[None], None)[0]
    array([[10., 21., 32.]])
    """

    def __init__(self, n_frames, n_in, window, n_out, gain=1.0):
        self.n_frames, self.n_in, self.window, self.n_out = n_frames, n_in, window, n_out
        self.gain, self.n_windows = gain, n_frames - window + 1

    def specs(self):
        return {"W": Spec((self.window * self.n_in + 1, self.n_out), he(self.gain), "weights")}

    def forward(self, theta, x, run):
        frames = np.ascontiguousarray(x).reshape(len(x), -1)
        windows = sliding_window_view(frames, self.window * self.n_in, axis=1)[:, :: self.n_in]
        windows = windows.reshape(-1, self.window * self.n_in)
        y = windows @ theta["W"][:-1]
        y += theta["W"][-1]
        return y.reshape(len(x), -1), windows

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        n = len(dy)
        dy = dy.reshape(-1, self.n_out)
        np.matmul(cache.T, dy, out=grad["W"][:-1])
        grad["W"][-1] = column_sums(dy)
        if not need_input:
            return None
        by_window = (dy @ theta["W"][:-1].T).reshape(n, self.n_windows, self.window, self.n_in)
        dx = np.zeros((n, self.n_frames, self.n_in), dy.dtype)
        for delay in range(self.window):
            dx[:, delay : delay + self.n_windows] += by_window[:, :, delay]
        return dx.reshape(n, -1)


@final
class PoolOverTime(Layer):
    """y = mean_t x_t over the frames of rows (n, T * d).

    Parameters
    ----------
    n_frames : int
        Frames T.
    """

    def __init__(self, n_frames):
        self.n_frames = n_frames

    def forward(self, theta, x, run):
        return x.reshape(len(x), self.n_frames, -1).mean(axis=1), None

    def backward(self, theta, cache, dy, grad, run, need_input=True):
        return np.tile(dy, (1, self.n_frames)) / dy.dtype.type(self.n_frames)


def time_delay_network(shape, windows, hidden, n_classes, *, activation="tanh", dropout=0.0):
    """Return the `Network` of two time-delay layers and evidence that is averaged over time.

    Parameters
    ----------
    shape : tuple (n_frames, n_channels)
    windows : tuple of int
        Frames that a unit of the first layer sees of the input, and one of the second of the first.
    hidden : int
        Units of the first layer.
    n_classes : int
    activation : str, default="tanh"
        Of the first layer.
    dropout : float, default=0.0
    """
    n_frames, n_channels = shape
    first = TimeDelay(n_frames, n_channels, windows[0], hidden)
    second = TimeDelay(first.n_windows, hidden, windows[1], n_classes)
    layers = {"features": first, "bend": Activated(activation)}
    if dropout:
        layers["drop"] = Dropout(dropout)
    layers |= {"evidence": second, "pool": PoolOverTime(second.n_windows)}
    network = Network(Sequential(**layers), {}, CrossEntropy(n_classes))
    network.n_features = n_frames * n_channels
    return network
