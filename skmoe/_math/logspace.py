"""Sums of exponentials over the experts, safe at any scale."""

import numpy as np

from skmoe._math.array_api import everywhere


def log_sum_exp(logs):
    """Return log sum_k exp(logs_nk), shape (n,), for logs (n, K)."""
    return pool_and_share(logs)[0]


@everywhere
def pool_and_share(logs):
    """Return log sum_k exp(logs_nk), shape (n,), and the normalized exponentials (n, K).

    Rows whose logs are all -inf are shared equally: nothing tells who made them.
    """
    top = logs.max(axis=1)
    lost = ~np.isfinite(top)
    some_lost = lost.any()
    if some_lost:
        unexplained, top[lost] = top[lost], 0.0
    share = logs - top[:, None]
    if some_lost:
        share[lost] = 0.0
    np.exp(share, out=share)
    total = share.sum(axis=1)
    share /= total[:, None]
    pooled = top + np.log(total)
    if some_lost:
        pooled[lost] = unexplained
    return pooled, share


@everywhere
def log_softmax(scores):
    """Return scores_nk - log sum_j exp(scores_nj), shape (n, K)."""
    top = scores.max(axis=1)
    shifted = scores - top[:, None]
    shifted -= np.log(np.exp(shifted).sum(axis=1))[:, None]
    return shifted


@everywhere
def softmax(scores):
    """Return exp(scores_nk) / sum_j exp(scores_nj), shape (n, K)."""
    share = scores - scores.max(axis=1)[:, None]
    np.exp(share, out=share)
    share /= share.sum(axis=1)[:, None]
    return share
