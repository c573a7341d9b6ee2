"""Optimizers as pairs of pure functions (init, update) over one flat buffer."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["Optimizer", "adam", "adamw", "sgd"]

# Numbers worked on at a time: the temporaries stay in the cache.
_CHUNK = 98_304


class Optimizer(NamedTuple):
    """How parameters follow a gradient.

    Attributes
    ----------
    init : callable
        ``init(theta) -> state``.
    update : callable
        ``update(theta, gradient, state, learning_rate, in_place=False, pull=None) ->
        (theta, state)``. The arguments stay as they are unless ``in_place``, which spends the
        memory of theta, gradient and state on the answer. ``pull`` (size,) times theta is added
        to the gradient: an L2 penalty.
    """

    init: Callable
    update: Callable


def adam(beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    """Return Adam.

    Parameters
    ----------
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay rates of the running means of gradient and squared gradient.
    epsilon : float, default=1e-8

    Returns
    -------
    Optimizer

    Notes
    -----
    m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, and
    theta -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon). Both sums are stored without
    their constant factors, which are put into the step: two passes over memory less.

    References
    ----------
    Kingma and Ba (2015), Adam: a method for stochastic optimization, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe._math.optimizers import adam
    >>> optimizer = adam()
    >>> theta = np.array([1.0, -2.0])
    >>> theta, state = optimizer.update(theta, 3 * theta, optimizer.init(theta), 0.1)
    >>> theta.round(6)
    array([ 0.9, -1.9])
    """
    return _adam(beta_1, beta_2, epsilon, weight_decay=0.0, decays=None)


def adamw(weight_decay, decays=None, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    """Return Adam with decoupled weight decay: theta -= lr * weight_decay * theta besides.

    Parameters
    ----------
    weight_decay : float
    decays : ndarray of shape (size,), optional
        1 for numbers that decay, 0 for others; None: all decay.
    beta_1, beta_2, epsilon : float
        As for `adam`.

    References
    ----------
    Loshchilov and Hutter (2019), Decoupled weight decay regularization, algorithm 2.
    """
    return _adam(beta_1, beta_2, epsilon, weight_decay, decays)


def _adam(beta_1, beta_2, epsilon, weight_decay, decays):
    def init(theta):
        return {"step": 0, "first": np.zeros_like(theta), "second": np.zeros_like(theta)}

    def update(theta, gradient, state, learning_rate, in_place=False, pull=None):
        theta, state = _own(theta, state, in_place)
        step = state["step"] = state["step"] + 1
        # sqrt(v_hat) + epsilon = root * (sqrt(second) + epsilon / root)
        root = np.sqrt((1.0 - beta_2) / (1.0 - beta_2**step))
        rate = learning_rate * (1.0 - beta_1) / (1.0 - beta_1**step) / root
        shrinkage = learning_rate * weight_decay
        scratch = np.empty(min(_CHUNK, len(theta)), theta.dtype)
        for start in range(0, len(theta), _CHUNK):
            rows = slice(start, start + _CHUNK)
            g, p, t = gradient[rows], theta[rows], scratch[: len(theta) - start]
            if pull is not None:
                np.multiply(p, pull[rows], out=t)
                g = np.add(g, t, out=g if in_place else None)
            if shrinkage:
                _shrink(p, shrinkage, None if decays is None else decays[rows], t)
            moments = state["first"][rows], state["second"][rows]
            _adam_step(p, g, *moments, (beta_1, beta_2, epsilon / root, rate), t)
        return theta, state

    return Optimizer(init, update)


def _shrink(theta, amount, decays, scratch):
    """Multiply by 1 - amount where numbers decay."""
    amount = theta.dtype.type(amount)
    if decays is None:
        np.multiply(theta, amount, out=scratch)
    else:
        np.multiply(theta, decays, out=scratch)
        scratch *= amount
    theta -= scratch


def _adam_step(p, g, m, v, constants, scratch):
    beta_1, beta_2, epsilon, rate = (p.dtype.type(c) for c in constants)
    m *= beta_1
    m += g
    v *= beta_2
    np.multiply(g, g, out=scratch)
    v += scratch
    np.sqrt(v, out=scratch)
    scratch += epsilon
    np.divide(m, scratch, out=scratch)
    scratch *= rate
    p -= scratch


def sgd(momentum=0.9, nesterov=True):
    """Return stochastic gradient descent with momentum.

    Parameters
    ----------
    momentum : float, default=0.9
    nesterov : bool, default=True
        Whether the gradient is looked at from where the momentum leads.

    Returns
    -------
    Optimizer

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe._math.optimizers import sgd
    >>> optimizer = sgd(momentum=0.5, nesterov=False)
    >>> theta, state = np.array([1.0]), optimizer.init(np.array([1.0]))
    >>> for _ in range(2):
    ...     theta, state = optimizer.update(theta, np.array([1.0]), state, 0.1)
    >>> theta.round(6)
    array([0.75])

    Notes
    -----
    v = momentum v - lr g; theta += v, or theta += momentum v - lr g with ``nesterov``.

    References
    ----------
    Sutskever et al. (2013), On the importance of initialization and momentum in deep learning.
    """

    def init(theta):
        return {"step": 0, "velocity": np.zeros_like(theta)}

    def update(theta, gradient, state, learning_rate, in_place=False, pull=None):
        theta, state = _own(theta, state, in_place)
        state["step"] += 1
        if pull is not None:
            gradient = gradient + pull * theta
        step = gradient * theta.dtype.type(-learning_rate)
        velocity = state["velocity"]
        velocity *= theta.dtype.type(momentum)
        velocity += step
        theta += velocity * theta.dtype.type(momentum) + step if nesterov else velocity
        return theta, state

    return Optimizer(init, update)


def _own(theta, state, in_place):
    """Return what may be overwritten: the arguments or copies of them."""
    if in_place:
        return theta, state
    copies = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in state.items()}
    return theta.copy(), copies
