"""The search for a start: several directions on a subsample, then exchanges on all rows."""

from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from skmoe.base import Fitter
from skmoe.batches import InMemory
from skmoe.mixture import Mixture
from skmoe.starts.directions import kicked_shares, random_shares, subsample
from skmoe.starts.exchange import promising_exchanges, promising_merges
from skmoe.starts.runs import CHEAP_ROWS, halve, race, settle, short_run

__all__ = ["best_start"]

# Quick runs see this many rows for an expert and for each of its coefficients, drawn evenly along
# a random direction; races see more.
ROWS_OF_EXPERT, ROWS_OF_COEFFICIENT = 250, 15
RACE_ROWS = 5000
# The best quick run goes on for so many passes; if their second half still raises it by more than
# this for each unit of weight, experts overlap, and quick runs tell too little.
STEADY_PASSES, STEADY = 40, 5e-4
# Times that n_init runs race where rows are few and optima lie close together. Every second time
# they set out from the best place found, with the rows of two experts drawn anew.
WAVES = 4
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
    batches : skmoe.batches.Batches
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
    in several waves: passes cost next to nothing there, and optima differ most. Coarse answers,
    classes, tell so little a row that quick runs mislead: they always race.
    """
    home = batches.resident(rng)
    with Parallel(n_jobs=n_jobs, prefer="threads") as parallel:
        search = _Search(mixture, fitter.scout(), n_experts, n_init, rng, parallel)
        thetas = [each.result.theta for each in search.contenders(home)[:FINALISTS]]
        best = search.exchange(home, search.race(home, thetas)[0])
        return search.prune(home, best).result.theta


@dataclass(frozen=True)
class _Search:
    """One search: what is fitted, how, from how many directions, and who runs it."""

    mixture: Mixture
    scout: Fitter
    n_experts: int
    n_init: int
    rng: np.random.RandomState
    parallel: Parallel

    def contenders(self, home):
        """Return places (Candidates, best first) that runs on some of the rows lead to."""
        few = self.n_experts * max(ROWS_OF_EXPERT, ROWS_OF_COEFFICIENT * home.block.X.shape[1])
        if home.block.total > CHEAP_ROWS and not self.mixture.experts.target.coarse:
            sample = InMemory(subsample(home.block, self.rng, few))
            thetas = self.starts(sample)
            found = halve(self.mixture, self.scout, sample, thetas, self.parallel)
            theta = found[0].result.theta
            best = short_run(self.mixture, self.scout, sample, theta, STEADY_PASSES)
            if _is_steady(best):
                return [best, *found[1:]]
        sample = InMemory(subsample(home.block, self.rng, max(few, RACE_ROWS)))
        return self.waves(sample)

    def waves(self, sample):
        """Return the places that win one race after the other on a sample."""
        found = self.race(sample, self.starts(sample))
        few = sample.block.total <= CHEAP_ROWS and not self.mixture.experts.switches_off
        for wave in range(1, WAVES if few else 1):
            kicked = wave % 2 == 1 and self.n_experts > 2
            thetas = self.kicks(sample, found[0]) if kicked else self.starts(sample)
            found = self.race(sample, thetas, found)
        return found

    def starts(self, sample):
        """Return Parameters that follow first guesses."""
        shares = random_shares(
            self.mixture.experts, sample.block, self.n_experts, self.n_init, self.rng
        )
        return self.places(sample, shares)

    def kicks(self, sample, best):
        """Return Parameters that follow the shares of the best place, kicked."""
        share = self.mixture.share(best.result.theta, sample.block)
        shares = kicked_shares(self.mixture.experts, sample.block, share, self.n_init, self.rng)
        return self.places(sample, shares)

    def places(self, sample, shares):
        """Return Parameters that follow each of the shares."""
        return self.parallel(delayed(settle)(self.mixture, sample, share) for share in shares)

    def race(self, batches, thetas, rivals=()):
        """Return the Candidates that are left of a race, best first."""
        return race(self.mixture, self.scout, batches, thetas, self.parallel, rivals)

    def exchange(self, home, best):
        """Make exchanges as long as one leads higher; return the last Candidate.

        Banks that have experts to spare hardly need them.
        """
        if self.mixture.experts.switches_off:
            return best
        for _ in range(MOST_EXCHANGES):
            theta = best.result.theta
            moves = promising_exchanges(self.mixture, self.scout, theta, home.block, self.rng)
            better = self.first_better(home, best, moves)
            if better is None:
                break
            best = better
        return best

    def prune(self, home, best):
        """Merge experts as long as one fewer leads higher, where priors charge for each."""
        if not self.mixture.experts.switches_off:
            return best
        for _ in range(self.n_experts):
            merges = promising_merges(self.mixture, best.result.theta, home.block)
            better = self.first_better(home, best, merges)
            if better is None:
                break
            best = better
        return best

    def first_better(self, home, best, moves):
        """Return where the first move leads that pays, a Candidate, or None."""
        trials = (
            self.race(home, [settle(self.mixture, home, move.shares)], [best])[0]
            for move in moves[:TRIALS]
        )
        return next((reached for reached in trials if reached is not best), None)


def _is_steady(candidate):
    return candidate.rise <= STEADY * candidate.result.shares.sum()
