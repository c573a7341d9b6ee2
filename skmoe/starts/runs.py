"""Short runs: from shares of the rows to a place, and the best place of several."""

from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from skmoe.base import FitResult, Parameters
from skmoe.batches import Block, InMemory
from skmoe.mixture import MixtureParameters

__all__ = ["Candidate", "best_of", "halve", "is_sound", "one_expert", "settle", "short_run"]

# Passes of the first round; each later round keeps a third of the runs and doubles the passes.
FIRST_PASSES = 4
ROUNDS = 3
# Few rows make passes cheap and starts treacherous: up to this many times longer rounds.
CHEAP_ROWS, LONGEST_ROUND = 2000, 6
# Bounds closer than this share of themselves are the same place.
SAME_PLACE = 1e-4
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Candidate:
    """A place reached by a short run, and whether it explains the rows soundly."""

    result: FitResult
    sound: bool

    @property
    def rank(self):
        """Sort key: sound places first, then the higher bound."""
        return (self.sound, self.result.bound)


def is_sound(result, block):
    """Return whether no expert has shrunk onto a few rows.

    An expert that holds hardly more rows than it has coefficients fits them at will, and its
    likelihood grows without bound.
    """
    held = result.shares[result.shares > 0.5]
    return bool((held > 2.0 * (block.X.shape[1] + 1) + 1.0).all())


def settle(mixture, batches, share):
    """Return parameters that follow the given shares of the rows.

    Parameters
    ----------
    mixture : skmoe.mixture.Mixture
    batches : skmoe.batches.InMemory
    share : ndarray of shape (n, K)
    """
    block = batches.block
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


def short_run(mixture, fitter, batches, theta, passes):
    """Run the fitter for some passes and judge where it ends, a Candidate."""
    result = fitter.fit(mixture, theta, batches, max_iter=passes, tol=TOLERANCE)
    return Candidate(result, is_sound(result, batches.block))


def one_expert(mixture, fitter, block):
    """Return where a single expert ends on the rows of a block, a Candidate."""
    batches = InMemory(block)
    theta = settle(mixture, batches, np.ones((block.n_rows, 1), dtype=block.X.dtype))
    return short_run(mixture, fitter, batches, theta, FIRST_PASSES)


def best_of(mixture, fitter, block, shares):
    """Return the best Candidate that short runs from the shares reach."""
    with Parallel(n_jobs=1) as parallel:
        return halve(mixture, fitter, block, shares, parallel)[0]


def halve(mixture, fitter, block, shares, parallel):
    """Run from all shares, keep the best third, double the passes, again.

    Returns
    -------
    list of Candidate
        The distinct survivors, best first.
    """
    batches = InMemory(block)
    run, follow = delayed(short_run), delayed(settle)
    thetas = parallel(follow(mixture, batches, share) for share in shares)
    passes = FIRST_PASSES * min(LONGEST_ROUND, max(1, CHEAP_ROWS // block.n_rows))
    for _ in range(ROUNDS):
        found = parallel(run(mixture, fitter, batches, theta, passes) for theta in thetas)
        found = distinct(found)
        thetas = [each.result.theta for each in found][: max(1, len(thetas) // 3)]
        passes *= 2
    return found


def distinct(found):
    """Return candidates best first, without those whose bound repeats a better one's."""
    kept = []
    for candidate in sorted(found, key=lambda each: each.rank, reverse=True):
        bound = candidate.result.bound
        apart = SAME_PLACE * max(abs(bound), 1.0)
        if all(abs(bound - other.result.bound) > apart for other in kept):
            kept.append(candidate)
    return kept
