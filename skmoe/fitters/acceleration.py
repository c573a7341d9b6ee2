"""Accelerators: from where a pass stands and where EM points, a direction to walk."""

import numpy as np

__all__ = ["Plain", "QuasiNewton"]


class Plain:
    """No acceleration: walk where EM points."""

    def direction(self, theta, step, slope):
        """Return the direction (size,) from theta, where EM's step and the bound's slope are."""
        return step

    def reset(self):
        """Forget the past; return whether there was any."""
        return False


class QuasiNewton:
    """Quasi-Newton acceleration that uses EM's own step as its metric.

    Parameters
    ----------
    warm_up : int
        Plain passes first: far from an optimum curvature misleads.
    memory : int
        Pairs of moves remembered before the memory starts afresh.

    Notes
    -----
    EM's step s(theta) = M(theta) - theta is close to a gradient step in the metric of the
    complete data. What the missing labels take from the curvature is a low-rank correction S of
    that metric, learned by the symmetric rank-two (BFGS) rule from the changes of theta, of s and
    of the slope g of the observed bound: the direction is s - S g. With dg' dtheta < 0 and
    v = -ds + S dg, S grows by

        (1 + dg'v / dg'dtheta) dtheta dtheta' / dg'dtheta - (v dtheta' + dtheta v') / dg'dtheta.

    References
    ----------
    Jamshidian and Jennrich (1997), Acceleration of the EM algorithm by using quasi-Newton
    methods, algorithm QN2.
    """

    def __init__(self, warm_up, memory):
        self.warm_up = warm_up
        self.memory = memory
        self.n_calls = 0
        self._last = None
        self._pairs = []

    def direction(self, theta, step, slope):
        """Return the direction (size,) from theta, where EM's step and the bound's slope are."""
        self.n_calls += 1
        if self.n_calls <= self.warm_up:
            return step
        if self._last is not None:
            self._learn(
                *(now - then for now, then in zip((theta, step, slope), self._last, strict=True))
            )
        self._last = theta, step, slope
        direction = step - self._correct(slope)
        if direction @ slope > 0:
            return direction
        self.reset()
        return step

    def reset(self):
        """Forget the past; return whether there was any."""
        had_past = bool(self._pairs)
        self._pairs, self._last = [], None
        return had_past

    def _learn(self, move, step_change, slope_change):
        if len(self._pairs) >= self.memory:
            self._pairs = []
        curvature = float(slope_change @ move)
        noise = 1e-12 * np.linalg.norm(slope_change) * np.linalg.norm(move)
        if curvature >= -noise:
            return
        image = self._correct(slope_change) - step_change
        self._pairs.append((move, image, curvature, float(slope_change @ image)))

    def _correct(self, vector):
        """Return S times a vector (size,)."""
        result = np.zeros_like(vector)
        for move, image, curvature, overlap in self._pairs:
            along, across = move @ vector, image @ vector
            result += ((1.0 + overlap / curvature) * along - across) / curvature * move
            result -= along / curvature * image
        return result
