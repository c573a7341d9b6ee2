"""The coefficient table: estimates, standard errors and intervals in the units of the data."""

from dataclasses import dataclass, fields

import numpy as np
from scipy import stats

from skmoe._math.checks import check_choice, check_count, check_number
from skmoe.batches import Block, InMemory
from skmoe.inspection.bootstrap import KINDS as BOOTSTRAPS
from skmoe.inspection.bootstrap import bootstrap
from skmoe.inspection.information import Likelihood
from skmoe.inspection.labels import labels_of

__all__ = ["CoefficientTable", "coefficient_table"]

KINDS = ("information", "score", "sandwich", *BOOTSTRAPS)
# Nodes and weights of a first derivative that is exact for polynomials of degree 4.
NODES = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
STEP = 1e-2
# A published number that answers a coordinate by less, as a share of all, does not depend on it.
NO_ANSWER = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class CoefficientTable:
    """Estimates of a fitted mixture with standard errors, one row a number.

    Attributes
    ----------
    attribute : ndarray of shape (m,), str
        Attribute of the estimator that holds the number: ``"coef_"``, say.
    expert : ndarray of shape (m,), object
        Number of the expert, or ``"all"``.
    term : ndarray of shape (m,), str
        Feature, target or class.
    estimate, std_error : ndarray of shape (m,)
        In the units of the data.
    z, p_value : ndarray of shape (m,)
        Of the hypothesis that the number is zero; NaN for scales, which cannot be.
    lower, upper : ndarray of shape (m,)
        Ends of the confidence interval; a scale's is symmetric in its logarithm.
    note : ndarray of shape (m,), str
        Why there is no standard error: ``"held"`` (at a bound, or the rows say nothing of it),
        ``"fixed"`` (not learned), ``"no maximum"`` (the likelihood still rises nearby).
    covariance : ndarray of shape (m, m)
        Of the estimates.
    kind : str
    confidence : float

    Examples
    --------
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> from skmoe.datasets import make_mixture_of_experts
    >>> from skmoe.inspection import CoefficientTable
    >>> X, y, _ = make_mixture_of_experts(500, 1, 2, random_state=0)
    >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
    >>> table = CoefficientTable.from_estimator(est, X, y)
    >>> bool((table.std_error > 0).all())
    True
    """

    attribute: np.ndarray
    expert: np.ndarray
    term: np.ndarray
    estimate: np.ndarray
    std_error: np.ndarray
    z: np.ndarray
    p_value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    note: np.ndarray
    covariance: np.ndarray
    kind: str
    confidence: float

    @classmethod
    def from_estimator(
        cls,
        est,
        X,
        y,
        sample_weight=None,
        *,
        kind="information",
        confidence=0.95,
        n_bootstrap=199,
        random_state=None,
        offset=None,
        groups=None,
    ):
        """Return the table; see `coefficient_table`, which makes a frame of it.

        Parameters
        ----------
        est : fitted mixture of experts
            It is left as it is.
        X : array-like of shape (n_samples, n_features)
            The rows of the fit.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers.
        sample_weight : array-like of shape (n_samples,), optional
            As in the fit.
        kind : {"information", "score", "sandwich", "bootstrap", "parametric_bootstrap"}
            Where the standard errors come from.
        confidence : float, default=0.95
            Of the intervals.
        n_bootstrap : int, default=199
            Fits of a bootstrap.
        random_state : int, RandomState or None, default=None
            Draws of a bootstrap.
        offset, groups : array-like of shape (n_samples,), optional
            As in the fit.

        Returns
        -------
        CoefficientTable
            One row a number that the mixture has learned.

        Raises
        ------
        ValueError
            As in `coefficient_table`.
        """
        check_choice("kind", kind, KINDS)
        check_number("confidence", confidence, above=0.0)
        if confidence >= 1.0:
            raise ValueError(f"confidence={confidence!r} must lie between 0 and 1.")
        observed = est._observed(X, y, sample_weight, offset, groups)
        published = _Published(est, observed[0])
        criterion = observed[0].criterion
        if kind not in BOOTSTRAPS and not (criterion.smooth and criterion.is_likelihood):
            raise ValueError(
                f"kind={kind!r} needs a likelihood whose shares move smoothly; criterion="
                f"{criterion!r} has none. kind must be one of {BOOTSTRAPS}."
            )
        if kind in BOOTSTRAPS:
            check_count("n_bootstrap", n_bootstrap, least=2)
            if groups is not None:
                raise ValueError(f"kind={kind!r} draws rows, not groups; groups must be None.")
            data = (X, y, sample_weight, {} if offset is None else {"offset": offset})
            refits = bootstrap(est, data, kind, n_bootstrap, random_state)
            drawn = np.stack([published.of_estimator(each) for each in refits])
            covariance = np.atleast_2d(np.cov(drawn, rowvar=False))
            note = np.where(np.ptp(drawn, axis=0) > 0, "", "fixed").astype(object)
        else:
            covariance, note = _by_delta_method(est, published, observed, kind)
        return _table(published, covariance, note, kind, confidence)

    @property
    def columns(self):
        """Names of the columns, a list of str."""
        return [f.name for f in fields(self)][:10]

    def __getitem__(self, column):
        if column not in self.columns:
            raise KeyError(f"column {column!r} is not known; there are {self.columns}.")
        return getattr(self, column)

    def __len__(self):
        return len(self.estimate)

    def to_frame(self):
        """Return a pandas DataFrame with attribute, expert and term as its index.

        Returns
        -------
        pandas.DataFrame
            ``attrs`` hold kind and confidence.
        """
        import pandas as pd

        frame = pd.DataFrame({name: self[name] for name in self.columns})
        frame = frame.set_index(self.columns[:3])
        frame.attrs.update(kind=self.kind, confidence=self.confidence)
        return frame

    def __str__(self):
        numbers = self.columns[3:9]
        names = [f"{a}[{e}] {t}".rstrip() for a, e, t in zip(*self._labels(), strict=True)]
        width = max(map(len, names))
        lines = [f"{'':<{width}}" + "".join(f"{name:>12}" for name in numbers)]
        for i, name in enumerate(names):
            row = "".join(f"{self[column][i]:>12.4g}" for column in numbers)
            lines.append(f"{name:<{width}}{row}  {self.note[i]}".rstrip())
        lines.append(f"standard errors: {self.kind}; intervals: {self.confidence:.0%}")
        return "\n".join(lines)

    __repr__ = __str__

    def _labels(self):
        return self.attribute, self.expert, self.term


def coefficient_table(
    est,
    X,
    y,
    sample_weight=None,
    *,
    kind="information",
    confidence=0.95,
    n_bootstrap=199,
    random_state=None,
    offset=None,
    groups=None,
):
    """Return estimates, standard errors, z, p and intervals of what a mixture has learned.

    Parameters
    ----------
    est : fitted mixture of experts
        It is left as it is.
    X : array-like of shape (n_samples, n_features)
        The rows of the fit.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Their answers.
    sample_weight : array-like of shape (n_samples,), optional
        As in the fit; an integer weight equals repetition of the row.
    kind : str, default="information"
        ``"information"``: the inverse of the observed information. ``"score"``: the inverse of the
        sum of the scores' outer products. ``"sandwich"``: the scores between inverses of the
        information, which holds where the mixture is only an approximation. ``"bootstrap"``: fits
        to rows drawn again. ``"parametric_bootstrap"``: fits to answers drawn from the mixture.
    confidence : float, default=0.95
        Of the intervals.
    n_bootstrap : int, default=199
        Fits of a bootstrap, each going on from ``est``; ``est.n_jobs`` of them side by side.
    random_state : int, RandomState or None, default=None
        Draws of a bootstrap.
    offset : array-like of shape (n_samples,), optional
        As in the fit.
    groups : array-like of shape (n_samples,), optional
        As in the fit; not for a bootstrap.

    Returns
    -------
    pandas.DataFrame or CoefficientTable
        A frame with the columns of `CoefficientTable`, indexed by attribute, expert and term, where
        pandas can be imported; else a `CoefficientTable`.

    Raises
    ------
    ValueError
        For arguments that are not allowed, and where the parts have no gradient that could be
        differentiated; bootstraps need none.

    Notes
    -----
    The slope of the observed log-likelihood l(theta) follows from the statistics of one pass by
    Fisher's identity; its central differences are the observed information I = -d^2 l that Louis
    (1982) writes as complete minus missing information. With the scores s_n of the rows, J =
    sum_n s_n s_n', and the curvature P of the penalties, the covariance of theta is (I + P)^-1,
    J^-1 or (I + P)^-1 J (I + P)^-1. Inverses are taken in the directions that rows tell of: a
    softmax gate's scores sum to zero, and collinear columns share what is known of their sum. The
    delta method carries the covariance to the units of the data.

    References
    ----------
    Louis (1982), Finding the observed information matrix when using the EM algorithm. White (1982),
    Maximum likelihood estimation of misspecified models. Efron and Tibshirani (1993), An
    introduction to the bootstrap.

    Examples
    --------
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> from skmoe.datasets import make_mixture_of_experts
    >>> from skmoe.inspection import coefficient_table
    >>> X, y, _ = make_mixture_of_experts(500, 1, 2, random_state=0)
    >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
    >>> table = coefficient_table(est, X, y, kind="sandwich")
    >>> bool((table["lower"] < table["estimate"]).all())
    True
    """
    table = CoefficientTable.from_estimator(
        est,
        X,
        y,
        sample_weight,
        kind=kind,
        confidence=confidence,
        n_bootstrap=n_bootstrap,
        random_state=random_state,
        offset=offset,
        groups=groups,
    )
    try:
        return table.to_frame()
    except ImportError:
        return table


class _Published:
    """The numbers that an estimator shows, as one vector."""

    def __init__(self, est, mixture):
        self._est, self._mixture = est, mixture
        learned = est._learned(mixture, est.theta_, np.float64)
        numbers = [
            name
            for name, value in learned.items()
            if isinstance(value, np.ndarray) and value.dtype.kind == "f"
        ]
        self.names = sorted(numbers, key=_place)
        self.labels = labels_of(est, {name: learned[name] for name in self.names})
        self.estimate = self._joined(learned)

    def at(self, theta):
        """Return the numbers (m,) that would be shown for theta."""
        return self._joined(self._est._learned(self._mixture, theta, np.float64))

    def of_estimator(self, est):
        """Return the numbers (m,) that another estimator shows."""
        return self._joined(vars(est))

    def jacobian(self):
        """Return the derivatives (m, p) by the free coordinates."""
        theta = self._est.theta_
        vector = theta.flatten()
        columns = np.empty((len(self.estimate), len(vector)))
        for i in range(len(vector)):
            shift = STEP * (np.arange(len(vector)) == i)
            columns[:, i] = sum(
                weight * self.at(theta.unflatten(vector + node * shift)) for node, weight in NODES
            )
        columns /= STEP
        size = np.abs(self.estimate) + np.abs(columns).max(axis=1, initial=0.0)
        return np.where(np.abs(columns) > NO_ANSWER * size[:, None], columns, 0.0)

    def _joined(self, attributes):
        return np.concatenate([np.ravel(attributes[name]) for name in self.names])


def _place(name):
    """Return what attributes are sorted by: experts first, lines before scales."""
    ranks = [name.endswith(end) for end in ("coef_", "intercept_")]
    return name.startswith("gate_"), [not rank for rank in ranks], name


def _by_delta_method(est, published, observed, kind):
    """Return the covariance (m, m) of what is published, and notes (m,)."""
    mixture, block = observed
    doubles = (getattr(block, name).astype(np.float64) for name in ("X", "X_gate", "y", "weight"))
    block = Block(*doubles, block.group)
    likelihood = Likelihood(mixture, est.theta_, InMemory(block))
    covariance = likelihood.covariance(kind)
    jacobian = published.jacobian()
    lost = np.isnan(covariance).all(axis=1)
    moved = jacobian @ np.where(np.isnan(covariance), 0.0, covariance) @ jacobian.T
    note = np.full(len(jacobian), "", dtype=object)
    note[(jacobian[:, lost] != 0).any(axis=1)] = "no maximum"
    note[(jacobian[:, likelihood.held] != 0).any(axis=1)] = "held"
    note[(jacobian == 0).all(axis=1)] = "fixed"
    return moved, note


def _table(published, covariance, note, kind, confidence):
    known = note == ""
    covariance = np.where(known[:, None] & known, covariance, np.nan)
    error = np.sqrt(np.diagonal(covariance))
    estimate, scale = published.estimate, published.labels.scale
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(scale, np.nan, estimate / error)
        relative = np.where(scale, error / np.where(scale, estimate, 1.0), 0.0)
    reach = stats.norm.ppf(0.5 + confidence / 2.0)
    factor = np.exp(reach * relative)
    return CoefficientTable(
        published.labels.attribute,
        published.labels.expert,
        published.labels.term,
        estimate,
        error,
        z,
        2.0 * stats.norm.sf(np.abs(z)),
        np.where(scale, estimate / factor, estimate - reach * error),
        np.where(scale, estimate * factor, estimate + reach * error),
        note,
        covariance,
        kind,
        confidence,
    )
