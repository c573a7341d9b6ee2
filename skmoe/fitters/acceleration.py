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
        self._pairs = None

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
        had_past = self._pairs is not None
        self._pairs = self._last = None
        return had_past

    def _learn(self, move, step_change, slope_change):
        if self._pairs is not None and self._pairs.n == self.memory:
            self._pairs = None
        curvature = float(slope_change @ move)
        noise = 1e-12 * np.linalg.norm(slope_change) * np.linalg.norm(move)
        if curvature >= -noise:
            return
        image = self._correct(slope_change) - step_change
        if self._pairs is None:
            self._pairs = _Pairs(self.memory, move.size)
        self._pairs.append(move, image, curvature, float(slope_change @ image))

    def _correct(self, vector):
        """Return S times a vector (size,)."""
        return 0.0 if self._pairs is None else self._pairs.correct(vector)


class _Pairs:
    """The rank-two terms of S, in arrays, so that S times a vector is four matrix products.

    Rows of ``moves`` and ``images`` are dtheta and v; ``curvature`` is dg'dtheta and ``overlap``
    is dg'v.
    """

    def __init__(self, most, size):
        self.n = 0
        self.moves, self.images = np.empty((most, size)), np.empty((most, size))
        self.curvature, self.overlap = np.empty(most), np.empty(most)

    def append(self, move, image, curvature, overlap):
        """Add a term."""
        self.moves[self.n], self.images[self.n] = move, image
        self.curvature[self.n], self.overlap[self.n] = curvature, overlap
        self.n += 1

    def correct(self, vector):
        """Return S times a vector (size,)."""
        moves, images = self.moves[: self.n], self.images[: self.n]
        curvature, overlap = self.curvature[: self.n], self.overlap[: self.n]
        along, across = moves @ vector, images @ vector
        by_move = ((1.0 + overlap / curvature) * along - across) / curvature
        return by_move @ moves - (along / curvature) @ images
