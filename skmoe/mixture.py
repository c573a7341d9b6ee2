"""A mixture: a gate, a bank of experts and a criterion; no data, no state."""

from dataclasses import dataclass, replace

import numpy as np

from skmoe.base import Criterion, Experts, Gate, Parameters, Statistics

__all__ = ["Mixture", "MixtureParameters", "MixtureStatistics"]


@dataclass(frozen=True)
class MixtureParameters(Parameters):
    """Parameters of the experts and of the gate."""

    experts: Parameters
    gate: Parameters


@dataclass(frozen=True)
class MixtureStatistics(Statistics):
    """What one pass over the rows brings home.

    Attributes
    ----------
    pooled : float
        Weighted evidence, summed over rows.
    total : float
        Weight of all rows.
    shares : ndarray of shape (K,)
        Weight of rows that each expert is responsible for.
    experts, gate : Statistics
    """

    pooled: float
    total: float
    shares: np.ndarray
    experts: Statistics
    gate: Statistics


@dataclass(frozen=True)
class Mixture:
    """The sentence that an estimator runs: experts, gate, criterion.

    Notes
    -----
    p(y | x) = sum_k g_k(x) p_k(y | x). Learning sees the *evidence* of the parts, answers their
    log-densities; the two are the same unless a part says otherwise.

    References
    ----------
    Jordan and Jacobs (1994), Hierarchical mixtures of experts and the EM algorithm.
    """

    experts: Experts
    gate: Gate
    criterion: Criterion

    @property
    def monotone(self):
        """Whether passes of EM never lower the bound."""
        return self.experts.monotone and self.gate.monotone

    def joint(self, theta, block):
        """Return log g_k(x) + log p_k(y | x) as learning sees it, shape (n, K)."""
        joint = self.experts.evidence(theta.experts, block.X, block.y)
        return joint + self.gate.evidence(theta.gate, block.X_gate)

    def share(self, theta, block):
        """Return the responsibilities of the experts for the rows, shape (n, K)."""
        return self.criterion.pool_and_share(self.joint(theta, block))[1]

    def sweep(self, theta, block):
        """Return the MixtureStatistics of a block of rows: E-step and sums in one go."""
        pooled, share = self.criterion.pool_and_share(self.joint(theta, block))
        share *= block.weight[:, None]
        return MixtureStatistics(
            pooled=float(np.dot(pooled.astype(np.float64), block.weight)),
            total=float(block.weight.sum(dtype=np.float64)),
            shares=share.sum(axis=0, dtype=np.float64),
            experts=self.experts.statistics(theta.experts, block.X, block.y, share),
            gate=self.gate.statistics(theta.gate, block.X_gate, share),
        )

    def bound(self, theta, statistics):
        """Return the pooled evidence of a pass at theta plus the parts' penalties (a float)."""
        return (
            statistics.pooled + self.experts.penalty(theta.experts) + self.gate.penalty(theta.gate)
        )

    def m_step(self, theta, statistics):
        """Return the parameters that the summed statistics of a pass at theta ask for."""
        return MixtureParameters(
            experts=self.experts.m_step(theta.experts, statistics.experts),
            gate=self.gate.m_step(theta.gate, statistics.gate),
        )

    def carry(self, statistics, old, new):
        """Return the statistics of a pass at ``old`` as if they had been taken at ``new``."""
        return replace(
            statistics,
            experts=self.experts.carry(statistics.experts, old.experts, new.experts),
            gate=self.gate.carry(statistics.gate, old.gate, new.gate),
        )

    def hold(self, theta):
        """Return theta brought back within the parts' bounds."""
        return MixtureParameters(self.experts.hold(theta.experts), self.gate.hold(theta.gate))

    def translated(self, theta, change):
        """Return theta for rows that are standardized in another way, or None.

        Parameters
        ----------
        theta : MixtureParameters
        change : skmoe.batches.Change
        """
        parts = (
            self.experts.translated(theta.experts, change),
            self.gate.translated(theta.gate, change),
        )
        return None if None in parts else MixtureParameters(*parts)

    def gradient(self, theta, statistics):
        """Return the slope of the bound at theta as a vector (size,), or None.

        The statistics must come from a pass at the same theta (Fisher's identity).
        """
        slopes = (
            self.experts.gradient(theta.experts, statistics.experts),
            self.gate.gradient(theta.gate, statistics.gate),
        )
        return None if None in slopes else MixtureParameters(*slopes).flatten()

    def n_parameters(self, theta):
        """Return the number of free parameters of experts and gate."""
        return self.experts.n_parameters(theta.experts) + self.gate.n_parameters(theta.gate)
