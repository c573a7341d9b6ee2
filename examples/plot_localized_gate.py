"""
A place of one's own: the localized gate
========================================

In the middle of the plane another law holds than around it. A softmax gate can only cut the plane
by straight lines: it takes four experts, three of which repeat each other, to fence the disc in. A
localized gate gives every expert a place, a Gaussian of its own, and a narrow one within a wide one
is a disc. The script prints how well both predict rows they have not seen and draws whom they ask
into ``localized_gate.png``, or into the file that is given as the first argument.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle

from skmoe import MixtureOfExpertsRegressor
from skmoe.inspection import GateDisplay


def drawn(n_rows, seed):
    """Return rows of two laws: one within the unit circle, one without."""
    rng = np.random.default_rng(seed)
    X = 1.4 * rng.standard_normal((n_rows, 2))
    inside = np.hypot(*X.T) < 1.0
    y = np.where(inside, 4.0 + X[:, 0], -X[:, 0] + X[:, 1]) + 0.3 * rng.standard_normal(n_rows)
    return X, y


X, y = drawn(800, 0)
X_test, y_test = drawn(4000, 1)

# %%
# Two gates over the same experts
# -------------------------------

fits = {
    gate: MixtureOfExpertsRegressor(2, gate=gate, n_init=6, random_state=0).fit(X, y)
    for gate in ("softmax", "localized")
}
fits["softmax, 4 experts"] = MixtureOfExpertsRegressor(4, n_init=6, random_state=0).fit(X, y)
print(f"{'gate':<20}{'R2 of new rows':>16}{'log-density of a new row':>28}")
for name, est in fits.items():
    density = est.score_samples(X_test, y_test).mean()
    print(f"{name:<20}{est.score(X_test, y_test):>16.3f}{density:>28.3f}")

# %%
# The picture
# -----------
# A color is the expert that is asked most, and pales where others are heard, too. Circle: the
# border of the two laws.

figure, axes = plt.subplots(1, 3, figsize=(13, 4.4), sharey=True, layout="constrained")
for ax, (name, est) in zip(axes, fits.items(), strict=True):
    GateDisplay.from_estimator(est, X, ax=ax)
    ax.add_patch(Circle((0, 0), 1.0, fill=False, linestyle="dashed", linewidth=1.5))
    ax.scatter(*X[::2].T, s=3, color="black", alpha=0.35, linewidths=0)
    ax.set_title(name)

path = sys.argv[1] if len(sys.argv) > 1 else "localized_gate.png"
figure.savefig(path, dpi=150)
print(f"\npicture: {path}")
