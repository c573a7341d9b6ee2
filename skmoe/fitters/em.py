"""Expectation-maximization: one sweep of the rows, one step of the parts, again."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from skmoe.base import FitResult, Fitter, Parameters, Statistics
from skmoe.fitters.acceleration import Anderson, Plain

# A fall of the bound below this many units in the last place of its sum is rounding, not descent.
_ROUNDING = 64.0
_HALVINGS = 30


@dataclass(frozen=True)
class _Place:
    """Parameters, what a pass at them brought home, and their bound."""

    theta: Parameters
    statistics: Statistics
    bound: float


class EM(Fitter):
    """Expectation-maximization with acceleration and a safeguard.

    Parameters
    ----------
    acceleration : {"anderson", None}, default="anderson"
        How proposals beyond the M-step are made.
    memory : int, default=10
        Past passes that the accelerator combines.

    Notes
    -----
    Each pass computes responsibilities and additive statistics at theta, and the M-step moves to
    M(theta). An accelerated proposal that would lower the bound is turned back to M(theta), and an
    M-step that does so (a gate's Newton step too long) is halved towards theta; so the bound never
    falls.

    References
    ----------
    Jordan and Jacobs (1994); Dempster, Laird and Rubin (1977).

    Examples
    --------
    >>> from skmoe.fitters import EM
    >>> EM(acceleration=None)
    EM(acceleration=None)
    """

    def __init__(self, acceleration="anderson", memory=10):
        self.acceleration = acceleration
        self.memory = memory

    def fit(self, mixture, theta, batches, *, max_iter, tol, on_pass=None):
        return _Climb(self._accelerator(mixture), mixture, batches, max_iter, on_pass).run(
            theta, tol
        )

    def _accelerator(self, mixture):
        if self.acceleration not in ("anderson", None):
            raise ValueError(
                f"acceleration={self.acceleration!r} is not known; use 'anderson' or None."
            )
        accelerated = self.acceleration and mixture.criterion.smooth and mixture.monotone
        return Anderson(self.memory) if accelerated else Plain()


class _Climb:
    """One run of the loop: the place held, the bounds so far, passes left."""

    def __init__(self, accelerator, mixture, batches, max_iter, on_pass):
        self.accelerator = accelerator
        self.mixture = mixture
        self.batches = batches
        self.max_iter = max_iter
        self.on_pass = on_pass
        self.bounds = []
        self.interrupted = False

    def run(self, theta, tol):
        """Climb until the bound is expected to rise by less than tol per unit of weight."""
        place = self.visit(theta)
        self.record(place)
        gains = deque([np.inf], maxlen=3)
        n_iter, reason = 0, None
        while reason is None:
            step = self.move(place)
            if step is None:
                reason = self.out_of_passes() or "no ascent"
                break
            gains.append(step.bound - place.bound)
            place, n_iter = step, n_iter + 1
            if _remaining(gains) < tol * place.statistics.total:
                reason = "converged"
            else:
                reason = self.out_of_passes()
        return FitResult(
            theta=place.theta,
            bounds=tuple(self.bounds),
            shares=place.statistics.shares,
            n_iter=n_iter,
            converged=reason in ("converged", "no ascent"),
            stop_reason=reason,
        )

    def visit(self, theta):
        """Sweep the rows at theta; one pass."""
        statistics = self.batches.sweep(lambda block: self.mixture.sweep(theta, block))
        bound = self.mixture.bound(theta, statistics)
        return _Place(theta, statistics, bound if np.isfinite(bound) else -np.inf)

    def record(self, place):
        """Note the bound held after a pass, and tell whoever watches."""
        self.bounds.append(place.bound)
        if self.on_pass is not None and self.on_pass(len(self.bounds), place.bound, place.theta):
            self.interrupted = True

    def out_of_passes(self):
        """Return why no further pass is allowed, or None."""
        if self.interrupted:
            return "stopped by callback"
        return "max_iter" if len(self.bounds) >= self.max_iter else None

    def move(self, place):
        """Return the next place, at least as high, or None when none was found."""
        theta = place.theta.flatten()
        target = self.mixture.m_step(place.theta, place.statistics).flatten()
        proposal = self.accelerator.propose(theta, target)
        step = self.attempt(place, proposal)
        if step is None and proposal is not target:
            self.accelerator.reset()
            step = self.attempt(place, target)
        for halving in range(1, _HALVINGS):
            if step is not None or self.out_of_passes():
                break
            self.accelerator.reset()
            step = self.attempt(place, theta + 0.5**halving * (target - theta))
        return step

    def attempt(self, place, vector):
        """Visit the parameters of a vector; None when the bound is lower there."""
        if self.out_of_passes() or not np.isfinite(vector).all():
            return None
        step = self.visit(place.theta.unflatten(vector))
        accepted = step.bound >= place.bound - _slack(place)
        self.record(step if accepted else place)
        return step if accepted else None


def _slack(place):
    precision = np.finfo(np.float64).eps
    return _ROUNDING * precision * max(abs(place.bound), place.statistics.total)


def _remaining(gains):
    """Estimate how much the bound would still rise, from the last gains (Aitken)."""
    if len(gains) < 3:
        return np.inf
    before, previous, last = (max(gain, 0.0) for gain in gains)
    if max(previous, last) == 0.0:
        return 0.0
    ratio = min(max(last / previous if previous > 0 else 1.0, 0.0), 0.999)
    return max(last, previous) / (1.0 - ratio)
