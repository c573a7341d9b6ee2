"""Student-t densities whose places and scales differ from row to row."""

from __future__ import annotations

from typing import final

import numpy as np
from scipy.special import gammaln, stdtr, stdtrit

from skmoe.base import Components

__all__ = ["RowStudentTs"]


@final
class RowStudentTs(Components):
    """K Student-t densities at each of n rows, outputs independent: y = mean + scale t(df).

    Parameters
    ----------
    means, scales : ndarray of shape (n, K, q)
        In the units of the components; scales are positive.
    df : ndarray of shape (K,)
        Degrees of freedom.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.experts.row_student_t import RowStudentTs
    >>> components = RowStudentTs(np.zeros((1, 1, 1)), np.ones((1, 1, 1)), np.array([4.0]))
    >>> components.covariance().ravel()
    array([2.])
    >>> components.cdf(np.zeros((1, 1, 1))).ravel()
    array([0.5])
    """

    def __init__(self, means, scales, df):
        self.means, self.scales, self.df = means, scales, df

    @property
    def shape(self):
        return self.means.shape

    def take(self, rows):
        """Return the components at some of the rows."""
        return RowStudentTs(self.means[rows], self.scales[rows], self.df)

    def log_prob(self, y):
        df = self.df[:, None]
        z = (y - self.means) / self.scales
        constant = gammaln(0.5 * (df + 1.0)) - gammaln(0.5 * df) - 0.5 * np.log(np.pi * df)
        logs = constant - np.log(self.scales) - 0.5 * (df + 1.0) * np.log1p(np.square(z) / df)
        return logs.sum(axis=-1).astype(self.means.dtype, copy=False)

    def mean(self):
        return self.means

    def covariance(self):
        heavy = self.df <= 2.0
        factor = np.where(heavy, np.inf, self.df / np.where(heavy, 1.0, self.df - 2.0))
        variance = np.square(self.scales) * factor[:, None]
        return np.where(np.eye(self.shape[2], dtype=bool), variance[..., None], 0.0)

    def cdf(self, y):
        return stdtr(self.df[:, None], (y - self.means) / self.scales)

    def ppf(self, q):
        return self.means + self.scales * stdtrit(self.df, q)[:, None]

    def sample(self, expert, rng):
        rows = np.arange(self.shape[0])
        df = self.df[expert][..., None]
        white = rng.standard_normal((*expert.shape, self.shape[2]))
        heavy = np.sqrt(rng.chisquare(np.broadcast_to(df, white.shape)) / df)
        return self.means[rows, expert] + self.scales[rows, expert] * white / heavy
