"""A picture of utilization: which experts of a sparse mixture see how many rows, over epochs."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmoe._math.checks import check_choice
from skmoe.inspection.drawing import axes_for, stroke

__all__ = ["LoadDisplay"]

KINDS = ("lines", "heatmap")
# More lines than this are a tangle.
MOST_LINES = 8


class LoadDisplay:
    """Share of the routed rows that each expert of a mixture layer takes, over epochs.

    Parameters
    ----------
    load : ndarray of shape (n_epochs, n_experts)
        Shares of the choices, which add up to 1 in an epoch.
    layer : str
        Name of the mixture layer.
    kind : {"lines", "heatmap"}
        A line an expert, or a row of cells an expert.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        A line an expert, of ``kind="lines"``.
    even_line_ : matplotlib Line2D or None
        Where all experts would take the same.
    image_ : matplotlib AxesImage or None
        Epochs from left to right and experts from bottom to top, of ``kind="heatmap"``.

    References
    ----------
    Shazeer et al. (2017), Outrageously large neural networks, section 4.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn.datasets import make_friedman1
    >>> from skmoe import SparseMixtureOfExpertsRegressor
    >>> from skmoe.inspection import LoadDisplay
    >>> X, y = make_friedman1(200, random_state=0)
    >>> est = SparseMixtureOfExpertsRegressor(
    ...     4, 2, hidden=8, learning_rate="cosine", max_iter=20, random_state=0
    ... ).fit(X, y)
    >>> len(LoadDisplay.from_estimator(est).lines_)
    4
    """

    def __init__(self, load, layer, kind="lines"):
        self.load = load
        self.layer = layer
        self.kind = kind

    @classmethod
    def from_estimator(cls, est, *, layer=None, kind=None, ax=None):
        """Draw the loads that a sparse mixture recorded while it learned.

        Parameters
        ----------
        est : estimator
            A fitted sparse mixture with ``routing_history_``.
        layer : str, optional
            Name of the mixture layer: ``"block0"``, say. None: the last one.
        kind : {"lines", "heatmap"}, optional
            None: lines for at most 8 experts.
        ax : matplotlib Axes, optional
            Where to draw. None: a new figure.

        Returns
        -------
        LoadDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ValueError
            For an estimator that routes nothing, or a layer that it does not have.
        ImportError
            Without matplotlib.
        """
        check_is_fitted(est)
        history = getattr(est, "routing_history_", None) or [{}]
        layers = [name for name in history[0] if "load" in history[0][name]]
        if not layers:
            raise ValueError(f"est={type(est).__name__} has recorded no loads of experts.")
        layer = layers[-1] if layer is None else layer
        if layer not in layers:
            raise ValueError(f"layer={layer!r} is not known; allowed are {layers}.")
        load = np.array([epoch[layer]["load"] for epoch in history], dtype=float)
        if kind is None:
            kind = "lines" if load.shape[1] <= MOST_LINES else "heatmap"
        check_choice("kind", kind, KINDS)
        total = load.sum(axis=1, keepdims=True)
        return cls(load / np.where(total > 0, total, 1.0), layer, kind).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            None: a new figure.

        Returns
        -------
        LoadDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        self.ax_ = axes_for(ax, "LoadDisplay")
        self.figure_ = self.ax_.figure
        self.lines_, self.even_line_, self.image_ = [], None, None
        (self._draw_lines if self.kind == "lines" else self._draw_heatmap)()
        self.ax_.set_xlabel("epoch")
        return self

    def _draw_lines(self):
        epochs = np.arange(1, len(self.load) + 1)
        self.even_line_ = self.ax_.axhline(
            1.0 / self.load.shape[1], color="0.6", linewidth=1, label="even"
        )
        for k, share in enumerate(self.load.T):
            self.lines_ += self.ax_.plot(
                epochs, share, linewidth=2, label=f"expert {k}", **stroke(k)
            )
        self.ax_.set_ylabel(f"share of the choices ({self.layer})")
        self.ax_.set_ylim(bottom=0.0)
        self.ax_.legend(fontsize="small", framealpha=0.85, ncols=2)

    def _draw_heatmap(self):
        n_epochs, n_experts = self.load.shape
        self.image_ = self.ax_.imshow(
            self.load.T * n_experts,
            aspect="auto",
            origin="lower",
            cmap="cividis",
            extent=(0.5, n_epochs + 0.5, -0.5, n_experts - 0.5),
            interpolation="nearest",
            vmin=0.0,
        )
        self.ax_.set_ylabel(f"expert ({self.layer})")
        self.figure_.colorbar(self.image_, ax=self.ax_, label="load / even load", pad=0.02)
