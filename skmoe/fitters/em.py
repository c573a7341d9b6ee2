"""Expectation-maximization: one sweep of the rows, one step of the parts, again."""

from collections import deque

import numpy as np

from skmoe._math.checks import check_choice, check_count
from skmoe.base import FitResult, Fitter
from skmoe.fitters.acceleration import Plain, QuasiNewton
from skmoe.fitters.wander import wander
from skmoe.fitters.watch import visit

# A fall of the bound below this many units in the last place of its sum is rounding, not descent.
_ROUNDING = 64.0
# A direction along which this many ever shorter steps fail leads nowhere.
_SHORTENINGS = 12


class EM(Fitter):
    """Expectation-maximization with acceleration and a safeguard.

    Parameters
    ----------
    acceleration : {"quasi_newton", None}, default="quasi_newton"
        Whether the walk learns the curvature that the shared-out labels hide, or takes plain
        M-steps. Parts without a gradient and hard assignments take plain ones.
    warm_up : int, default=6
        Plain passes before acceleration begins.
    memory : int, default=100
        Passes that the accelerator remembers.

    Notes
    -----
    Each pass computes responsibilities and additive statistics at theta, and the M-step points to
    M(theta). A step that would lower the bound (an accelerated one, or a gate's Newton step too
    long) is shortened towards theta, so the bound never falls; where no length helps, the
    accelerator forgets its past and the M-step is tried alone.

    References
    ----------
    Jordan and Jacobs (1994); Dempster, Laird and Rubin (1977); Jamshidian and Jennrich (1997).

    Examples
    --------
    >>> from skmoe.fitters import EM
    >>> EM(acceleration=None)
    EM(acceleration=None)
    """

    def __init__(self, acceleration="quasi_newton", warm_up=6, memory=100):
        self.acceleration = acceleration
        self.warm_up = warm_up
        self.memory = memory

    def check(self):
        check_choice("acceleration", self.acceleration, ("quasi_newton", None))
        check_count("warm_up", self.warm_up, least=0)
        check_count("memory", self.memory)

    def scout(self):
        """Return EM as it is by default: plain and accelerated runs begin at the same place."""
        return EM(memory=self.memory)

    def fit(self, mixture, theta, batches, *, max_iter, tol, on_pass=None):
        self.check()
        if not mixture.monotone:
            return wander(mixture, theta, batches, max_iter=max_iter, tol=tol, on_pass=on_pass)
        return _Climb(self._accelerator(mixture), mixture, batches, max_iter, on_pass).run(
            theta, tol
        )

    def _accelerator(self, mixture):
        smooth = mixture.criterion.smooth and mixture.monotone
        if self.acceleration is None or not smooth:
            return Plain()
        return QuasiNewton(self.warm_up, self.memory)


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
        self.gains = deque([np.inf], maxlen=3)
        reason, n_iter = None, 0
        while reason is None:
            try:
                step = self.move(place)
            except KeyboardInterrupt:
                reason = "interrupted"
                break
            reason = self.reason_to_stop(place, step, tol)
            if step is not None:
                place, n_iter = step, n_iter + 1
        return FitResult(
            theta=self.held.theta,
            bounds=tuple(self.bounds),
            shares=self.held.statistics.shares,
            n_iter=n_iter,
            converged=reason in ("converged", "no ascent"),
            stop_reason=reason,
        )

    def reason_to_stop(self, place, step, tol):
        """Return why the climb is over after a step, or None."""
        if step is None:
            return self.out_of_passes() or "no ascent"
        self.gains.append(step.bound - place.bound)
        if _remaining(self.gains) < tol * step.statistics.total:
            return "converged"
        return self.out_of_passes()

    def visit(self, theta):
        """Sweep the rows at theta; one pass."""
        return visit(self.mixture, theta, self.batches)

    def record(self, place):
        """Note the place held after a pass, and tell whoever watches."""
        self.held = place
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
        step = self.mixture.m_step(place.theta, place.statistics).flatten() - theta
        slope = self.mixture.gradient(place.theta, place.statistics)
        accelerator = self.accelerator if slope is not None else Plain()
        direction = _leash(accelerator.direction(theta, step, slope), step, slope)
        found = self.walk(place, theta, direction, slope)
        if found is None and accelerator.reset():
            found = self.walk(place, theta, step, slope)
        return found

    def walk(self, place, theta, direction, slope):
        """Return the first place along a direction that is at least as high, or None."""
        length = 1.0
        expected = 0.0 if slope is None else float(slope @ direction)
        for _ in range(_SHORTENINGS):
            if self.out_of_passes():
                return None
            trial = self.visit(place.theta.unflatten(theta + length * direction))
            if trial.bound >= place.bound - _slack(place):
                self.record(trial)
                return trial
            self.record(place)
            length *= _shorten(length * expected, place.bound - trial.bound)
        return None


def _shorten(expected, fall):
    """Return by how much to shorten a step, from the rise expected and the fall found.

    The top of the parabola through the two points and the slope, kept between 0.1 and 0.5.
    """
    if not (expected > 0 and np.isfinite(fall)):
        return 0.25
    return float(np.clip(0.5 * expected / (expected + fall), 0.1, 0.5))


def _leash(direction, step, slope):
    """Shorten an accelerated direction that runs far ahead of EM's own step.

    Free coordinates are logarithms and coefficients of standardized columns: one unit is much.
    Coordinates that run away alone, those of an expert without rows say, are stopped alone, as
    long as the rest still climbs.
    """
    allowed = 1.0 + 10.0 * np.abs(step).max(initial=0.0)
    stopped = np.clip(direction, -allowed, allowed)
    if slope is None or float(slope @ stopped) > 0:
        return stopped
    return direction * (allowed / max(np.abs(direction).max(initial=0.0), allowed))


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
