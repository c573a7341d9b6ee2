"""The search for a start: several directions on a subsample, then exchanges on all rows."""

from joblib import Parallel

from skmoe.starts.directions import random_shares, subsample
from skmoe.starts.exchange import promising_exchanges
from skmoe.starts.runs import halve, settle, short_run

__all__ = ["best_start"]

# First runs see at most this many rows, drawn evenly along a random direction.
SUBSAMPLE_ROWS = 2000
# Passes over all rows before a place is judged.
TRIAL_PASSES = 12
# Exchanges tried from one place, and exchanges made one after the other.
TRIALS, MOST_EXCHANGES = 3, 8


def best_start(mixture, fitter, batches, n_experts, *, n_init, rng, n_jobs=None):
    """Return the parameters from which the long run should begin.

    Parameters
    ----------
    mixture : skmoe.mixture.Mixture
    fitter : skmoe.base.Fitter
    batches : skmoe.batches.InMemory
        All rows, standardized.
    n_experts : int
    n_init : int
        Directions tried.
    rng : numpy.random.RandomState
    n_jobs : int or None
        Runs side by side; the answer does not depend on it.

    Returns
    -------
    Parameters
    """
    sample = subsample(batches.block, rng, SUBSAMPLE_ROWS)
    shares = random_shares(mixture.experts, sample, n_experts, n_init, rng)
    with Parallel(n_jobs=n_jobs, prefer="threads") as parallel:
        found = halve(mixture, fitter, sample, shares, parallel)
    best = max(
        (_trial(mixture, fitter, batches, each.result.theta) for each in found[:2]),
        key=lambda candidate: candidate.rank,
    )
    return _exchange(mixture, fitter, batches, best, rng).result.theta


def _trial(mixture, fitter, batches, theta):
    return short_run(mixture, fitter, batches, theta, TRIAL_PASSES)


def _exchange(mixture, fitter, batches, best, rng):
    """Make exchanges as long as one leads higher; return the last Candidate."""
    for _ in range(MOST_EXCHANGES):
        theta = best.result.theta
        moves = promising_exchanges(mixture, fitter, theta, batches.block, rng)
        better = None
        for move in moves[:TRIALS]:
            start = settle(mixture, batches, move.shares)
            reached = _trial(mixture, fitter, batches, start)
            if reached.rank > best.rank:
                better = reached
                break
        if better is None:
            return best
        best = better
    return best
