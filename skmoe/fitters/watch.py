"""What fitters have in common: a place on the way up, and a watch over passes."""

from dataclasses import dataclass

import numpy as np

from skmoe.base import FitResult, Parameters, Statistics


@dataclass(frozen=True)
class Place:
    """Parameters, what a pass at them brought home, and their bound."""

    theta: Parameters
    statistics: Statistics
    bound: float


def visit(mixture, theta, batches):
    """Sweep the rows at theta, brought within its bounds: one pass, a Place."""
    theta = mixture.hold(theta)
    statistics = batches.sweep(lambda block: mixture.sweep(theta, block))
    bound = mixture.bound(theta, statistics)
    return Place(theta, statistics, bound if np.isfinite(bound) else -np.inf)


def as_it_stands(mixture, theta, batches, reason):
    """Return theta as the FitResult of a fit that goes no further."""
    place = visit(mixture, theta, batches)
    return FitResult(
        theta=place.theta,
        bounds=(place.bound,),
        shares=place.statistics.shares,
        n_iter=0,
        converged=False,
        stop_reason=reason,
    )


class Stop(Exception):
    """Raised where no further pass is allowed; the message is the reason."""


class Watch:
    """Counts passes, keeps the best place, tells whoever watches.

    Parameters
    ----------
    max_iter : int
        Passes allowed.
    on_pass : callable or None
        As for `skmoe.base.Fitter.fit`.
    """

    def __init__(self, max_iter, on_pass):
        self.max_iter = max_iter
        self.on_pass = on_pass
        self.bounds = []
        self.best = None
        self.n_iter = 0

    @property
    def n_passes(self):
        """Passes so far."""
        return len(self.bounds)

    def note(self, place):
        """Note a pass at a place; raise Stop if it was the last one allowed."""
        if self.best is None or place.bound > self.best.bound:
            self.best = place
        self.bounds.append(self.best.bound)
        best = self.best
        if self.on_pass is not None and self.on_pass(self.n_passes, best.bound, best.theta):
            raise Stop("stopped by callback")
        if self.n_passes >= self.max_iter:
            raise Stop("max_iter")

    def interrupted(self):
        """Return the reason of a fit that the user breaks off; raise again if it has not begun."""
        if self.best is None:
            raise KeyboardInterrupt
        return "interrupted"

    def result(self, reason):
        """Return the FitResult of the best place."""
        return FitResult(
            theta=self.best.theta,
            bounds=tuple(self.bounds),
            shares=self.best.statistics.shares,
            n_iter=self.n_iter,
            converged=reason == "converged",
            stop_reason=reason,
        )
