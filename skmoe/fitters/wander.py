"""Passes of parts that may lose height: walk on, and keep the best place."""

from skmoe.base import FitResult

__all__ = ["wander"]

# Passes without a new best place after which there will be none.
_PATIENCE = 5


def wander(climb, theta, tol):
    """Take whole M-steps, up or down, until the bound stands still or has stopped rising.

    Parameters
    ----------
    climb : the loop's state
        With ``visit``, ``record``, ``out_of_passes``, ``mixture`` and ``bounds``.
    theta : Parameters
    tol : float
        The bound stands still when it changes by less than this per unit of weight.

    Returns
    -------
    FitResult
        Its bounds are those of the best place so far.
    """
    place = best = climb.visit(theta)
    climb.record(best)
    n_iter, stale, reason = 0, 0, climb.out_of_passes()
    while reason is None:
        try:
            last, place = place, climb.visit(climb.mixture.m_step(place.theta, place.statistics))
        except KeyboardInterrupt:
            reason = "interrupted"
            break
        stale = 0 if place.bound > best.bound else stale + 1
        n_iter += 1
        best = place if stale == 0 else best
        climb.record(best)
        if abs(place.bound - last.bound) <= tol * place.statistics.total:
            reason = "converged"
        elif stale == _PATIENCE:
            reason = "no ascent"
        else:
            reason = climb.out_of_passes()
    return FitResult(
        theta=best.theta,
        bounds=tuple(climb.bounds),
        shares=best.statistics.shares,
        n_iter=n_iter,
        converged=reason in ("converged", "no ascent"),
        stop_reason=reason,
    )
