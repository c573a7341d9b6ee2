"""The search for a start: short runs on a subsample, halved in number as they grow longer."""

from dataclasses import dataclass

from joblib import Parallel, delayed

from skmoe.base import FitResult, Parameters
from skmoe.batches import InMemory
from skmoe.mixture import MixtureParameters
from skmoe.starts.directions import random_shares, subsample
from skmoe.starts.exchange import exchanged_shares

__all__ = ["Candidate", "best_start", "is_sound"]

# Short runs see at most this many rows, drawn evenly along a random direction.
SUBSAMPLE_ROWS = 2000
# Passes of the first round; each later round keeps a third of the runs and doubles the passes.
FIRST_PASSES = 6
# Few rows make passes cheap and starts treacherous: up to this many times longer rounds.
LONGEST_ROUND = 4
ROUNDS = 3
# Bounds closer than this share of themselves are the same place.
SAME_PLACE = 1e-4
# Rounds of exchanges around the best place.
EXCHANGES = 1


@dataclass(frozen=True)
class Candidate:
    """A place reached by a short run, and whether it explains the rows soundly."""

    result: FitResult
    sound: bool

    @property
    def rank(self):
        """Sort key: sound places first, then the higher bound."""
        return (self.sound, self.result.bound)


def best_start(mixture, fitter, block, n_experts, *, n_init, rng, n_jobs=None):
    """Return the parameters from which the long run should begin.

    Parameters
    ----------
    mixture : skmoe.mixture.Mixture
    fitter : skmoe.base.Fitter
    block : skmoe.batches.Block
        All rows, standardized.
    n_experts : int
    n_init : int
        Directions tried.
    rng : numpy.random.RandomState
    n_jobs : int or None
        Runs side by side; the answer does not depend on it.

    Returns
    -------
    list of Parameters
        The survivors of the last round, best first.
    """
    block = subsample(block, rng, SUBSAMPLE_ROWS)
    with Parallel(n_jobs=n_jobs, prefer="threads") as parallel:
        search = _Search(mixture, fitter, block, parallel)
        found = search.halve(random_shares(block, n_experts, n_init, rng))
        for _ in range(EXCHANGES if n_experts > 1 else 0):
            found = search.exchange(found, max(2, n_init // 2), rng)
        return [candidate.result.theta for candidate in found]


class _Search:
    """Short runs on one block, side by side."""

    def __init__(self, mixture, fitter, block, parallel):
        self.mixture = mixture
        self.fitter = fitter
        self.block = block
        self.parallel = parallel

    def settle(self, shares):
        """Return parameters that follow each of the shares."""
        return self.parallel(delayed(settle)(self.mixture, self.block, share) for share in shares)

    def run(self, thetas, passes):
        """Return the distinct candidates that short runs reach, best first."""
        task = delayed(short_run)
        found = self.parallel(
            task(self.mixture, self.fitter, self.block, theta, passes) for theta in thetas
        )
        return _distinct(sorted(found, key=lambda candidate: candidate.rank, reverse=True))

    def halve(self, shares):
        """Run all, keep the best third, double the passes, again."""
        passes = FIRST_PASSES * min(LONGEST_ROUND, max(1, SUBSAMPLE_ROWS // self.block.n_rows))
        thetas = self.settle(shares)
        for _ in range(ROUNDS):
            found = self.run(thetas, passes)
            thetas = [candidate.result.theta for candidate in found][: max(1, len(thetas) // 3)]
            passes *= 2
        return found

    def exchange(self, found, n_moves, rng):
        """Try exchanges around the best candidate; keep whatever is better."""
        best = found[0]
        moves = exchanged_shares(self.mixture, best.result.theta, self.block, n_moves, rng)
        tried = self.halve(moves)
        return _distinct(sorted(found + tried, key=lambda each: each.rank, reverse=True))


def short_run(mixture, fitter, block, theta, passes):
    """Run the fitter for some passes and judge where it ends."""
    result = fitter.fit(mixture, theta, InMemory(block), max_iter=passes, tol=1e-6)
    return Candidate(result, is_sound(result, block))


def is_sound(result, block):
    """Whether no expert has shrunk onto a few rows.

    An expert that holds hardly more rows than it has coefficients fits them at will, and its
    likelihood grows without bound.
    """
    held = result.shares[result.shares > 0.5]
    return bool((held > 2.0 * (block.X.shape[1] + 1) + 1.0).all())


def settle(mixture, block, share):
    """Return parameters that follow the given shares (n, K) of the rows."""
    weight = share * block.weight[:, None]
    experts, gate = mixture.experts, mixture.gate
    return MixtureParameters(
        experts=_follow(
            experts,
            experts.init(block.X, block.y, share.shape[1]),
            lambda theta: experts.statistics(theta, block.X, block.y, weight),
        ),
        gate=_follow(
            gate,
            gate.init(block.X_gate, share.shape[1]),
            lambda theta: gate.statistics(theta, block.X_gate, weight),
        ),
    )


def _follow(part, theta, statistics) -> Parameters:
    for _ in range(part.settling_steps):
        theta = part.m_step(theta, statistics(theta))
    return theta


def _distinct(ranked, tolerance=SAME_PLACE):
    """Drop candidates whose bound repeats a better one's: the same place twice."""
    kept = []
    for candidate in ranked:
        bound = candidate.result.bound
        scale = tolerance * max(abs(bound), 1.0)
        if all(abs(bound - other.result.bound) > scale for other in kept):
            kept.append(candidate)
    return kept
