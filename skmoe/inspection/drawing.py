"""What all displays share: axes, and colors and strokes that do not rest on hue alone."""

import numpy as np

__all__ = ["COLORS", "axes_for", "blended", "stroke"]

# Okabe and Ito's colors, which most color-blind readers can tell apart; yellow is too pale a line.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#333333")
DASHES = ("solid", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1.2, 1.2)))


def stroke(k):
    """Return color and line style of the expert k, a dict; 28 experts have one of their own."""
    return {"color": COLORS[k % len(COLORS)], "linestyle": DASHES[k % len(DASHES)]}


def blended(shares):
    """Return the experts' colors mixed by their shares (n, K) of rows, RGB of shape (n, 3)."""
    from matplotlib.colors import to_rgb

    colors = np.array([to_rgb(stroke(k)["color"]) for k in range(shares.shape[1])])
    return np.clip(shares @ colors, 0.0, 1.0)


def axes_for(ax, who, **options):
    """Return the axes to draw on, those of a new figure if there are none.

    Parameters
    ----------
    ax : matplotlib Axes or None
    who : str
        Name of the display, for the message where matplotlib is not installed.
    **options
        Of `matplotlib.pyplot.subplots`.

    Returns
    -------
    matplotlib Axes
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f'{who}.plot draws with matplotlib, which is not installed: pip install "skmoe[plot]".'
        ) from error
    if ax is None:
        _, ax = plt.subplots(layout="constrained", **options)
    return ax
