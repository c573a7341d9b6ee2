"""Passes of parts that may lose height: walk on, and keep the best place."""

from skmoe.fitters.watch import Stop, Watch, visit

__all__ = ["wander"]


def wander(mixture, theta, batches, *, max_iter, tol, on_pass):
    """Take whole M-steps, up or down, until the bound stands still or has stopped rising.

    Parameters and the result are those of `skmoe.base.Fitter.fit`; the bounds are those of the
    best place so far.
    """
    watch = Watch(max_iter, on_pass)
    try:
        _walk(watch, mixture, theta, batches, tol)
        reason = "converged"
    except Stop as stop:
        reason = str(stop)
    except KeyboardInterrupt:
        reason = watch.interrupted()
    return watch.result(reason)


def _walk(watch, mixture, theta, batches, tol):
    place = visit(mixture, theta, batches)
    watch.note(place)
    stale = 0
    while stale < mixture.criterion.patience:
        last, height = place, watch.best.bound
        place = visit(mixture, mixture.m_step(place.theta, place.statistics), batches)
        watch.n_iter += 1
        watch.note(place)
        stale = 0 if place.bound > height else stale + 1
        if abs(place.bound - last.bound) <= tol * place.statistics.total:
            return
