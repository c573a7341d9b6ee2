"""Gaussian posteriors of linear predictors, kept as roots of their covariances.

A posterior N(m, S) of coefficients [intercept, slopes] is held by its mean and a root R with
S = R'R. Any matrix is a root of some covariance, so that numbers may move freely between two of
them, and [1, x]' S [1, x] = |R [1, x]|^2 cannot come out negative.
"""

import numpy as np
from scipy.linalg import get_lapack_funcs

from skmoe._math.grams import linear

__all__ = [
    "determined",
    "log_determinant",
    "moved",
    "plus_diagonal",
    "root_of_inverse",
    "root_slope",
    "spread_of_scores",
    "variances",
]

# What is added to the diagonal of a correlation, lest columns that depend on others break it.
_JITTER = 1e-12


def root_of_inverse(precision):
    """Return roots (K, p, p) of the inverses of precisions (K, p, p), lower triangles."""
    scale = np.sqrt(np.einsum("kpp->kp", precision))
    correlation = precision / (scale[:, :, None] * scale[:, None, :])
    diagonal = np.arange(precision.shape[1])
    jitter = _JITTER
    while True:
        correlation[:, diagonal, diagonal] = 1.0 + jitter
        try:
            return _inverses(np.linalg.cholesky(correlation)) / scale[:, None, :]
        except np.linalg.LinAlgError:
            jitter *= 100.0


def _inverses(lower):
    """Return the inverses (K, p, p) of lower triangles, in a third of the time of any others'."""
    (invert,) = get_lapack_funcs(("trtri",), (lower,))
    for own in lower:
        # To LAPACK, whose columns run fastest, it is an upper one.
        own[...] = invert(own.T)[0].T
    return lower


def variances(root):
    """Return the diagonals (K, p) of the covariances."""
    return np.einsum("krp,krp->kp", root, root)


def log_determinant(root):
    """Return the log-determinants (K,) of the covariances."""
    if not _are_lower(root):
        return 2.0 * np.linalg.slogdet(root)[1]
    with np.errstate(divide="ignore"):
        return 2.0 * np.log(np.abs(np.einsum("kpp->kp", root))).sum(axis=1)


def determined(root, diagonal):
    """Return tr(S M) for covariances S that are inverses of M plus diagonals (K, p), shape (K,).

    It is the number of coefficients that M, not the diagonal, determines.
    """
    return root.shape[1] - (diagonal * variances(root)).sum(axis=1)


def spread_of_scores(X, root):
    """Return [1, x_n]' S_k [1, x_n], shape (n, K), for rows X (n, d), rows running fastest."""
    spread = np.empty((len(root), len(X)), dtype=X.dtype)
    for own, out in zip(root, spread, strict=True):
        scores = linear(X, own[:, 1:], own[:, 0])
        np.einsum("nr,nr->n", scores, scores, out=out)
    return spread.T


def root_slope(root, precision):
    """Return the slopes (K, p, p) in the roots R of log|R'R| / 2 - tr(R'R precision) / 2."""
    inverse = _inverses(root.copy()) if _are_lower(root) else np.linalg.inv(root)
    return np.swapaxes(inverse, 1, 2) - root @ precision


def _are_lower(root):
    """Return whether roots are lower triangles, as they are where no search has moved them."""
    return not np.triu(root, 1).any()


def moved(root, affine):
    """Return roots (K, p, p) that act on columns of another scaling (`skmoe.batches.Affine`)."""
    slopes, constant = affine.of_lines(root[:, :, 1:], root[:, :, 0])
    return np.concatenate([constant[:, :, None], slopes], axis=2)


def plus_diagonal(matrices, diagonal):
    """Return matrices (K, p, p) plus diagonals (K, p)."""
    sums = matrices.copy()
    numbers = np.arange(sums.shape[1])
    sums[:, numbers, numbers] += diagonal
    return sums
