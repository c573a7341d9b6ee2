"""The search for a start: several directions on a subsample, then exchanges on all rows."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil

import numpy as np
from joblib import Parallel, delayed

from skmoe.base import Fitter
from skmoe.batches import InMemory
from skmoe.mixture import Mixture
from skmoe.starts.arrangement import arrange
from skmoe.starts.directions import chosen_rows, kicked_shares, random_shares, subsample
from skmoe.starts.exchange import (
    LEAST_WEIGHT,
    bold_exchanges,
    deletions,
    promising_exchanges,
)
from skmoe.starts.partition import partition
from skmoe.starts.runs import (
    CHEAP_ROWS,
    PATIENT_PASSES,
    distinct,
    halve,
    race,
    settle,
    short_run,
)

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
# Rows by which experts find their places in a tree.
ARRANGED_ROWS = 2000
# Recursive partitions tried, as a share of the directions.
PARTITIONS = 0.125
# A tree of so many leaves is searched with patience: which experts are neighbors counts, too.
SMALL_TREE = 8
# Exchanges tried from one place, and exchanges made one after the other.
TRIALS, MOST_EXCHANGES = 3, 8
# Times that scores are told anew and experts are deleted again; nats that make a move worth it.
PRUNINGS, WORTH = 2, 0.1
# From so many directions on, a search is a patient one: it also deletes where that seems to cost.
PATIENT_STARTS = 3
# Pairs of experts in a small tree that divide their rows anew.
PAIRS = 3


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
    classes, tell so little a row that quick runs mislead: they always race, the better half of them
    on more rows.
    """
    home = batches.resident(rng)
    with Parallel(n_jobs=n_jobs, prefer="threads") as parallel:
        search = _Search(mixture, fitter.scout(), n_experts, n_init, rng, parallel)
        thetas = [each.result.theta for each in search.contenders(home)[:FINALISTS]]
        best = search.race(home, [*thetas, *search.from_equals(home)])[0]
        best = search.exchange(home, best)
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

    @cached_property
    def tree(self):
        """The tree in which experts may trade places, or None."""
        tree = self.mixture.gate.tree(self.n_experts)
        has_places = tree is not None and tree.max_depth > 1
        return tree if has_places and self.mixture.experts.exchangeable else None

    @property
    def is_small_tree(self):
        """Whether experts are few enough to look for their places in a tree with patience."""
        return self.tree is not None and self.n_experts <= SMALL_TREE

    def from_equals(self, home):
        """Return Parameters of a tree whose experts were found as equals, under a single gate."""
        if self.tree is None:
            return []
        flat = replace(self.mixture, gate=self.mixture.gate.resized(self.n_experts))
        found = replace(self, mixture=flat).contenders(home)[:FINALISTS]
        return self.places(home, (flat.share(each.result.theta, home.block) for each in found))

    def contenders(self, home):
        """Return places (Candidates, best first) that runs on some of the rows lead to."""
        few = self.n_experts * max(ROWS_OF_EXPERT, ROWS_OF_COEFFICIENT * home.block.X.shape[1])
        quick = home.block.total > CHEAP_ROWS and not self.mixture.experts.target.coarse
        if quick and not self.is_small_tree:
            sample = InMemory(subsample(home.block, self.rng, few))
            thetas = self.starts(sample)
            found = halve(self.mixture, self.scout, sample, thetas, self.parallel)
            theta = found[0].result.theta
            best = short_run(self.mixture, self.scout, sample, theta, STEADY_PASSES)
            if _is_steady(best):
                return [best, *found[1:]]
        sieved = self.sieved(home, few) if self.mixture.experts.target.coarse else None
        sample = InMemory(subsample(home.block, self.rng, max(few, RACE_ROWS)))
        return self.waves(sample) if sieved is None else self.race(sample, sieved)

    def sieved(self, home, few):
        """Return the better half of the starts after a patient run on half of the race's rows.

        None for few rows, and for few starts.
        """
        if home.block.total <= RACE_ROWS or self.tree is not None or self.n_init < 4:
            return None
        sample = InMemory(subsample(home.block, self.rng, max(few, RACE_ROWS // 2)))
        run = delayed(short_run)
        found = self.parallel(
            run(self.mixture, self.scout, sample, theta, PATIENT_PASSES)
            for theta in self.starts(sample)
        )
        return [each.result.theta for each in distinct(found)[: self.n_init // 2]]

    def waves(self, sample):
        """Return the places that win one race after the other on a sample."""
        found = self.race(sample, self.starts(sample))
        many = sample.block.total <= CHEAP_ROWS or self.is_small_tree
        many = many and not self.mixture.experts.switches_off
        for wave in range(1, WAVES if many else 1):
            kicked = wave % 2 == 1 and self.n_experts > 2
            thetas = self.kicks(sample, found[0]) if kicked else self.starts(sample)
            found = self.race(sample, thetas, found)
        return found

    def starts(self, sample):
        """Return Parameters that follow first guesses."""
        if self.tree is None:
            return self.guesses(sample)
        # A guess at many leaves at once is a bad one.
        guesses = self.guesses(sample) if self.is_small_tree else []
        return [*guesses, *self.partitions(sample)]

    def guesses(self, sample):
        """Return Parameters that follow random shares of the rows."""
        shares = random_shares(
            self.mixture.experts, sample.block, self.n_experts, self.n_init, self.rng
        )
        return self.places(sample, shares)

    def partitions(self, sample):
        """Return Parameters that follow recursive partitions of the rows."""
        seeds = self.rng.randint(2**31, size=ceil(PARTITIONS * self.n_init))
        run = delayed(_partitioned)
        return self.parallel(
            run(self.mixture, self.scout, sample, self.tree, seed) for seed in seeds
        )

    def kicks(self, sample, best):
        """Return Parameters that follow the shares of the best place, kicked."""
        share = self.mixture.share(best.result.theta, sample.block)
        shares = kicked_shares(self.mixture.experts, sample.block, share, self.n_init, self.rng)
        return self.places(sample, shares)

    def places(self, sample, shares):
        """Return Parameters that follow each of the shares."""
        rows = self.arranged_rows(sample.block)
        run = delayed(_placed)
        return self.parallel(run(self.mixture, sample, self.tree, rows, share) for share in shares)

    def arranged_rows(self, block):
        """Return the rows by which experts find their places in the tree, if there is one."""
        return None if self.tree is None else chosen_rows(block, self.rng, ARRANGED_ROWS)

    def race(self, batches, thetas, rivals=()):
        """Return the Candidates that are left of a race, best first."""
        return race(self.mixture, self.scout, batches, thetas, self.parallel, rivals)

    def exchange(self, home, best):
        """Make exchanges as long as one leads higher; return the last Candidate.

        Banks that have experts to spare hardly need them.
        """
        for _ in range(0 if self.mixture.experts.switches_off else MOST_EXCHANGES):
            theta = best.result.theta
            trials = (
                self.race(home, self.places(home, [shares]), [best])[0]
                for shares in self.moves(home.block, theta)
            )
            better = next((reached for reached in trials if reached is not best), None)
            if better is None:
                break
            best = better
        return best

    def prune(self, home, best):
        """Delete experts as long as one fewer leads higher, where priors charge for each.

        EM does not find the way by itself: an expert that others could do without holds on to rows
        that it explains a little better than they do. A quick search tries what is sure to pay.
        """
        if not self.mixture.experts.switches_off:
            return best
        best = self.delete(home, best)
        for _ in range(PRUNINGS if self.n_init >= PATIENT_STARTS else 0):
            thetas = self.referred(best.result)
            told = self.race(home, thetas, [best])[0] if thetas else best
            if not _is_worth(told, best):
                break
            best = self.delete(home, told)
        return best

    def delete(self, home, best):
        """Return the Candidate that is reached by one deletion after the other."""
        patient = self.n_init >= PATIENT_STARTS
        for _ in range(self.n_experts):
            found = deletions(self.mixture, best.result.theta, home.block)
            tried = [each for each in found[: self.n_init] if patient or each.gain > 0]
            places = (settle(self.mixture, home, each.shares) for each in tried)
            trials = (self.race(home, [theta], [best])[0] for theta in places)
            better = next((reached for reached in trials if _is_worth(reached, best)), None)
            if better is None:
                break
            best = better
        return best

    def referred(self, result):
        """Return Parameters at the place of a FitResult, each told from another active expert.

        A prior that switches scores off gets stuck with those that it has switched off.
        """
        theta, gate = result.theta, self.mixture.gate
        active = np.flatnonzero(result.shares >= LEAST_WEIGHT)
        gates = [gate.referred(theta.gate, number) for number in active]
        gates = sorted((each for each in gates if each is not None), key=gate.penalty)
        return [replace(theta, gate=each) for each in gates[: -self.n_init - 1 : -1]]

    def moves(self, block, theta):
        """Yield shares (n, K) that promise more than those at theta."""
        if self.tree is not None:
            # The same experts, each in a better place.
            yield self.mixture.share(theta, block)
        if self.is_small_tree:
            yield from bold_exchanges(self.mixture, self.scout, theta, block, self.rng, PAIRS)
        moves = promising_exchanges(self.mixture, self.scout, theta, block, self.rng)
        for move in moves[:TRIALS]:
            yield move.shares


def _placed(mixture, batches, tree, rows, share):
    """Return Parameters that follow shares (n, K), with the experts in a tree's best places."""
    if tree is not None:
        chosen, repeats = rows
        X = np.asfortranarray(batches.block.X_gate[chosen])
        own = np.asfortranarray(share[chosen] * repeats[:, None].astype(share.dtype))
        share = share[:, arrange(tree, X, own)]
    return settle(mixture, batches, share)


def _partitioned(mixture, fitter, batches, tree, seed):
    """Return Parameters that follow a recursive partition."""
    rng = np.random.RandomState(seed)
    return settle(mixture, batches, partition(mixture, fitter, batches.block, tree, rng))


def _is_worth(reached, best):
    return reached.result.bound > best.result.bound + WORTH


def _is_steady(candidate):
    return candidate.rise <= STEADY * candidate.result.shares.sum()
