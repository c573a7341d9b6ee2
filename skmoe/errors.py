"""Error functions of a blend of experts, as compared in 1991, with their gradients.

Each takes gate weights w (n, K), the experts' answers f (n, K, q) and y (n, q), and returns the
errors of the rows (n,), their derivatives in the answers (n, K, q), and in the gate's scores
(n, K), of which w is the softmax.
"""

import numpy as np

from skmoe._math.logspace import pool_and_share

__all__ = ["ERRORS", "competitive", "cooperative", "likelihood"]


def likelihood(weights, answers, y):
    """Return -log sum_i w_i exp(-||y - f_i||^2 / 2), and its derivatives.

    Parameters
    ----------
    weights : ndarray of shape (n, K)
        Gate weights w.
    answers : ndarray of shape (n, K, q)
        The experts' answers f.
    y : ndarray of shape (n, q)
        What they should have been.

    Returns
    -------
    error : ndarray of shape (n,)
        Of the rows.
    by_answers : ndarray of shape (n, K, q)
        Derivatives dE/df.
    by_scores : ndarray of shape (n, K)
        Derivatives in the gate's scores, of which w is the softmax.

    Notes
    -----
    With the posterior h_i = w_i exp(-||y - f_i||^2 / 2) / sum_j w_j exp(-||y - f_j||^2 / 2),
    dE/df_i = -h_i (y - f_i) and dE/dlogit_i = w_i - h_i.

    References
    ----------
    Jacobs, Jordan, Nowlan and Hinton (1991), eq. 1.3.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.errors import likelihood
    >>> error, _, slope = likelihood(
    ...     np.array([[0.5, 0.5]]), np.array([[[0.0], [2.0]]]), np.array([[0.0]])
    ... )
    >>> slope.round(3)
    array([[-0.381,  0.381]])
    """
    residual = y[:, None, :] - answers
    square = np.sum(residual * residual, axis=2)
    with np.errstate(divide="ignore"):
        pooled, posterior = pool_and_share(np.log(weights) - 0.5 * square)
    return -pooled, -posterior[:, :, None] * residual, weights - posterior


def competitive(weights, answers, y):
    """Return sum_i w_i ||y - f_i||^2, and its derivatives.

    Parameters
    ----------
    weights : ndarray of shape (n, K)
        Gate weights w.
    answers : ndarray of shape (n, K, q)
        The experts' answers f.
    y : ndarray of shape (n, q)
        What they should have been.

    Returns
    -------
    error : ndarray of shape (n,)
        Of the rows.
    by_answers : ndarray of shape (n, K, q)
        Derivatives dE/df.
    by_scores : ndarray of shape (n, K)
        Derivatives in the gate's scores, of which w is the softmax.

    Notes
    -----
    dE/df_i = -2 w_i (y - f_i) and dE/dlogit_i = w_i (||y - f_i||^2 - E).

    References
    ----------
    Jacobs, Jordan, Nowlan and Hinton (1991), eq. 1.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.errors import competitive
    >>> competitive(np.array([[0.5, 0.5]]), np.array([[[0.0], [2.0]]]), np.array([[0.0]]))[0]
    array([2.])
    """
    residual = y[:, None, :] - answers
    square = np.sum(residual * residual, axis=2)
    error = np.sum(weights * square, axis=1)
    return error, -2.0 * weights[:, :, None] * residual, weights * (square - error[:, None])


def cooperative(weights, answers, y):
    """Return ||y - sum_i w_i f_i||^2, and its derivatives.

    Parameters
    ----------
    weights : ndarray of shape (n, K)
        Gate weights w.
    answers : ndarray of shape (n, K, q)
        The experts' answers f.
    y : ndarray of shape (n, q)
        What they should have been.

    Returns
    -------
    error : ndarray of shape (n,)
        Of the rows.
    by_answers : ndarray of shape (n, K, q)
        Derivatives dE/df.
    by_scores : ndarray of shape (n, K)
        Derivatives in the gate's scores, of which w is the softmax.

    Notes
    -----
    With the blend f = sum_i w_i f_i, dE/df_i = -2 w_i (y - f) and
    dE/dlogit_i = -2 w_i (f_i - f)'(y - f).

    References
    ----------
    Jacobs, Jordan, Nowlan and Hinton (1991), eq. 1.1; Hampshire and Waibel (1992).

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.errors import cooperative
    >>> cooperative(np.array([[0.5, 0.5]]), np.array([[[0.0], [2.0]]]), np.array([[0.0]]))[0]
    array([1.])
    """
    blend = np.einsum("nk,nkq->nq", weights, answers)
    residual = y - blend
    slope = -2.0 * weights[:, :, None] * residual[:, None, :]
    pull = np.einsum("nkq,nq->nk", answers - blend[:, None, :], residual)
    return np.sum(residual * residual, axis=1), slope, -2.0 * weights * pull


ERRORS = {"likelihood": likelihood, "competitive": competitive, "cooperative": cooperative}
