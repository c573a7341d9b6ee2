"""Experts that do not learn: known lines, and broad noise."""

from abc import abstractmethod

import numpy as np

from skmoe._math.checks import check_number
from skmoe.experts.delegation import DelegatingExperts
from skmoe.experts.homoscedastic import HomoscedasticExperts, LinearParameters
from skmoe.noise import DiagonalNoise


class FixedExperts(DelegatingExperts):
    """Experts whose parameters are known beforehand."""

    @property
    def _bank(self):
        return HomoscedasticExperts("diag", alpha=0.0)

    @abstractmethod
    def _known(self, n_features, n_outputs):
        """Return the coefficients (K, q, d), intercepts (K, q) and variances (K, q)."""

    def init(self, X, y, n_experts):
        coef, intercept, variance = self._known(X.shape[1], y.shape[1])
        if len(intercept) == 1:
            coef, intercept, variance = (
                np.repeat(part, n_experts, axis=0) for part in (coef, intercept, variance)
            )
        if len(intercept) != n_experts:
            raise ValueError(f"{len(intercept)} experts are known, not n_experts={n_experts}.")
        return LinearParameters(coef, intercept, DiagonalNoise(np.log(variance)))

    def m_step(self, theta, statistics):
        return theta

    def hold(self, theta):
        return theta

    def gradient(self, theta, statistics):
        return theta.unflatten(np.zeros(theta.size))

    def penalty(self, theta):
        return 0.0

    def n_parameters(self, theta):
        return 0


class KnownExperts(FixedExperts):
    """Experts y ~ N(A_k x + b_k, diag(v_k)) with A, b and v given in the units of the data.

    Parameters
    ----------
    coef : array-like of shape (K, d) or (K, q, d)
        Slopes, in units of y per unit of x.
    intercept : array-like of shape (K,) or (K, q)
        Answers at x = 0, in units of y.
    variance : array-like of shape (K,) or (K, q)
        Squared noise.

    Notes
    -----
    Only the gate learns. Beside banks that learn, put them into `ConcatenatedExperts`.

    Examples
    --------
    >>> from skmoe.experts import KnownExperts
    >>> KnownExperts(coef=[[2.0]], intercept=[0.0], variance=[0.25])
    KnownExperts(coef=[[2.0]], intercept=[0.0], variance=[0.25])
    """

    exchangeable = False

    def __init__(self, coef, intercept, variance):
        self.coef = coef
        self.intercept = intercept
        self.variance = variance

    def check(self):
        for name in ("coef", "intercept", "variance"):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            if values.ndim == 0 or not np.isfinite(values).all():
                raise ValueError(f"{name}={getattr(self, name)!r} must be a finite array.")
        if (np.asarray(self.variance) <= 0).any():
            raise ValueError(f"variance={self.variance!r} must be positive.")

    def for_rows(self, scaling):
        d, q = len(scaling.X.mean), len(scaling.y.mean)
        coef, intercept, variance = self._known(d, q)
        intercept = intercept + coef @ scaling.X.mean
        return KnownExperts(
            coef * scaling.X.scale / scaling.y.scale[:, None],
            (intercept - scaling.y.mean) / scaling.y.scale,
            variance / scaling.y.scale**2,
        )

    def without(self, theta, lost):
        kept = (np.asarray(each)[~lost] for each in (self.coef, self.intercept, self.variance))
        return KnownExperts(*kept), theta.of_experts(np.flatnonzero(~lost), len(lost))

    def _known(self, n_features, n_outputs):
        coef = np.asarray(self.coef, dtype=np.float64)
        shape = (len(coef), n_outputs)
        return (
            coef.reshape(*shape, n_features),
            np.asarray(self.intercept, dtype=np.float64).reshape(shape),
            np.asarray(self.variance, dtype=np.float64).reshape(shape),
        )


class NoiseExperts(FixedExperts):
    """Experts for rows that belong to nobody: y ~ N(mean of y, width^2 times its variance).

    Parameters
    ----------
    width : float, default=3.0
        Standard deviation as a multiple of that of y.

    Notes
    -----
    Nothing is learned but how often the gate asks them.

    References
    ----------
    Banfield and Raftery (1993), Model-based Gaussian and non-Gaussian clustering, section 3.

    Examples
    --------
    >>> from skmoe.experts import NoiseExperts
    >>> NoiseExperts(width=5.0)
    NoiseExperts(width=5.0)
    """

    def __init__(self, width=3.0):
        self.width = width

    def check(self):
        check_number("width", self.width, above=0.0)

    def _known(self, n_features, n_outputs):
        return (
            np.zeros((1, n_outputs, n_features)),
            np.zeros((1, n_outputs)),
            np.full((1, n_outputs), self.width**2),
        )
