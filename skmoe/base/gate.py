"""What a gate promises."""

from abc import abstractmethod

import numpy as np

from skmoe.base.part import Part

__all__ = ["Gate"]


class Gate(Part):
    """Gate g(x): whom to ask. Its log-weights are normalized over the experts.

    Attributes
    ----------
    follows_score : bool
        Whether the M-step follows the score h - g of the rows alone, so that shares h which add
        up to one will do even where some lie below zero.
    """

    follows_score = False

    @abstractmethod
    def init(self, X, n_experts):
        """Return neutral Parameters: every expert is asked equally often."""

    @abstractmethod
    def log_prob(self, theta, X):
        """Return the log-weights log g_k(x), shape (n, K)."""

    def tree(self, n_experts):
        """Return the Tree in which the gate asks its experts, or None where all are equals."""
        return None

    def resized(self, n_experts):
        """Return the gate for another number of experts, where some rows are looked at alone."""
        return self

    def weights(self, theta, X):
        """Return the weights g_k(x), shape (n, K); rows sum to 1."""
        return np.exp(self.log_prob(theta, X))

    def evidence(self, theta, X):
        """Return what drives learning, shape (n, K); the log-weights unless a part says else."""
        return self.log_prob(theta, X)

    @abstractmethod
    def statistics(self, theta, X, weight):
        """Return the Statistics of a block of rows that go to the experts with weight (n, K)."""

    def slope(self, theta, X, weight):
        """Return the slope of sum_nk weight_nk log g_k(x_n) plus penalty, as Parameters.

        Weights (n, K) may be negative here; it is linear in them. A gate overrides it where it can
        do without statistics that only an M-step asks for. None where it has no gradient.
        """
        return self.gradient(theta, self.statistics(theta, X, weight))

    def leaning(self, theta, expert, log_odds):
        """Return neutral theta with one expert ahead of the others, or None if the gate cannot.

        Parameters
        ----------
        theta : Parameters
            From ``init``.
        expert : int
        log_odds : float
            By how much its score leads, wherever it competes.
        """
        return None

    def referred(self, theta, expert):
        """Return the same gate with scores that are told from those of one expert, or None.

        Only differences of scores weigh experts, but a prior may like one choice better.
        """
        return None
