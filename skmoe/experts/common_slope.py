"""One slope for all experts of a bank: they differ in their intercepts and dispersions alone."""

import numpy as np

from skmoe._math.elastic_net import elastic_net
from skmoe._math.newton import damped, newton_step
from skmoe._math.solve import solve_psd


def common_newton_step(now, score, curvature, lasso, ridge, damps):
    """Return the step of one Newton iteration in K intercepts and one table of slopes.

    Parameters
    ----------
    now, score : ndarrays of shape (K, m, p)
        Intercepts first; slopes are the same for all K.
    curvature : ndarray of shape (K, m, p, p)
    lasso, ridge : float
        Penalties of an expert's slopes; all experts' add up.
    damps : bool
        Whether long steps are damped.

    Returns
    -------
    ndarray of shape (K, m, p)
    """
    K, m, p = now.shape
    joint = np.zeros((m, K + p - 1, K + p - 1))
    each = np.arange(K)
    joint[:, each, each] = curvature[:, :, 0, 0].T
    joint[:, :K, K:] = curvature[:, :, 0, 1:].swapaxes(0, 1)
    joint[:, K:, :K] = joint[:, :K, K:].swapaxes(1, 2)
    joint[:, K:, K:] = curvature[:, :, 1:, 1:].sum(axis=0)
    penalized = np.append(np.zeros(K), np.full(p - 1, float(K)))
    step = newton_step(
        np.concatenate([now[:, :, 0].T, now[0, :, 1:]], axis=1),
        np.concatenate([score[:, :, 0].T, score[:, :, 1:].sum(axis=0)], axis=1),
        joint,
        lasso * penalized,
        ridge * penalized,
    )
    if damps:
        step = damped(step, joint, curvature[:, :, 0, 0].sum(axis=0))
    full = np.empty((K, m, p))
    full[:, :, 0] = step[:, :K].T
    full[:, :, 1:] = step[:, K:]
    return full


def common_regression(gram, cross, precision, lasso, ridge):
    """Return coefficients (K, p, q) of K regressions that share slopes, given their noise.

    Parameters
    ----------
    gram : ndarray of shape (K, p, p)
        Weighted sums of [1, x] [1, x]'.
    cross : ndarray of shape (K, p, q)
        Weighted sums of [1, x] y'.
    precision : ndarray of shape (K, q, q)
        Inverse noise covariances.
    lasso, ridge : float
        Penalties of an expert's slopes, measured in its noise.
    """
    K, p, q = cross.shape
    d, n_free = p - 1, K * q
    joint = np.zeros((n_free + q * d, n_free + q * d))
    for k in range(K):
        own = slice(k * q, (k + 1) * q)
        joint[own, own] = gram[k, 0, 0] * precision[k]
        joint[own, n_free:] = np.kron(precision[k], gram[k, :1, 1:])
    joint[n_free:, :n_free] = joint[:n_free, n_free:].T
    curved = gram[:, 1:, 1:] + ridge * np.eye(d)
    joint[n_free:, n_free:] = np.einsum("kab,kij->aibj", precision, curved).reshape(q * d, q * d)
    pull = np.einsum("kab,kib->kai", precision, cross)
    right = np.concatenate([pull[:, :, 0].ravel(), pull[:, :, 1:].sum(axis=0).ravel()])
    if lasso > 0:
        price = np.repeat(lasso * np.einsum("kqq->q", precision), d)
        price = np.append(np.zeros(n_free), price)
        solved = elastic_net(joint[None], right[None], np.zeros_like(right)[None], price, 0.0)[0]
    else:
        solved = solve_psd(joint[None], right[None, :, None])[0, :, 0]
    coef = np.empty((K, p, q))
    coef[:, 0] = solved[:n_free].reshape(K, q)
    coef[:, 1:] = solved[n_free:].reshape(q, d).T
    return coef
