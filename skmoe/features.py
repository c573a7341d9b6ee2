"""Bases: columns that let few linear experts bend."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import SplineTransformer
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from skmoe._math.checks import check_count, check_number

__all__ = [
    "BASES",
    "FourierFeatures",
    "QuadraticFeatures",
    "SplineFeatures",
    "SplineQuadraticFeatures",
]


class _Basis(TransformerMixin, BaseEstimator):
    """A basis of standardized columns; rows may have weights."""

    def fit(self, X, y=None, sample_weight=None):
        """Learn where the columns lie.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.
        y : None
            Not looked at.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows; integer ones equal repetition.

        Returns
        -------
        self
            The fitted basis.
        """
        X = validate_data(self, X, dtype=[np.float64, np.float32])
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        X, weight = X[weight > 0], weight[weight > 0]
        self.mean_ = np.average(X, axis=0, weights=weight)
        spread = np.sqrt(np.average(np.square(X - self.mean_), axis=0, weights=weight))
        constant = spread <= 10 * np.finfo(X.dtype).eps * np.abs(self.mean_)
        self.scale_ = np.where(constant | (spread == 0), 1.0, spread)
        self._settle(self._standardized(X), weight)
        return self

    def transform(self, X):
        """Return the columns of the basis.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            One row a row of X.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return self._columns(self._standardized(X)).astype(X.dtype, copy=False)

    def n_columns(self, n_features):
        """Return at most how many columns the basis has for d features, an int."""
        raise NotImplementedError

    def _standardized(self, X):
        return (X - self.mean_) / self.scale_

    def _settle(self, Z, weight):
        """Learn what else the basis needs from standardized columns (n, d)."""


class QuadraticFeatures(_Basis):
    """Standardized columns, their squares and products.

    Examples
    --------
    >>> from skmoe.features import QuadraticFeatures
    >>> QuadraticFeatures().fit_transform([[0.0, 0.0], [1.0, 2.0], [2.0, 1.0]]).shape
    (3, 5)
    """

    def n_columns(self, n_features):
        """Return how many columns the basis has for d features, an int."""
        return n_features * (n_features + 3) // 2

    def _columns(self, Z):
        first, second = np.triu_indices(Z.shape[1])
        return np.concatenate([Z, Z[:, first] * Z[:, second]], axis=1)


class SplineFeatures(_Basis):
    """Cubic splines of every column, with knots at its quantiles, straight beyond the last.

    Parameters
    ----------
    n_knots : int, default=6
        Knots of a column; columns that take few values have fewer.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.features import SplineFeatures
    >>> SplineFeatures(n_knots=4).fit_transform(np.arange(20.0)[:, None]).shape
    (20, 5)
    """

    def __init__(self, n_knots=6):
        self.n_knots = n_knots

    def n_columns(self, n_features):
        """Return at most how many columns the basis has for d features, an int."""
        return n_features * (self.n_knots + 1)

    def _settle(self, Z, weight):
        check_count("n_knots", self.n_knots, least=2)
        self.splines_ = [_spline(column, weight, self.n_knots) for column in Z.T]

    def _columns(self, Z):
        made = [
            spline.transform(np.ascontiguousarray(column[:, None]))
            for spline, column in zip(self.splines_, Z.T, strict=True)
            if spline is not None
        ]
        return np.concatenate(made, axis=1) if made else np.zeros((len(Z), 0))


class SplineQuadraticFeatures(SplineFeatures):
    """The columns of `SplineFeatures` and of `QuadraticFeatures`: bends, and interactions.

    Parameters
    ----------
    n_knots : int, default=6
        Knots of a column; columns that take few values have fewer.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.features import SplineQuadraticFeatures
    >>> X = np.random.RandomState(0).standard_normal((50, 2))
    >>> SplineQuadraticFeatures(n_knots=4).fit_transform(X).shape
    (50, 15)
    """

    def n_columns(self, n_features):
        """Return at most how many columns the basis has for d features, an int."""
        return super().n_columns(n_features) + QuadraticFeatures().n_columns(n_features)

    def _columns(self, Z):
        return np.concatenate([super()._columns(Z), QuadraticFeatures._columns(self, Z)], axis=1)


class FourierFeatures(_Basis):
    """Standardized columns, and waves of random direction: a smooth function of all of them.

    Parameters
    ----------
    n_waves : int, default=100
        Waves; each gives a sine and a cosine.
    length_scale : float, default=1.0
        Distance over which the function changes, in units of sqrt(d) deviations.
    random_state : int, default=0
        Seed of the directions.

    Notes
    -----
    With independent coefficients of equal variance the sum of the waves is close to a Gaussian
    process with a Matern kernel of smoothness 5 / 2.

    References
    ----------
    Rahimi and Recht (2007), Random features for large-scale kernel machines.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.features import FourierFeatures
    >>> X = np.random.RandomState(0).standard_normal((50, 2))
    >>> FourierFeatures(n_waves=10).fit_transform(X).shape
    (50, 22)
    """

    def __init__(self, n_waves=100, length_scale=1.0, random_state=0):
        self.n_waves = n_waves
        self.length_scale = length_scale
        self.random_state = random_state

    def n_columns(self, n_features):
        """Return how many columns the basis has for d features, an int."""
        return n_features + 2 * self.n_waves

    def _settle(self, Z, weight):
        check_count("n_waves", self.n_waves)
        check_number("length_scale", self.length_scale, above=0.0)
        rng, d = np.random.RandomState(self.random_state), Z.shape[1]
        # Frequencies of the kernel are Student-t with 2 * 5 / 2 degrees of freedom.
        size = np.sqrt(5.0 / rng.chisquare(5.0, self.n_waves))
        self.frequencies_ = rng.standard_normal((d, self.n_waves)) * size
        self.frequencies_ /= self.length_scale * np.sqrt(max(d, 1))

    def _columns(self, Z):
        phase = Z @ self.frequencies_
        return np.concatenate([Z, np.cos(phase), np.sin(phase)], axis=1)


#: Short names of the bases.
BASES = {
    "fourier": FourierFeatures,
    "quadratic": QuadraticFeatures,
    "spline": SplineFeatures,
    "spline_quadratic": SplineQuadraticFeatures,
}


def _spline(column, weight, n_knots):
    """Return the SplineTransformer of a standardized column (n,), or None if it is constant."""
    values, where = np.unique(column, return_inverse=True)
    if len(values) < 2:
        return None
    reached = np.cumsum(np.bincount(where, weight))
    at = np.linspace(0.0, reached[-1], n_knots)
    knots = np.unique(values[np.minimum(np.searchsorted(reached, at), len(values) - 1)])
    if len(knots) < 2:
        knots = values[[0, -1]]
    spline = SplineTransformer(
        knots=knots[:, None],
        degree=min(3, len(values) - 1),
        extrapolation="linear",
        include_bias=False,
    )
    return spline.fit(values[:, None])
