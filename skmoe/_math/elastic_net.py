"""Quadratic problems with an elastic net: what is left of a regression when the rows are summed."""

import numpy as np

_SWEEPS = 500
_PRECISION = 1e-10
_CRUMB = 1e-7


def elastic_net(gram, cross, start, lasso, ridge):
    """Return the maxima of c'b - b'Gb / 2 - sum_i (l_i |b_i| + r_i b_i^2 / 2), many at once.

    Cyclic coordinate ascent; coefficients that the lasso holds are exact zeros.

    Parameters
    ----------
    gram : ndarray of shape (J, p, p)
        Positive semi-definite.
    cross : ndarray of shape (J, p)
    start : ndarray of shape (J, p)
        Where to begin: a neighboring solution saves sweeps.
    lasso, ridge : ndarrays that broadcast to (J, p)

    Returns
    -------
    ndarray of shape (J, p)

    References
    ----------
    Friedman, Hastie and Tibshirani (2010), Regularization paths for generalized linear models via
    coordinate descent, section 2.
    """
    coef = np.array(start, dtype=np.float64)
    lasso, ridge = np.broadcast_to(lasso, coef.shape), np.broadcast_to(ridge, coef.shape)
    diagonal = np.einsum("jpp->jp", gram)
    curvature = diagonal + ridge
    free = curvature > 1e-14 * np.maximum(curvature.max(axis=1, keepdims=True), 1e-300)
    curvature = np.where(free, curvature, 1.0)
    pull = cross - np.einsum("jpq,jq->jp", gram, coef)
    unit = np.sqrt(np.maximum(curvature, 1e-300))
    for _ in range(_SWEEPS):
        largest = np.zeros(len(coef))
        for i in range(coef.shape[1]):
            wanted = pull[:, i] + diagonal[:, i] * coef[:, i]
            shrunk = np.sign(wanted) * np.maximum(np.abs(wanted) - lasso[:, i], 0.0)
            move = np.where(free[:, i], shrunk / curvature[:, i], 0.0) - coef[:, i]
            coef[:, i] += move
            pull -= gram[:, :, i] * move[:, None]
            largest = np.maximum(largest, np.abs(move) * unit[:, i])
        reach = np.max(np.abs(coef) * unit, axis=1, initial=1e-12)
        if (largest <= _PRECISION * reach).all():
            break
    return coef


def snapped(coef, lasso):
    """Return coefficients without the crumbs that shortened steps towards zero leave behind.

    Parameters
    ----------
    coef : ndarray
        Of standardized features.
    lasso : float
        Price of a coefficient; without a price nothing is a crumb.
    """
    return np.where(np.abs(coef) < _CRUMB, 0.0, coef) if lasso > 0 else coef
