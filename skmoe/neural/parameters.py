"""Learned numbers in one flat buffer, and the views that layers work on."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Layout", "Spec", "he", "normal", "ones", "zeros"]


def zeros(rng, shape):
    """Return zeros."""
    return np.zeros(shape)


def ones(rng, shape):
    """Return ones."""
    return np.ones(shape)


def normal(scale):
    """Return an initializer that draws from N(0, scale^2)."""
    return lambda rng, shape: scale * rng.standard_normal(shape)


def he(gain=2.0):
    """Return an initializer of affine maps (..., fan_in + 1, fan_out) whose last row is the bias.

    Weights are uniform with variance gain / fan_in, biases uniform in +-1 / sqrt(fan_in), so that
    the kinks of rectified units do not all meet in the origin (He et al. 2015).
    """

    def draw(rng, shape):
        fan_in = max(1, shape[-2] - 1)
        values = rng.uniform(-1.0, 1.0, size=shape) * np.sqrt(3.0 * gain / fan_in)
        values[..., -1, :] /= np.sqrt(3.0 * gain)
        return values

    return draw


@dataclass(frozen=True)
class Spec:
    """Shape of one array of parameters, its first values, and what weight decay does to it.

    Attributes
    ----------
    shape : tuple of int
    init : callable
        ``init(rng, shape)`` returns the first values.
    decay : {"all", "weights", "none"}
        Which numbers are pulled towards zero; ``"weights"`` leaves out the last row, the bias.
    """

    shape: tuple
    init: Callable = zeros
    decay: str = "none"

    @property
    def size(self):
        """Number of parameters."""
        return int(np.prod(self.shape, dtype=np.int64))

    def decays(self):
        """Return which numbers are pulled towards zero, a boolean array of the shape."""
        mask = np.full(self.shape, self.decay != "none")
        if self.decay == "weights":
            mask[..., -1, :] = False
        return mask


class Layout:
    """Where the arrays of a tree of layers live in one flat buffer.

    Parameters
    ----------
    specs : dict
        Name -> Spec, or name -> such a dict again.

    Attributes
    ----------
    size : int
        Length of the buffer.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.neural.parameters import Layout, Spec
    >>> layout = Layout({"hidden": {"W": Spec((3, 2))}, "scale": Spec((1,))})
    >>> flat = np.arange(7.0)
    >>> views = layout.views(flat)
    >>> views["hidden"]["W"].shape, views["scale"]
    ((3, 2), array([6.]))
    """

    def __init__(self, specs):
        self.specs = specs
        self.size = sum(spec.size for spec in _leaves(specs))

    def views(self, flat):
        """Return the tree of views into the buffer ``flat`` of shape (size,)."""
        tree, end = _views(self.specs, flat, 0)
        assert end == len(flat)
        return tree

    def init(self, rng):
        """Return a buffer of first values, float64."""
        parts = [np.ravel(spec.init(rng, spec.shape)) for spec in _leaves(self.specs)]
        return np.concatenate([np.zeros(0), *parts])

    def decays(self):
        """Return which numbers weight decay pulls towards zero, boolean (size,)."""
        parts = [spec.decays().ravel() for spec in _leaves(self.specs)]
        return np.concatenate([np.zeros(0, dtype=bool), *parts])


def _leaves(specs):
    for value in specs.values():
        if isinstance(value, dict):
            yield from _leaves(value)
        else:
            yield value


def _views(specs, flat, start):
    tree = {}
    for name, value in specs.items():
        if isinstance(value, dict):
            tree[name], start = _views(value, flat, start)
        else:
            tree[name] = flat[start : start + value.size].reshape(value.shape)
            start += value.size
    return tree, start
