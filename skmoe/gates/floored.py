"""A floor under another gate's weights: every expert keeps a share everywhere."""

import numpy as np

from skmoe._math.checks import check_number
from skmoe.base import Gate


class FlooredGate(Gate):
    """Weights min_share + (1 - K min_share) g_k(x), with g any gate.

    Parameters
    ----------
    gate : Gate
        The inner gate g.
    min_share : float, default=0.01
        Least weight of every expert at every x; below 1 / K.

    Notes
    -----
    A row is asked either of an expert drawn evenly, with probability K min_share, or of one that
    the inner gate draws. Given the responsibilities h, the inner gate made the choice with
    probability (1 - K min_share) g_k / (min_share + (1 - K min_share) g_k); its M-step takes h
    times that, so that the bound never falls.

    Examples
    --------
    >>> from skmoe.gates import FlooredGate, SoftmaxGate
    >>> FlooredGate(SoftmaxGate(), min_share=0.05)
    FlooredGate(gate=SoftmaxGate(), min_share=0.05)
    """

    def __init__(self, gate, min_share=0.01):
        self.gate = gate
        self.min_share = min_share

    @property
    def settling_steps(self):
        """M-steps after which the inner gate follows given shares, and a few for the choice."""
        return self.gate.settling_steps + 5

    @property
    def monotone(self):
        """Whether the inner gate is."""
        return self.gate.monotone

    def check(self):
        if not isinstance(self.gate, Gate):
            raise TypeError(f"gate={self.gate!r} is no instance of Gate.")
        self.gate.check()
        check_number("min_share", self.min_share)

    def tree(self, n_experts):
        return self.gate.tree(n_experts)

    def resized(self, n_experts):
        return FlooredGate(self.gate.resized(n_experts), self.min_share)

    def init(self, X, n_experts):
        if self.min_share * n_experts >= 1.0:
            raise ValueError(f"min_share={self.min_share} must be below 1 / {n_experts}.")
        return self.gate.init(X, n_experts)

    def weights(self, theta, X):
        inner = self.gate.weights(theta, X)
        return self.min_share + (1.0 - inner.shape[1] * self.min_share) * inner

    def log_prob(self, theta, X):
        return np.log(self.weights(theta, X))

    def statistics(self, theta, X, weight):
        inner = self.gate.weights(theta, X)
        free = (1.0 - inner.shape[1] * self.min_share) * inner
        return self.gate.statistics(theta, X, weight * free / (self.min_share + free))

    def carry(self, statistics, old, new):
        return self.gate.carry(statistics, old, new)

    def leaning(self, theta, expert, log_odds):
        return self.gate.leaning(theta, expert, log_odds)

    def m_step(self, theta, statistics):
        return self.gate.m_step(theta, statistics)

    def gradient(self, theta, statistics):
        return self.gate.gradient(theta, statistics)

    def hold(self, theta):
        return self.gate.hold(theta)

    def penalty(self, theta):
        return self.gate.penalty(theta)

    def n_parameters(self, theta):
        return self.gate.n_parameters(theta)

    def units(self, theta, scaling):
        return self.gate.units(theta, scaling)
