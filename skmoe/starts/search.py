"""The search for a start: several directions on a subsample, then exchanges on all rows."""

from joblib import Parallel, delayed

from skmoe.batches import InMemory
from skmoe.starts.directions import random_shares, subsample
from skmoe.starts.exchange import promising_exchanges
from skmoe.starts.runs import CHEAP_ROWS, halve, race, settle

__all__ = ["best_start"]

# Quick runs see this many rows for an expert and for each of its coefficients, drawn evenly along
# a random direction; races see more.
ROWS_OF_EXPERT, ROWS_OF_COEFFICIENT = 250, 15
RACE_ROWS = 5000
# A quick run whose last half rose by more than this for each unit of weight tells too little.
STEADY = 5e-4
# Times that so many starts race where rows are few: optima lie close together there.
WAVES = 2
# Places followed on all rows.
FINALISTS = 3
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

    Notes
    -----
    Where regimes are clear, quick runs on few rows find the good place, and exchanges mend what
    is left. Where experts overlap, bounds still rise when the quick runs are over; then as many
    runs again race on more rows, and the best of them on all rows. Few rows are always raced on,
    with new directions in every wave: passes cost next to nothing there, and optima differ most.
    Coarse answers, classes, tell so little a row that quick runs mislead: they always race.
    """
    scout = fitter.scout()
    few = n_experts * max(ROWS_OF_EXPERT, ROWS_OF_COEFFICIENT * batches.block.X.shape[1])
    with Parallel(n_jobs=n_jobs, prefer="threads") as parallel:

        def starts(sample):
            shares = random_shares(mixture.experts, sample.block, n_experts, n_init, rng)
            return parallel(delayed(settle)(mixture, sample, share) for share in shares)

        found = []
        coarse = mixture.experts.target.coarse
        if batches.block.n_rows > CHEAP_ROWS and not coarse:
            sample = InMemory(subsample(batches.block, rng, few))
            found = halve(mixture, scout, sample, starts(sample), parallel)
        if not found or not _is_steady(found[0]):
            sample = InMemory(subsample(batches.block, rng, max(few, RACE_ROWS)))
            found = []
            for _ in range(WAVES if sample.block.n_rows <= CHEAP_ROWS else 1):
                found = race(mixture, scout, sample, starts(sample), parallel, rivals=found)
        thetas = [each.result.theta for each in found[:FINALISTS]]
        best = race(mixture, scout, batches, thetas, parallel)[0]
        return _exchange(mixture, scout, batches, best, rng, parallel).result.theta


def _is_steady(candidate):
    return candidate.rise <= STEADY * candidate.result.shares.sum()


def _exchange(mixture, fitter, batches, best, rng, parallel):
    """Make exchanges as long as one leads higher; return the last Candidate."""
    for _ in range(MOST_EXCHANGES):
        theta = best.result.theta
        moves = promising_exchanges(mixture, fitter, theta, batches.block, rng)
        better = None
        for move in moves[:TRIALS]:
            start = settle(mixture, batches, move.shares)
            reached = race(mixture, fitter, batches, [start], parallel, rivals=[best])[0]
            if reached is not best:
                better = reached
                break
        if better is None:
            return best
        best = better
    return best
