"""Exchanges: an expert that another one could replace goes to help where two are needed.

EM cannot leave an optimum in which two experts share one regime while a third one blurs two
regimes. A merge together with a split crosses that valley in one move. Whether it pays is
estimated before it is tried: what the rows of the freed expert lose against what two experts
gain on the rows of the divided one.
"""

from dataclasses import dataclass, replace

import numpy as np

from skmoe._math.logspace import pool_and_share
from skmoe.batches import Block
from skmoe.starts.directions import random_shares, subsample
from skmoe.starts.runs import best_of, one_expert

__all__ = ["Exchange", "bold_exchanges", "deletions", "promising_exchanges"]

# Rows and starts of the two-expert problem on the rows of one expert.
SPLIT_ROWS = 1500
SPLIT_STARTS = 6
# Rows that an expert holds to less than this are left out of its split.
LEAST_SHARE = 0.05
# An expert that holds less than this weight of rows has none to leave to others.
LEAST_WEIGHT = 1.0


@dataclass(frozen=True)
class Exchange:
    """Shares (n, K) of all rows after a merge and a split, and the gain they promise (nats)."""

    gain: float
    shares: np.ndarray


def promising_exchanges(mixture, fitter, theta, block, rng):
    """Return the exchanges that promise a higher bound, best first.

    Parameters
    ----------
    mixture : skmoe.mixture.Mixture
    fitter : skmoe.base.Fitter
    theta : Parameters
    block : skmoe.batches.Block
    rng : numpy.random.RandomState

    Returns
    -------
    list of Exchange

    Notes
    -----
    Handing the rows of expert j to its heir k costs sum_n w_n h_nj (log p_j - log p_k). A split of
    expert s is tried, as a mixture of two experts on the rows of s alone, only where the bank's
    `potential` of s could pay for a merge.

    References
    ----------
    Ueda, Nakano, Ghahramani and Hinton (2000), SMEM algorithm for mixture models.
    """
    if not mixture.experts.exchangeable:
        return []
    share = mixture.share(theta, block)
    mass = share * block.weight[:, None]
    cost = _merge_costs(mass, mixture.experts.log_prob(theta.experts, block.X, block.y))
    potential = mixture.experts.potential(theta.experts, block.X, block.y, mass)
    found = []
    enough = mass.sum(axis=0) > 4.0 * (block.X.shape[1] + 2)
    for divided in np.flatnonzero(enough & (potential > cost.min())):
        gain, halves = _split(mixture, fitter, block, mass[:, divided], rng)
        freed, heir = _cheapest_merge(cost, divided)
        gain -= cost[freed, heir]
        if gain > 0:
            found.append(Exchange(gain, _exchanged(share, freed, heir, divided, halves)))
    return sorted(found, key=lambda exchange: exchange.gain, reverse=True)


def bold_exchanges(mixture, fitter, theta, block, rng, n_pairs):
    """Yield shares (n, K) after exchanges whose price is overestimated before they are tried.

    What the rows of an expert lose with its heir is measured before the heir has learned from
    them. The pairs that lose least are worth a trial: the two divide their rows anew, or one
    takes over from the other, which helps a third.

    Parameters
    ----------
    mixture : skmoe.mixture.Mixture
    fitter : skmoe.base.Fitter
    theta : Parameters
    block : skmoe.batches.Block
    rng : numpy.random.RandomState
    n_pairs : int
        Pairs that divide anew; the first of them is also tried as one.
    """
    share = mixture.share(theta, block)
    mass = share * block.weight[:, None]
    cost = _merge_costs(mass, mixture.experts.log_prob(theta.experts, block.X, block.y))
    order = np.argsort(
        np.where(np.tri(len(cost), k=-1) > 0, np.minimum(cost, cost.T), np.inf), None
    )
    pairs = np.column_stack(np.unravel_index(order, cost.shape))
    n_all = len(cost) * (len(cost) - 1) // 2
    for rank, pair in enumerate(pairs[: min(n_pairs, n_all)]):
        gain, halves = _split(mixture, fitter, block, mass[:, pair].sum(axis=1), rng)
        if np.isfinite(gain):
            new = share.copy(order="F")
            new[:, pair] = share[:, pair].sum(axis=1)[:, None] * halves
            yield new
        for divided in set(range(len(cost))) - set(pair) if rank == 0 else ():
            gain, halves = _split(mixture, fitter, block, mass[:, divided], rng)
            if gain > 0:
                yield _exchanged(share, *pair, divided, halves)


def deletions(mixture, theta, block):
    """Return an Exchange for every expert that holds rows: it leaves them to the others.

    Those come first that promise most, or threaten least: what the others lose on the rows is
    measured before they have learned from them, so that many a deletion pays which seems to cost.
    """
    share = mixture.share(theta, block)
    saved = mixture.experts.charges(theta.experts) + mixture.gate.charges(theta.gate)
    saved = np.broadcast_to(saved, share.shape[1])
    active = np.flatnonzero(block.weight @ share >= LEAST_WEIGHT)
    # Rows that one expert holds alone go somewhere, too, at a price that is a number.
    logs = np.log(np.maximum(share, np.finfo(share.dtype).tiny))
    found = []
    for freed in active if len(active) > 1 else []:
        others = logs.copy(order="F")
        others[:, freed] = -np.inf
        kept, left = pool_and_share(others)
        found.append(Exchange(float(saved[freed] + block.weight @ kept), left))
    return sorted(found, key=lambda deletion: deletion.gain, reverse=True)


def _merge_costs(mass, log_prob):
    """Log-density (K, K) that the rows of expert j lose when expert k takes them over."""
    own = np.einsum("nk,nk->k", mass, log_prob)
    cost = (own[:, None] - mass.T @ log_prob).astype(np.float64)
    np.fill_diagonal(cost, np.inf)
    return cost


def _cheapest_merge(cost, divided):
    """Return the expert that is freed, and its heir, when another one is divided."""
    others = cost.copy()
    others[divided] = np.inf
    return np.unravel_index(others.argmin(), others.shape)


def _split(mixture, fitter, block, mass, rng):
    """Fit two experts to the rows of one; return the gain and the halves (n, 2) of all rows."""
    held = np.flatnonzero(mass > LEAST_SHARE * block.weight)
    if not len(held):
        return -np.inf, None
    own = block.rows(held)
    own = subsample(Block(own.X, own.X_gate, own.y, mass[held]), rng, SPLIT_ROWS)
    mixture = replace(mixture, gate=mixture.gate.resized(2))
    whole = one_expert(mixture, fitter, own)
    parts = best_of(mixture, fitter, own, random_shares(mixture.experts, own, 2, SPLIT_STARTS, rng))
    per_row = (parts.result.bound - whole.result.bound) / own.weight.sum()
    gain = per_row * mass.sum() if parts.n_sound == 2 else -np.inf
    return float(gain), mixture.share(parts.result.theta, block)


def _exchanged(share, freed, heir, divided, halves):
    """Shares (n, K) after ``heir`` took the rows of ``freed`` and ``divided`` was halved."""
    new = share.copy(order="F")
    new[:, heir] += new[:, freed]
    whole = new[:, divided].copy()
    new[:, divided] = whole * halves[:, 0]
    new[:, freed] = whole * halves[:, 1]
    return new
