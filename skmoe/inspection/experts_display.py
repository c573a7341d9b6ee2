"""A picture of experts: their lines over the data, and who is responsible for which row."""

import numpy as np

from skmoe.inspection.drawing import axes_for, blended, stroke
from skmoe.inspection.features import Varied, needs

__all__ = ["ExpertsDisplay"]


class ExpertsDisplay:
    """Experts' answers over one feature, with rows colored by responsibility.

    With more features, answers and weights are averaged over the rows of X while one feature runs
    over its range.

    Parameters
    ----------
    x : ndarray of shape (m,)
        Values of the feature.
    answers : ndarray of shape (m, K)
        Answer of each expert, in units of y.
    weights : ndarray of shape (m, K)
        What the gate gives each of them.
    feature_name, target_name : str
        What the axes say.
    rows : tuple of ndarray or None
        Feature (n,), y (n,) and responsibilities (n, K) of the rows.
    least_weight : float
        Below this weight an expert's line is thin and pale.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        A bold line an expert, broken where the gate hardly asks for it.
    pale_lines_ : list of matplotlib Line2D
        The same lines from end to end.
    points_ : matplotlib PathCollection or None
        The rows; a point mixes the experts' colors by their responsibilities.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> from skmoe.datasets import load_motorcycle
    >>> from skmoe.inspection import ExpertsDisplay
    >>> X, y = load_motorcycle(return_X_y=True)
    >>> est = MixtureOfExpertsRegressor(2, n_init=2, random_state=0).fit(X, y)
    >>> display = ExpertsDisplay.from_estimator(est, X, y)
    >>> len(display.lines_), len(display.points_.get_offsets())
    (2, 133)
    """

    def __init__(
        self, x, answers, weights, feature_name, target_name="y", *, rows=None, least_weight=0.05
    ):
        self.x = x
        self.answers = answers
        self.weights = weights
        self.feature_name = feature_name
        self.target_name = target_name
        self.rows = rows
        self.least_weight = least_weight

    @classmethod
    def from_estimator(
        cls,
        est,
        X,
        y,
        *,
        feature=None,
        target=None,
        least_weight=0.05,
        subsample=500,
        random_state=None,
        ax=None,
    ):
        """Draw the experts of a fitted mixture over data.

        Parameters
        ----------
        est : estimator
            A fitted mixture with ``predict_experts``, ``predict_gate`` and ``responsibilities``.
        X : array-like of shape (n_samples, n_features)
            Rows that tell how far the feature runs.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Answers of these rows.
        feature : int or str, optional
            Column of X that runs along the axis. None: the only one.
        target : int or label, optional
            Number of the target, or the class whose probability is drawn. None: the only target,
            or the last class.
        least_weight : float, default=0.05
            Weight from which on an expert's line is bold.
        subsample : int, default=500
            Rows over which answers are averaged at most.
        random_state : int, RandomState or None, default=None
            For the choice of these rows.
        ax : matplotlib Axes, optional
            Where to draw. None: a new figure.

        Returns
        -------
        ExpertsDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ValueError
            For an estimator without experts that share rows, a feature that X does not have, or
            a target that y does not have.
        ImportError
            Without matplotlib.
        """
        needs(est, "ExpertsDisplay", "predict_experts", "predict_gate", "responsibilities")
        varied = Varied.of(X, feature, 1, 300, subsample, random_state)
        shares = est.responsibilities(X, y)
        column, seen, name = _target(est, np.asarray(y), target)
        answers = varied.mean_of(est.predict_experts)
        answers = answers if answers.ndim == 2 else answers[:, :, column]
        weights = varied.mean_of(est.predict_gate)
        rows = (varied.values[0], seen, shares)
        x, label = varied.grids[0], getattr(y, "name", None) or name
        return cls(
            x, answers, weights, varied.names[0], label, rows=rows, least_weight=least_weight
        ).plot(ax)

    @classmethod
    def from_predictions(
        cls, x, answers, weights, y=None, responsibilities=None, *, feature_name="x", ax=None
    ):
        """Draw answers that are at hand.

        Parameters
        ----------
        x : array-like of shape (n_samples,)
            Values of the feature, in any order.
        answers, weights : array-like of shape (n_samples, n_experts)
            What ``predict_experts`` and ``predict_gate`` returned.
        y : array-like of shape (n_samples,), optional
            Observed at the same x.
        responsibilities : array-like of shape (n_samples, n_experts), optional
            None: the weights.
        feature_name : str, default="x"
            What the axis of the feature says.
        ax : matplotlib Axes, optional
            Where to draw. None: a new figure.

        Returns
        -------
        ExpertsDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ValueError
            If the shapes do not fit.
        """
        x, answers, weights = map(np.asarray, (x, answers, weights))
        if answers.ndim != 2 or answers.shape != weights.shape or x.shape != weights.shape[:1]:
            raise ValueError(
                f"x, answers and weights have the shapes {x.shape}, {answers.shape} and "
                f"{weights.shape}; they must be (n,), (n, K) and (n, K)."
            )
        order, rows = np.argsort(x, kind="stable"), None
        if y is not None:
            shares = weights if responsibilities is None else responsibilities
            rows = (x, np.asarray(y), np.asarray(shares))
        return cls(x[order], answers[order], weights[order], feature_name, rows=rows).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            None: a new figure.

        Returns
        -------
        ExpertsDisplay
            With the drawn artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        self.ax_ = ax = axes_for(ax, "ExpertsDisplay")
        from matplotlib.patheffects import Normal, Stroke

        # A white rim parts a line from points of its own color.
        rim = [Stroke(linewidth=4.6, foreground="white"), Normal()]
        self.figure_, self.points_ = ax.figure, None
        self.lines_, self.pale_lines_ = [], []
        if self.rows is not None:
            x, y, shares = self.rows
            self.points_ = ax.scatter(x, y, s=16, c=blended(shares), alpha=0.75, linewidths=0)
        for k, answer in enumerate(self.answers.T):
            bold = np.where(self.weights[:, k] >= self.least_weight, answer, np.nan)
            style = stroke(k)
            self.pale_lines_ += ax.plot(
                self.x, answer, color=style["color"], linewidth=0.8, alpha=0.45, scaley=False
            )
            self.lines_ += ax.plot(
                self.x, bold, linewidth=2.8, path_effects=rim, label=f"expert {k}", **style
            )
        self._frame()
        ax.set(xlabel=self.feature_name, ylabel=self.target_name)
        ax.legend(fontsize="small", framealpha=0.85)
        return self

    def _frame(self):
        """Show the rows and the bold lines; a pale line may lead far away."""
        seen = [line.get_ydata() for line in self.lines_]
        if self.rows is not None:
            seen.append(self.rows[1])
        seen = np.concatenate(seen)
        seen = seen[np.isfinite(seen)]
        if len(seen):
            room = 0.06 * (np.ptp(seen) or 1.0)
            self.ax_.set_ylim(seen.min() - room, seen.max() + room)


def _target(est, y, target):
    """Return the number of what is drawn, its values (n,) among y, and its name."""
    classes = getattr(est, "classes_", None)
    if classes is not None:
        target = classes[-1] if target is None else target
        if target not in classes:
            raise ValueError(f"target={target!r} is not known; the classes are {list(classes)}.")
        column = int(np.flatnonzero(classes == target)[0])
        return column, (np.ravel(y) == target).astype(float), f"probability of {target}"
    n_targets = 1 if y.ndim == 1 else y.shape[1]
    if target is None and n_targets > 1:
        raise ValueError(f"target=None is not enough; it must be one of {list(range(n_targets))}.")
    column = 0 if target is None else target
    if column not in range(n_targets):
        raise ValueError(f"target={target!r} must be one of {list(range(n_targets))}.")
    return column, y.reshape(len(y), -1)[:, column], f"y{column}" if n_targets > 1 else "y"
