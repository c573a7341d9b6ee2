"""A picture of a gate: whom it asks where."""

import numpy as np
from sklearn.utils import _safe_indexing

from skmoe._math.checks import check_count
from skmoe.inspection.drawing import COLORS, axes_for, stroke
from skmoe.inspection.features import Varied, needs

__all__ = ["GateDisplay"]


class GateDisplay:
    """Weights of a gate, or of a router of sparse experts, over one or two features.

    With more features, the weights are averaged over the rows of X while one or two features run
    over their range: the partial dependence of the gate.

    Parameters
    ----------
    grids : tuple of ndarray
        Values of the one or two features, (m,) or (m1,) and (m2,).
    weights : ndarray of shape (m, K) or (m1, m2, K)
        Weight of each expert.
    feature_names : tuple of str
        What the axes of the features say.
    kind : str, default="gate weight"
        What the weights are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        A line an expert, over one feature.
    surface_ : matplotlib AxesImage
        The colors of the most weighted experts over two features, paler where others weigh, too.

    Notes
    -----
    For features s and the rows x_i of X, what is drawn is the mean of g_k(s, x_i without s).

    References
    ----------
    Friedman (2001), Greedy function approximation: a gradient boosting machine, section 8.2.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> from skmoe.datasets import load_motorcycle
    >>> from skmoe.inspection import GateDisplay
    >>> X, y = load_motorcycle(return_X_y=True)
    >>> est = MixtureOfExpertsRegressor(2, n_init=2, random_state=0).fit(X, y)
    >>> display = GateDisplay.from_estimator(est, X)
    >>> len(display.lines_), display.ax_.get_ylabel()
    (2, 'gate weight')
    """

    def __init__(self, grids, weights, feature_names, kind="gate weight"):
        self.grids = grids
        self.weights = weights
        self.feature_names = feature_names
        self.kind = kind

    @classmethod
    def from_estimator(
        cls,
        est,
        X,
        *,
        features=None,
        layer=None,
        grid_resolution=100,
        subsample=500,
        random_state=None,
        ax=None,
    ):
        """Draw the gate of a fitted mixture.

        Parameters
        ----------
        est : estimator
            A fitted mixture with ``predict_gate``, or a sparse one with ``route``.
        X : array-like of shape (n_samples, n_features)
            Rows that tell how far features run, and over which the weights are averaged.
        features : int, str, or one or two of them, optional
            Numbers or names of columns. None: all columns, if there are at most two.
        layer : int, optional
            Which of the mixture layers that ``route`` returns, counted from 0. None: the last one.
            Only for sparse mixtures.
        grid_resolution : int, default=100
            Values of each feature.
        subsample : int, default=500
            Rows over which the weights are averaged at most.
        random_state : int, RandomState or None, default=None
            For the choice of these rows.
        ax : matplotlib Axes, optional
            Where to draw. None: a new figure.

        Returns
        -------
        GateDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ValueError
            For an estimator without gate weights, and for features that X does not have or that
            are more than two; for a layer that the estimator does not have.
        ImportError
            Without matplotlib.
        """
        sparse = hasattr(est, "route")
        needs(est, "GateDisplay", "route" if sparse else "predict_gate")
        varied = Varied.of(X, features, 2, grid_resolution, subsample, random_state)
        if layer is not None and not sparse:
            raise ValueError(f"layer={layer!r} is for sparse mixtures; est has one gate.")
        ask, kind = _router(est, layer, X) if sparse else (est.predict_gate, "gate weight")
        weights = varied.mean_of(ask)
        shape = (*map(len, varied.grids), weights.shape[-1])
        return cls(varied.grids, weights.reshape(shape), varied.names, kind).plot(ax)

    @classmethod
    def from_predictions(cls, x, weights, *, feature_name="x", ax=None):
        """Draw weights that are at hand.

        Parameters
        ----------
        x : array-like of shape (n_samples,)
            Values of the feature, in any order.
        weights : array-like of shape (n_samples, n_experts)
            What ``predict_gate`` returned for them.
        feature_name : str, default="x"
            What the axis of the feature says.
        ax : matplotlib Axes, optional
            Where to draw. None: a new figure.

        Returns
        -------
        GateDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ValueError
            If the shapes do not fit.
        """
        x, weights = np.asarray(x), np.asarray(weights)
        if weights.ndim != 2 or x.shape != weights.shape[:1]:
            raise ValueError(f"weights has the shape {weights.shape}; x has {x.shape}.")
        order = np.argsort(x, kind="stable")
        return cls((x[order],), weights[order], (feature_name,)).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            None: a new figure.

        Returns
        -------
        GateDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        self.ax_ = axes_for(ax, "GateDisplay")
        self.figure_ = self.ax_.figure
        self.ax_.set_xlabel(self.feature_names[0])
        (self._draw_lines if len(self.grids) == 1 else self._draw_surface)()
        return self

    def _draw_lines(self):
        self.lines_ = [
            self.ax_.plot(self.grids[0], weight, linewidth=2.2, label=f"expert {k}", **stroke(k))[0]
            for k, weight in enumerate(self.weights.T)
        ]
        self.ax_.set(ylabel=self.kind, ylim=(-0.03, 1.03))
        self.ax_.legend(fontsize="small", framealpha=0.85)

    def _draw_surface(self):
        from matplotlib.colors import to_rgb

        first = self.weights.argmax(axis=-1)
        colors = np.array([to_rgb(COLORS[k % len(COLORS)]) for k in range(self.weights.shape[-1])])
        # Where the gate is in doubt, a color fades toward white.
        doubt = 1.0 - np.max(self.weights, axis=-1)[..., None]
        image = colors[first] * (1.0 - doubt) + doubt
        x, z = self.grids
        self.surface_ = self.ax_.imshow(
            image.swapaxes(0, 1),
            origin="lower",
            aspect="auto",
            extent=(x[0], x[-1], z[0], z[-1]),
            interpolation="nearest",
        )
        for k in np.unique(first):
            # Names stand in the colored areas, so that nobody has to match hues.
            i, j = np.argwhere(first == k)[_innermost(first == k)]
            self.ax_.text(
                x[i],
                z[j],
                f"expert {k}",
                ha="center",
                va="center",
                fontsize="small",
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2},
            )
        self.ax_.set_ylabel(self.feature_names[1])


def _router(est, layer, X):
    """Return the function of rows that one of a sparse mixture's routers is, and its name."""
    n_layers = len(est.route(_safe_indexing(X, [0])))
    layer = n_layers - 1 if layer is None else layer
    check_count("layer", layer, least=0)
    if layer >= n_layers:
        raise ValueError(f"layer={layer!r} must be below {n_layers}, the number of mixture layers.")
    kind = "routing weight" + (f" (layer {layer})" if n_layers > 1 else "")
    return (lambda rows: est.route(rows)[layer]), kind


def _innermost(area):
    """Return the number among the cells of an area (m1, m2) of the one farthest from its edge."""
    from scipy.ndimage import distance_transform_edt

    inner = distance_transform_edt(np.pad(area, 1))[1:-1, 1:-1]
    return int(inner[area].argmax())
