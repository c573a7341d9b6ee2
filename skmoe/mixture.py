"""A mixture: a gate, a bank of experts and a criterion; no data, no state."""

from dataclasses import dataclass, replace

import numpy as np

from skmoe._math.sums import column_totals, weighted_total
from skmoe.base import Criterion, Experts, Gate, Parameters, Statistics

__all__ = ["GroupedMixture", "Mixture", "MixtureParameters", "MixtureStatistics"]


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
        return self.experts.monotone and self.gate.monotone and self.criterion.monotone

    @property
    def takes_arrays(self):
        """Whether rows may be arrays of other libraries than numpy, on their devices."""
        return all(part.takes_arrays for part in (self.experts, self.gate, self.criterion))

    def joint(self, theta, block):
        """Return log g_k(x) + log p_k(y | x) as learning sees it, shape (n, K)."""
        joint = self.experts.evidence(theta.experts, block.X, block.y)
        return joint + self.gate.evidence(theta.gate, block.X_gate)

    def share(self, theta, block):
        """Return the responsibilities of the experts for the rows, shape (n, K)."""
        return self.criterion.pool_and_share(self.joint(theta, block))[1]

    def tied_shares(self, share, block):
        """Return shares (n, K) that rows which belong together have in common."""
        return share

    def sweep(self, theta, block):
        """Return the MixtureStatistics of a block of rows: E-step and sums in one go."""
        found = self.criterion.divide(self, theta, block)
        share = found.share
        share *= block.weight[:, None]
        # Most criteria have one array for both.
        same = found.gate_share is share
        gate_share = share if same else found.gate_share * block.weight[:, None]
        return MixtureStatistics(
            pooled=weighted_total(found.pooled, block.weight),
            total=block.total,
            shares=column_totals(share),
            experts=self.experts.statistics(theta.experts, block.X, found.answers, share),
            gate=self.gate.statistics(theta.gate, block.X_gate, gate_share),
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


@dataclass(frozen=True)
class GroupedMixture(Mixture):
    """A mixture in which one expert makes all rows of a group: repeated measures of a subject.

    Notes
    -----
    With the rows n of a group i, log p(y_i | x_i) = pool_k(G_ik + sum_n w_n log p_k(y_n | x_n)),
    where G_ik is the weighted mean of the rows' log g_k(x_n): the gate's own answer where its
    features do not vary within groups. A group counts once for the gate, whatever its size.

    References
    ----------
    Gruen and Leisch (2008), FlexMix version 2, section 2: the grouping factor.
    """

    def share(self, theta, block):
        if block.group is None:
            return super().share(theta, block)
        groups = _Groups(block)
        return groups.spread(self.criterion.pool_and_share(self._joint(theta, block, groups))[1])

    def tied_shares(self, share, block):
        if block.group is None:
            return share
        groups = _Groups(block)
        return groups.spread(groups.total(share * groups.part[:, None])).astype(share.dtype)

    def sweep(self, theta, block):
        if block.group is None:
            return super().sweep(theta, block)
        groups = _Groups(block)
        pooled, share = self.criterion.pool_and_share(self._joint(theta, block, groups))
        share = groups.spread(share)
        mass = share * block.weight[:, None]
        once = share * groups.part[:, None].astype(share.dtype)
        return MixtureStatistics(
            pooled=float(pooled.sum(dtype=np.float64)),
            total=float(block.weight.sum(dtype=np.float64)),
            shares=mass.sum(axis=0, dtype=np.float64),
            experts=self.experts.statistics(theta.experts, block.X, block.y, mass),
            gate=self.gate.statistics(theta.gate, block.X_gate, once),
        )

    def pooled(self, theta, block):
        """Return the log-likelihood of each group, shape (n_groups,)."""
        return self.criterion.pool_and_share(self._joint(theta, block, _Groups(block)))[0]

    def _joint(self, theta, block, groups):
        """Return the evidence of groups, shape (n_groups, K)."""
        experts = self.experts.evidence(theta.experts, block.X, block.y)
        gate = self.gate.evidence(theta.gate, block.X_gate)
        return groups.total(
            experts * block.weight[:, None] + gate * groups.part[:, None].astype(gate.dtype)
        )


class _Groups:
    """Sums over the groups of a block, whose rows are neighbors, and back."""

    def __init__(self, block):
        first = np.append(True, np.diff(block.group) != 0)
        self._starts = np.flatnonzero(first)
        self._number = np.cumsum(first) - 1
        #: The share of every row in the weight of its group, (n,).
        self.part = block.weight / self.spread(self.total(block.weight))

    def total(self, values):
        """Return sums (n_groups, ...) of values (n, ...)."""
        return np.add.reduceat(values, self._starts, axis=0)

    def spread(self, values):
        """Return values (n_groups, ...) at every row, (n, ...), rows running fastest."""
        return np.asfortranarray(values[self._number])
