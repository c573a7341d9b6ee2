"""A picture of learning: the bound or the loss after every pass over the rows."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmoe._math.checks import check_choice
from skmoe.inspection.drawing import axes_for, stroke

__all__ = ["TrainingDisplay"]

# What fitted estimators record -> what the axis says.
RECORDS = {"lower_bounds_": "bound (nats)", "loss_curve_": "training loss"}
SCALES = ("linear", "gap")


class TrainingDisplay:
    """Bounds or losses after every pass, of one estimator or of several side by side.

    Parameters
    ----------
    curves : dict of str to ndarray
        Label -> numbers, one a pass or an epoch.
    record : {"lower_bounds_", "loss_curve_"}
        What the numbers are: bounds rise, and losses fall.
    scale : {"linear", "gap"}
        "gap": the way that is left to the best number of all curves, on a logarithmic axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        A line an estimator.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> from skmoe.datasets import load_motorcycle
    >>> from skmoe.inspection import TrainingDisplay
    >>> X, y = load_motorcycle(return_X_y=True)
    >>> est = MixtureOfExpertsRegressor(2, n_init=2, random_state=0).fit(X, y)
    >>> display = TrainingDisplay.from_estimators({"two experts": est})
    >>> len(display.lines_[0].get_ydata()) == est.n_passes_
    True
    """

    def __init__(self, curves, record, scale="linear"):
        self.curves = curves
        self.record = record
        self.scale = scale

    @classmethod
    def from_estimator(cls, est, *, name=None, scale="linear", ax=None):
        """Draw how a fitted estimator learned.

        Parameters
        ----------
        est : estimator
            Fitted, with ``lower_bounds_`` or ``loss_curve_``.
        name : str, optional
            Its label. None: the name of its class.
        scale : {"linear", "gap"}, default="linear"
            "gap": the way that is left to the best number, on a logarithmic axis.
        ax : matplotlib Axes, optional
            Where to draw. None: a new figure.

        Returns
        -------
        TrainingDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ValueError
            If the estimator keeps no record.
        ImportError
            Without matplotlib.
        """
        name = type(est).__name__ if name is None else name
        return cls.from_estimators({name: est}, scale=scale, ax=ax)

    @classmethod
    def from_estimators(cls, estimators, *, scale="linear", ax=None):
        """Draw how several fitted estimators learned.

        Parameters
        ----------
        estimators : dict of str to estimator
            Labels and fitted estimators that all keep bounds, or all keep losses.
        scale : {"linear", "gap"}, default="linear"
            "gap": the way that is left to the best number of all, on a logarithmic axis.
        ax : matplotlib Axes, optional
            Where to draw. None: a new figure.

        Returns
        -------
        TrainingDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ValueError
            If there are none, or some keep bounds and others losses.
        ImportError
            Without matplotlib.
        """
        check_choice("scale", scale, SCALES)
        records = {name: _record(est) for name, est in estimators.items()}
        if len(set(records.values())) != 1:
            raise ValueError(
                f"estimators keep {records}; they must be one or more that keep the same."
            )
        record = next(iter(records.values()))
        curves = {name: np.asarray(getattr(est, record)) for name, est in estimators.items()}
        return cls(curves, record, scale).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            None: a new figure.

        Returns
        -------
        TrainingDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        self.ax_ = axes_for(ax, "TrainingDisplay")
        self.figure_, self.lines_ = self.ax_.figure, []
        rises, label = self.record == "lower_bounds_", RECORDS[self.record]
        if self.scale == "gap":
            best = (max if rises else min)(
                np.nanmax(c) if rises else np.nanmin(c) for c in self.curves.values()
            )
            self.ax_.set_yscale("log")
            label = f"way to the best {label}"
        for k, (name, curve) in enumerate(self.curves.items()):
            if self.scale == "gap":
                curve = np.abs(best - curve)
                curve = np.where(curve > 0, curve, np.nan)
            passes = np.arange(1, len(curve) + 1)
            self.lines_ += self.ax_.plot(
                passes, curve, linewidth=2, label=name, marker=".", **stroke(k)
            )
        self.ax_.set(xlabel="pass over the rows" if rises else "epoch", ylabel=label)
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        self.ax_.legend(fontsize="small", framealpha=0.85)
        return self


def _record(est):
    """Return the name of the attribute in which a fitted estimator kept its way."""
    check_is_fitted(est)
    for name in RECORDS:
        if hasattr(est, name):
            return name
    raise ValueError(f"est={type(est).__name__} keeps none of {list(RECORDS)}.")
