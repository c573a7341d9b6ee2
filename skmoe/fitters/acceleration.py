"""Accelerators of a fixed-point map: they propose, the fitter's safeguard disposes."""

import numpy as np


class Plain:
    """No acceleration: go where the map points."""

    def propose(self, theta, target):
        """Return the next point (size,) after theta, which the map sends to target."""
        return target

    def reset(self):
        """Forget the past."""


class Anderson:
    """Anderson acceleration with a damped least-squares fit.

    Parameters
    ----------
    memory : int
        Differences of past residuals that are combined.

    Notes
    -----
    With the residual f_t = M(theta_t) - theta_t of the EM map M, and the last differences
    dF, dTheta as columns, the proposal is theta + f - (dTheta + dF) c where c minimizes
    ||f - dF c||^2 + damping ||c||^2.

    References
    ----------
    Anderson (1965); Walker and Ni (2011), Anderson acceleration for fixed-point iterations;
    Henderson and Varadhan (2019), Damped Anderson acceleration with restarts and monotonicity
    control for accelerating EM and EM-like algorithms.
    """

    def __init__(self, memory):
        self.memory = memory
        self.reset()

    def reset(self):
        """Forget the past."""
        self._last = None
        self._moves, self._residuals = [], []

    def propose(self, theta, target):
        """Return the next point (size,) after theta, which the map sends to target."""
        residual = target - theta
        if self._last is not None:
            self._moves.append(theta - self._last[0])
            self._residuals.append(residual - self._last[1])
            del self._moves[: -self.memory], self._residuals[: -self.memory]
        self._last = theta, residual
        if not self._moves:
            return target
        moves, residuals = np.column_stack(self._moves), np.column_stack(self._residuals)
        coefficients = _damped_least_squares(residuals, residual)
        return target - (moves + residuals) @ coefficients


def _damped_least_squares(A, b, damping=1e-12):
    """Minimize ||b - A c||^2 with columns of A scaled alike and a trace of ridge."""
    norms = np.linalg.norm(A, axis=0)
    norms[norms == 0] = 1.0
    left, values, right = np.linalg.svd(A / norms, full_matrices=False)
    shrunk = values / (values**2 + damping * values[0] ** 2) if values[0] > 0 else values
    return (right.T @ (shrunk * (left.T @ b))) / norms
