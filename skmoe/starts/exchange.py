"""Exchanges: an expert that another one could replace goes to help where two are needed.

EM cannot leave an optimum in which two experts share one regime while a third one blurs two
regimes. A merge together with a split crosses that valley in one move.
"""

import numpy as np

from skmoe.starts.directions import split_shares

__all__ = ["exchanged_shares"]


def exchanged_shares(mixture, theta, block, n_moves, rng):
    """Yield shares (n, K) after the most promising exchanges.

    Parameters
    ----------
    mixture : skmoe.mixture.Mixture
    theta : Parameters
    block : skmoe.batches.Block
    n_moves : int
        Exchanges proposed.
    rng : numpy.random.RandomState

    Notes
    -----
    The cost of handing the rows of expert j to expert k is sum_n w_n h_nj (log p_j - log p_k),
    the log-density that these rows lose. Pairs are tried from the cheapest, and each frees an
    expert that divides the rows of one of the others, those with the widest residuals first.

    References
    ----------
    Ueda, Nakano, Ghahramani and Hinton (2000), SMEM algorithm for mixture models.
    """
    share = mixture.share(theta, block)
    log_prob = mixture.experts.log_prob(theta.experts, block.X, block.y)
    residual = block.y[:, None, :] - mixture.experts.mean(theta.experts, block.X)
    for freed, heir, divided in _moves(share, log_prob, residual, block.weight, n_moves):
        halves = split_shares(block, _unit(residual[:, divided], share[:, divided], block), rng)
        yield _exchange(share, freed, heir, divided, halves)


def _moves(share, log_prob, residual, weight, n_moves):
    """Return triples (freed, heir, divided), the most promising ones first."""
    K = share.shape[1]
    mass = share * weight[:, None]
    own = np.einsum("nk,nk->k", mass, log_prob)
    cost = own[:, None] - mass.T @ log_prob
    np.fill_diagonal(cost, np.inf)
    heirs = cost.argmin(axis=1)
    spread = np.einsum("nk,nkq->k", mass, np.square(residual)) / np.maximum(mass.sum(axis=0), 1e-9)
    moves = [
        (rank_freed + rank_divided, freed, heirs[freed], divided)
        for rank_freed, freed in enumerate(cost.min(axis=1).argsort())
        for rank_divided, divided in enumerate(spread.argsort()[::-1])
        if divided != freed and (divided != heirs[freed] or K == 2)
    ]
    moves.sort(key=lambda move: move[0])
    distinct = [move[1:] for move in moves[: max(K, n_moves // 2)]]
    return (distinct * n_moves)[:n_moves]


def _unit(residual, share, block):
    """Residuals (n, q) of one expert, scaled to unit variance over its own rows."""
    mass = share * block.weight
    variance = mass @ np.square(residual) / max(float(mass.sum()), 1e-9)
    return residual / np.where(variance > 0, np.sqrt(variance), 1.0)


def _exchange(share, freed, heir, divided, halves):
    """Shares (n, K) after ``heir`` took the rows of ``freed`` and ``divided`` was halved."""
    new = share.copy(order="F")
    new[:, heir] += new[:, freed]
    # With two experts the heir is the one that is divided: a fresh division of all rows.
    whole = new[:, divided].copy()
    new[:, divided] = whole * halves[:, 0]
    new[:, freed] = whole * halves[:, 1]
    return new
