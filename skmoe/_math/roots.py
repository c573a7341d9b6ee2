"""Roots of many increasing functions at once."""

import numpy as np

_EPS = np.finfo(np.float64).eps
_MAX_HALVINGS = 400


def increasing_roots(function, low, high):
    """Return the roots of many increasing functions at once.

    Chandrupatla's method (Advances in Engineering Software 28, 1997): inverse quadratic
    interpolation where it can be trusted, bisection elsewhere.

    Parameters
    ----------
    function : callable
        ``function(active, x)``: values (p, q) at x (p, q) of the functions numbered in active (p,).
    low, high : ndarrays of shape (P, q)
        Brackets of the roots; the answer has their shape.
    """
    roots = low.copy()
    active = np.flatnonzero((high > low).any(axis=1))
    a, b = high[active], low[active]
    fa, fb = function(active, a), function(active, b)
    t = np.full(a.shape, 0.5)
    for _ in range(_MAX_HALVINGS):
        best, is_open, margin = _examine(a, b, fa, fb)
        roots[active] = best
        going = is_open.any(axis=1)
        if not going.any():
            break
        # A root that is found waits (t = 0) for those of its row's other outputs.
        t = np.where(is_open, np.clip(t, margin, 1.0 - margin), 0.0)
        if not going.all():
            active = active[going]
            a, b, fa, fb, t = (v[going] for v in (a, b, fa, fb, t))
        x = a + t * (b - a)
        fx = function(active, x)
        same = np.sign(fx) == np.sign(fa)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        t = _interpolate(a, b, c, fa, fb, fc)
    return roots


def _examine(a, b, fa, fb):
    """Return the better end of each bracket, whether to go on, and the least step inwards."""
    best = np.where(np.abs(fa) < np.abs(fb), a, b)
    value = np.minimum(np.abs(fa), np.abs(fb))
    with np.errstate(divide="ignore", invalid="ignore"):
        margin = (2.0 * _EPS * np.abs(best) + np.finfo(np.float64).tiny) / np.abs(b - a)
    is_open = (value > 4.0 * _EPS) & (margin < 0.5) & (np.sign(fa) != np.sign(fb))
    return np.where(np.isnan(value), np.nan, best), is_open, np.minimum(margin, 0.5)


def _interpolate(a, b, c, fa, fb, fc):
    """Return the next point, as a fraction of the way from a to b."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        trusted = (phi * phi < xi) & ((1.0 - phi) ** 2 < 1.0 - xi)
        t = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    return np.where(trusted & np.isfinite(t), t, 0.5)
