"""What an expert bank hands to the answer."""

from abc import ABC, abstractmethod

__all__ = ["Components"]


class Components(ABC):
    """The K densities of y at each of n rows, as an expert bank hands them to the answer.

    Every method broadcasts like the frozen distributions of `scipy.stats`: ``y`` has a shape that
    broadcasts against ``(n, K, q)`` and results lose the last axis where they join the outputs.

    Attributes
    ----------
    shape : tuple (n, K, q)
    """

    @property
    @abstractmethod
    def shape(self):
        """(n, K, q): rows, experts, outputs."""

    def gaussians(self):
        """Return means and deviations, (n, K, q) each, of Gaussians; None for other densities."""
        return None

    @abstractmethod
    def log_prob(self, y):
        """Return log p_k(y) of the joint over outputs; y (..., n, 1, q) -> (..., n, K)."""

    @abstractmethod
    def mean(self):
        """Return the means, shape (n, K, q)."""

    @abstractmethod
    def covariance(self):
        """Return the covariances, broadcastable to (n, K, q, q)."""

    @abstractmethod
    def cdf(self, y):
        """Return the marginal distribution functions; y (..., n, 1, q) -> (..., n, K, q)."""

    @abstractmethod
    def ppf(self, q):
        """Return the marginal quantiles at the level q (a number in [0, 1]), shape (n, K, q)."""

    @abstractmethod
    def sample(self, expert, rng):
        """Return draws, shape (m, n, q), from the experts numbered in ``expert`` (m, n)."""
