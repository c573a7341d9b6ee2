"""Solves with positive semi-definite matrices that may be singular."""

import numpy as np

# A pivot of the correlation matrix below this is a linear dependence, not information.
_PIVOT = 1e-11


def solve_psd(matrix, right):
    """Solve stacked systems with positive semi-definite matrices.

    Columns that depend on others (a constant or repeated feature, an expert without rows) leave
    directions without curvature; the solution has no component along them.

    Parameters
    ----------
    matrix : ndarray of shape (J, p, p)
    right : ndarray of shape (J, p, q)

    Returns
    -------
    ndarray of shape (J, p, q)
    """
    scale = np.sqrt(np.einsum("jpp->jp", matrix))
    scale[~(scale > 0)] = 1.0
    correlation = matrix / (scale[:, :, None] * scale[:, None, :])
    solution = _solve_correlation(correlation, right / scale[:, :, None])
    return solution / scale[:, :, None]


def _solve_correlation(correlation, right):
    try:
        factor = np.linalg.cholesky(correlation)
        sound = np.einsum("jpp->jp", factor).min(axis=1, initial=1.0) ** 2 > _PIVOT
        if sound.all():
            return np.linalg.solve(correlation, right)
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(correlation)
    inverse = np.where(values > _PIVOT * correlation.shape[-1], 1.0 / np.maximum(values, _PIVOT), 0)
    return vectors @ (inverse[:, :, None] * (np.swapaxes(vectors, 1, 2) @ right))
