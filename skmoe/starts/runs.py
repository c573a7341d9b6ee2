"""Short runs: from shares of the rows to a place, and races of several for the best place."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from joblib import Parallel, delayed

from skmoe.base import FitResult, Parameters
from skmoe.batches import Block, InMemory
from skmoe.mixture import MixtureParameters

__all__ = [
    "Candidate",
    "best_of",
    "count_sound",
    "halve",
    "one_expert",
    "race",
    "settle",
    "short_run",
]

# Passes of the first round, in which most starts on easy data show where they lead.
FIRST_PASSES = 4
ROUNDS = 3
# A race gives a run this many passes before it compares, and no run more than that. Few rows make
# passes cheap and starts treacherous: there the first look comes later.
RACE_PASSES, PATIENT_PASSES, LONGEST_RACE = 8, 16, 256
CHEAP_ROWS = 2000
# Bounds closer than this, for each unit of weight, are the same place.
SAME_PLACE = 1e-6
TOLERANCE = 1e-6
# So many of all experts, rounded up, are enough that explain their rows soundly.
SOUND_SHARE = 0.9


@dataclass(frozen=True, eq=False)
class Candidate:
    """A place reached by short runs, one after the other.

    Attributes
    ----------
    result : FitResult
        Of the last run.
    n_sound : int
        Experts that explain their rows soundly.
    rise : float
        How much the bound rose in the second half of all passes.
    """

    result: FitResult
    n_sound: int
    rise: float

    @property
    def rank(self):
        """Sort key: more sound experts first, then the higher bound.

        Of many experts, a few may be lost before that counts for more than the bound.
        """
        enough = ceil(SOUND_SHARE * len(self.result.shares))
        return (min(self.n_sound, enough), self.result.bound)

    @property
    def reach(self):
        """The rank if the bound rose as much again."""
        n_sound, bound = self.rank
        return (n_sound, bound + self.rise)


def count_sound(experts, result, block):
    """Return how many experts have neither lost their rows nor shrunk onto a few of them.

    An expert that holds hardly more rows than it has coefficients fits them at will, and its
    likelihood grows without bound; where priors see to both, all are sound.
    """
    if experts.switches_off:
        return len(result.shares)
    return int((result.shares > 2.0 * (block.X.shape[1] + 1) + 1.0).sum())


def settle(mixture, batches, share):
    """Return parameters that follow the given shares of the rows.

    Parameters
    ----------
    mixture : skmoe.mixture.Mixture
    batches : skmoe.batches.InMemory
    share : ndarray of shape (n, K)
    """
    block = batches.block
    share = mixture.tied_shares(share, block)
    # The weight of a row becomes one weight for each expert.
    shared = batches.of(Block(block.X, block.X_gate, block.y, share * block.weight[:, None]))
    experts, gate = mixture.experts, mixture.gate
    return MixtureParameters(
        experts=_follow(
            experts,
            experts.init(block.X, block.y, share.shape[1]),
            lambda theta: shared.sweep(
                lambda rows: experts.statistics(theta, rows.X, rows.y, rows.weight)
            ),
        ),
        gate=_follow(
            gate,
            gate.init(block.X_gate, share.shape[1]),
            lambda theta: shared.sweep(
                lambda rows: gate.statistics(theta, rows.X_gate, rows.weight)
            ),
        ),
    )


def _follow(part, theta, statistics) -> Parameters:
    for _ in range(part.settling_steps):
        theta = part.m_step(theta, statistics(theta))
    return theta


def short_run(mixture, fitter, batches, theta, passes, ran_before=0):
    """Run the fitter for some passes and judge where it ends, a Candidate."""
    result = fitter.fit(mixture, theta, batches, max_iter=passes, tol=TOLERANCE)
    middle = max(0, (result.n_passes - ran_before) // 2)
    # Rounding may let a settled bound sink by a hair.
    rise = max(0.0, result.bound - result.bounds[middle])
    return Candidate(result, count_sound(mixture.experts, result, batches.block), rise)


def one_expert(mixture, fitter, block):
    """Return where a single expert ends on the rows of a block, a Candidate."""
    batches = InMemory(block)
    theta = settle(mixture, batches, np.ones((block.n_rows, 1), dtype=block.X.dtype))
    return short_run(mixture, fitter, batches, theta, FIRST_PASSES)


def best_of(mixture, fitter, block, shares):
    """Return the best Candidate that short runs from the shares reach."""
    batches = InMemory(block)
    thetas = [settle(mixture, batches, share) for share in shares]
    with Parallel(n_jobs=1) as parallel:
        return halve(mixture, fitter, batches, thetas, parallel)[0]


def halve(mixture, fitter, batches, thetas, parallel):
    """Run from all places, keep the best third, double the passes, again.

    Quick, and enough where a few passes tell good places from bad ones.

    Returns
    -------
    list of Candidate
        The distinct survivors, best first.
    """
    run, passes = delayed(short_run), FIRST_PASSES
    for _ in range(ROUNDS):
        found = parallel(run(mixture, fitter, batches, theta, passes) for theta in thetas)
        found = distinct(found)
        thetas = [each.result.theta for each in found][: max(1, len(thetas) // 3)]
        passes *= 2
    return found


def race(mixture, fitter, batches, thetas, parallel, rivals=()):
    """Run from all places, give up those that fall behind for good, until the rest is settled.

    Where experts overlap, a few passes tell nothing: bounds go on rising by more than they differ.
    A run is given up when the rise of the last half of its passes, repeated, would not take it to
    the best place reached.

    Parameters
    ----------
    mixture : skmoe.mixture.Mixture
    fitter : skmoe.base.Fitter
    batches : skmoe.batches.InMemory
    thetas : sequence of Parameters
    parallel : joblib.Parallel
    rivals : sequence of Candidate
        Places on the same rows that have run before.

    Returns
    -------
    list of Candidate
        The distinct survivors, best first.
    """
    patience = RACE_PASSES * CHEAP_ROWS / batches.block.total
    passes = int(np.clip(patience, RACE_PASSES, PATIENT_PASSES))
    if mixture.experts.target.coarse or mixture.experts.switches_off:
        # Where answers are coarse or experts dispensable, bounds rise slowly and differ late.
        passes = PATIENT_PASSES
    run, total = delayed(short_run), 0
    resting, found = list(rivals), []
    while thetas and total < LONGEST_RACE:
        ran = parallel(run(mixture, fitter, batches, theta, passes, total) for theta in thetas)
        found = distinct(resting + ran)
        found = [each for each in found if each.reach >= found[0].rank]
        going = [each for each in found if each in ran and not each.result.converged]
        resting = [each for each in found if each not in going]
        thetas = [each.result.theta for each in going]
        total += passes
        passes = total
    return found


def distinct(found):
    """Return candidates best first, and of those that are at the same place the first found.

    Which of them is higher by a hair is rounding, and must not decide where a fit ends.
    """
    kept = []
    order = sorted(range(len(found)), key=lambda number: found[number].rank, reverse=True)
    for number in order:
        same = [at for at, other in enumerate(kept) if _are_close(found[number], found[other])]
        if not same:
            kept.append(number)
        elif number < kept[same[0]]:
            kept[same[0]] = number
    return [found[number] for number in kept]


def _are_close(one, other):
    apart = SAME_PLACE * one.result.shares.sum()
    return abs(one.result.bound - other.result.bound) <= apart
