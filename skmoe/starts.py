"""Starts: several directions, short runs on a subsample, one long run from the best.

Directions of (x, y) are random, rows never are: a row of weight two starts where two equal rows do.
"""

from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from skmoe._math.grams import weighted_crosses, weighted_grams
from skmoe._math.solve import solve_psd
from skmoe.base import FitResult, Parameters
from skmoe.batches import InMemory
from skmoe.mixture import MixtureParameters

__all__ = ["Candidate", "best_start"]

# Short runs see at most this many rows, drawn evenly along a random direction.
SUBSAMPLE_ROWS = 2000
# Passes of the first round; each later round keeps half of the runs and doubles the passes.
FIRST_PASSES = 8
ROUNDS = 4


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
    block = subsample(block, rng)
    shares = [share for share in random_shares(block, n_experts, n_init, rng)]
    with Parallel(n_jobs=n_jobs, prefer="threads") as parallel:
        thetas = parallel(delayed(settle)(mixture, block, share) for share in shares)
        passes = FIRST_PASSES
        for _ in range(ROUNDS):
            results = parallel(
                delayed(short_run)(mixture, fitter, block, theta, passes) for theta in thetas
            )
            ranked = sorted(results, key=lambda candidate: candidate.rank, reverse=True)
            thetas = [candidate.result.theta for candidate in _distinct(ranked)]
            thetas = thetas[: max(1, (len(results) + 1) // 2)]
            passes *= 2
    return thetas


def short_run(mixture, fitter, block, theta, passes):
    """Run the fitter for some passes and judge where it ends."""
    result = fitter.fit(mixture, theta, InMemory(block), max_iter=passes, tol=1e-7)
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


def subsample(block, rng, n_rows=SUBSAMPLE_ROWS):
    """Return at most n_rows rows, spread evenly over the weight along a random direction.

    Equal rows are neighbors along any direction, so that repeated rows and integer weights give
    the same subsample.
    """
    if block.n_rows <= n_rows:
        return block
    line = _project(block.X, rng) + _project(block.y, rng)
    order = np.argsort(line, kind="stable")
    reached = np.cumsum(block.weight[order], dtype=np.float64)
    at = (np.arange(n_rows) + 0.5) * (reached[-1] / n_rows)
    chosen, repeats = np.unique(order[np.searchsorted(reached, at)], return_counts=True)
    picked = block.rows(chosen)
    weight = repeats * (reached[-1] / n_rows)
    return type(block)(
        np.asfortranarray(picked.X),
        np.asfortranarray(picked.X_gate) if block.X_gate is not block.X else np.asfortranarray(picked.X),
        picked.y,
        weight.astype(block.weight.dtype),
    )


def random_shares(block, n_experts, n_init, rng):
    """Yield n_init first guesses (n, K) of who made which row."""
    residual = _residual(block)
    kinds = (_slices, _cones, _bands, _lines)
    for i in range(n_init):
        scores = kinds[i % len(kinds)](block, residual, n_experts, rng)
        yield _soften(scores)


def _soften(scores, certainty=0.9):
    """One-hot shares of the highest scores, with a little left for everyone."""
    n, K = scores.shape
    share = np.full((n, K), (1.0 - certainty) / K, dtype=scores.dtype, order="F")
    share[np.arange(n), scores.argmax(axis=1)] += certainty
    return share


def _slices(block, residual, n_experts, rng):
    """Slices of equal weight along a direction of x."""
    return _quantile_scores(_project(block.X_gate, rng), block.weight, n_experts)


def _cones(block, residual, n_experts, rng):
    """The cells of a random softmax gate over (x, residual)."""
    joint = np.column_stack([block.X_gate, residual * rng.uniform(0.0, 2.0)])
    normals = rng.standard_normal((n_experts, joint.shape[1]))
    offsets = 0.5 * rng.standard_normal(n_experts)
    return (joint @ normals.T / np.sqrt(joint.shape[1]) + offsets).astype(block.X.dtype)


def _bands(block, residual, n_experts, rng):
    """Slices of equal weight along a direction of (x, residual)."""
    mixed = _project(block.X_gate, rng) * rng.uniform(0.0, 1.0) + _project(residual, rng)
    return _quantile_scores(mixed, block.weight, n_experts)


def _lines(block, residual, n_experts, rng):
    """The nearest of random lines through the residuals."""
    q, d = residual.shape[1], block.X.shape[1]
    slopes = rng.standard_normal((n_experts, q, d)) / np.sqrt(max(d, 1))
    offsets = rng.standard_normal((n_experts, q))
    distance = np.zeros((block.n_rows, n_experts))
    for j in range(q):
        line = block.X @ slopes[:, j].T + offsets[:, j]
        distance += np.square(residual[:, j, None] - line)
    return (-distance).astype(block.X.dtype)


def _quantile_scores(line, weight, n_experts):
    """Scores whose largest entry names the quantile slice of each row."""
    order = np.argsort(line, kind="stable")
    reached = np.cumsum(weight[order], dtype=np.float64)
    cuts = np.arange(1, n_experts) * (reached[-1] / n_experts)
    # The cut value, not the rank, decides: equal rows fall into the same slice.
    values = line[order[np.minimum(np.searchsorted(reached, cuts), len(line) - 1)]]
    slices = np.searchsorted(values, line, side="left")
    scores = np.zeros((len(line), n_experts), dtype=np.asarray(weight).dtype)
    scores[np.arange(len(line)), slices] = 1.0
    return scores


def _project(A, rng):
    """Project the rows of A (n, d) on a random unit vector, shape (n,)."""
    direction = rng.standard_normal(A.shape[1])
    norm = np.linalg.norm(direction)
    return A @ (direction / norm if norm > 0 else direction).astype(A.dtype)


def _residual(block):
    """Residuals (n, q) of one linear regression, scaled to unit variance."""
    weight = block.weight[:, None]
    gram = weighted_grams(block.X, weight)[0]
    gram[np.diag_indices(len(gram))] += 1e-6 * gram[0, 0]
    cross = weighted_crosses(block.X, weight * block.y).T
    coef = solve_psd(gram[None], cross[None])[0]
    residual = block.y - coef[0] - block.X @ coef[1:]
    spread = np.sqrt(np.average(np.square(residual), axis=0, weights=block.weight))
    return residual / np.where(spread > 0, spread, 1.0)


def _distinct(ranked, tolerance=1e-6):
    """Drop candidates whose bound repeats a better one's: the same place twice."""
    kept = []
    for candidate in ranked:
        bound = candidate.result.bound
        scale = tolerance * max(abs(bound), 1.0)
        if all(abs(bound - other.result.bound) > scale for other in kept):
            kept.append(candidate)
    return kept
