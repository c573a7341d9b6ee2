"""A picture of the predictive distribution: a ridge of densities, or a band."""

import numpy as np

from skmoe._math.checks import check_choice, check_number
from skmoe.inspection.drawing import axes_for
from skmoe.inspection.features import Varied, needs

__all__ = ["PredictiveDisplay"]

KINDS = ("density", "interval")
# Cells of y under a density.
CELLS = 200


class PredictiveDisplay:
    """What y may be over one feature.

    Parameters
    ----------
    x : ndarray of shape (m,)
        Values of the feature.
    distribution : MixtureDistribution
        The answers at x.
    y : ndarray of shape (n, 2) or None
        Feature and answer of rows that were observed.
    kind : {"density", "interval"}
        Shades of density, or a band.
    confidence : float
        Probability of the band.
    target : int
        Number of the target where y has several.
    feature_name, target_name : str
        What the axes say.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    density_ : matplotlib QuadMesh or None
        Of ``kind="density"``; each column is divided by its largest density.
    band_ : matplotlib PolyCollection or None
        Of ``kind="interval"``.
    mean_line_ : matplotlib Line2D
        Means of the answers.
    points_ : matplotlib PathCollection or None
        The rows that were observed.

    Notes
    -----
    A cell from a to b holds (F(b | x) - F(a | x)) / (b - a), with the distribution function F of
    the target: counts have densities, too, and no narrow one is missed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> from skmoe.datasets import load_motorcycle
    >>> from skmoe.inspection import PredictiveDisplay
    >>> X, y = load_motorcycle(return_X_y=True)
    >>> est = MixtureOfExpertsRegressor(2, n_init=2, random_state=0).fit(X, y)
    >>> display = PredictiveDisplay.from_estimator(est, X, y, kind="interval")
    >>> display.band_.get_label()
    '90% interval'
    """

    def __init__(
        self,
        x,
        distribution,
        *,
        y=None,
        kind="density",
        confidence=0.9,
        target=0,
        feature_name="x",
        target_name="y",
    ):
        self.x = x
        self.distribution = distribution
        self.y = y
        self.kind = kind
        self.confidence = confidence
        self.target = target
        self.feature_name = feature_name
        self.target_name = target_name

    @classmethod
    def from_estimator(
        cls,
        est,
        X,
        y=None,
        *,
        feature=None,
        at=None,
        kind="density",
        confidence=0.9,
        target=0,
        grid_resolution=150,
        ax=None,
    ):
        """Draw what a fitted regressor expects over one feature.

        Parameters
        ----------
        est : estimator
            A fitted regressor with ``predict_distribution``.
        X : array-like of shape (n_samples, n_features)
            Rows that tell how far the feature runs.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), optional
            Drawn as points.
        feature : int or str, optional
            Column of X that runs along the axis. None: the only one.
        at : array-like of shape (n_features,) or frame of one row, optional
            Where the other features stay. None: at their medians.
        kind : {"density", "interval"}, default="density"
            Shades of density, or a band.
        confidence : float, default=0.9
            Probability of the band.
        target : int, default=0
            Number of the target where y has several.
        grid_resolution : int, default=150
            Values of the feature.
        ax : matplotlib Axes, optional
            Where to draw. None: a new figure.

        Returns
        -------
        PredictiveDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ValueError
            For a classifier, another estimator without ``predict_distribution``, a feature that X
            does not have, and a kind or confidence that there is not.
        ImportError
            Without matplotlib.
        """
        _check(kind, confidence)
        if hasattr(est, "classes_"):
            raise ValueError(
                f"est={type(est).__name__} is a classifier; PredictiveDisplay draws the densities "
                "of a regressor."
            )
        needs(est, "PredictiveDisplay", "predict_distribution")
        varied = Varied.of(X, feature, 1, grid_resolution)
        points = None
        if y is not None:
            answers = np.asarray(y)
            answers = answers.reshape(len(answers), -1)[:, target]
            points = np.column_stack([varied.values[0], answers])
        return cls(
            varied.grids[0],
            est.predict_distribution(varied.beside(at)),
            y=points,
            kind=kind,
            confidence=confidence,
            target=target,
            feature_name=varied.names[0],
            target_name=getattr(y, "name", None) or "y",
        ).plot(ax)

    @classmethod
    def from_predictions(
        cls,
        x,
        distribution,
        y=None,
        *,
        kind="density",
        confidence=0.9,
        target=0,
        feature_name="x",
        ax=None,
    ):
        """Draw a predictive distribution that is at hand.

        Parameters
        ----------
        x : array-like of shape (n_samples,)
            Values of the feature, rising.
        distribution : MixtureDistribution
            What ``predict_distribution`` returned for them.
        y : array-like of shape (n_samples,), optional
            Observed at the same x.
        kind : {"density", "interval"}, default="density"
            Shades of density, or a band.
        confidence : float, default=0.9
            Probability of the band.
        target : int, default=0
            Number of the target where y has several.
        feature_name : str, default="x"
            What the axis of the feature says.
        ax : matplotlib Axes, optional
            Where to draw. None: a new figure.

        Returns
        -------
        PredictiveDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ValueError
            If x does not rise, or is not as long as the distribution.
        """
        _check(kind, confidence)
        x = np.asarray(x)
        if x.shape != distribution.shape[:1] or np.any(np.diff(x) < 0):
            raise ValueError(
                f"x has the shape {x.shape}; it must rise and hold {distribution.shape[0]} values."
            )
        points = None if y is None else np.column_stack([x, y])
        return cls(
            x,
            distribution,
            y=points,
            kind=kind,
            confidence=confidence,
            target=target,
            feature_name=feature_name,
        ).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            None: a new figure.

        Returns
        -------
        PredictiveDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        self.ax_ = ax = axes_for(ax, "PredictiveDisplay")
        self.figure_ = ax.figure
        self.density_ = self.band_ = self.points_ = None
        (self._draw_density if self.kind == "density" else self._draw_band)()
        mean = self._of_target(self.distribution.mean())
        (self.mean_line_,) = ax.plot(
            self.x, mean, color="#D55E00", linestyle="dashed", linewidth=2, label="mean"
        )
        if self.y is not None:
            self.points_ = ax.scatter(
                *self.y.T,
                s=12,
                facecolor="white",
                edgecolor="black",
                linewidth=0.6,
                label="data",
                zorder=3,
            )
        ax.set(xlabel=self.feature_name, ylabel=self.target_name)
        ax.legend(fontsize="small", framealpha=0.85)
        return self

    def _of_target(self, values):
        """Return an answer (m,) or (m, q) for the target that is drawn, (m,)."""
        return values.reshape(len(self.x), -1)[:, self.target]

    def _draw_band(self):
        low, high = map(self._of_target, self.distribution.interval(self.confidence))
        self.band_ = self.ax_.fill_between(
            self.x,
            low,
            high,
            color="#56B4E9",
            alpha=0.4,
            linewidth=0,
            label=f"{self.confidence:.0%} interval",
        )

    def _draw_density(self):
        edges = self._edges()
        levels = self.distribution.cdf(self._spread(edges))
        levels = np.stack([self._of_target(each) for each in levels])
        density = np.diff(levels, axis=0) / np.diff(edges)[:, None]
        top = density.max(axis=0)
        density = density / np.where(top > 0, top, 1.0)
        self.density_ = self.ax_.pcolormesh(
            _edges_around(self.x), edges, density, cmap="Blues", vmin=0.0, vmax=1.0, rasterized=True
        )
        self.ax_.figure.colorbar(
            self.density_, ax=self.ax_, label="density / highest density at x", pad=0.02
        )

    def _edges(self):
        """Return where the cells of y begin and end, between whole numbers for counts."""
        low, high = map(self._of_target, self.distribution.interval(0.998))
        ends = [low.min(), high.max()]
        if self.y is not None:
            ends += [self.y[:, 1].min(), self.y[:, 1].max()]
        low, high = min(ends), max(ends)
        if getattr(self.distribution.components, "discrete", False):
            width = max(1, round((high - low) / CELLS))
            return np.arange(np.floor(low), high + width + 1, width) - 0.5
        return np.linspace(low, high, CELLS + 1)

    def _spread(self, edges):
        """Return the edges in the shape that the distribution function takes."""
        n_targets = self.distribution.shape[2]
        if n_targets == 1 and self.distribution.mean().ndim == 1:
            return edges[:, None]
        return np.broadcast_to(edges[:, None, None], (len(edges), 1, n_targets))


def _edges_around(x):
    """Return the edges of cells (m + 1,) around rising values (m,)."""
    middle = (x[1:] + x[:-1]) / 2.0
    return np.concatenate([[2 * x[0] - middle[0]], middle, [2 * x[-1] - middle[-1]]])


def _check(kind, confidence):
    check_choice("kind", kind, KINDS)
    check_number("confidence", confidence, above=0.0)
    if confidence >= 1.0:
        raise ValueError(f"confidence={confidence!r} must lie between 0 and 1.")
