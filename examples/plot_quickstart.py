"""
Quick start: the phases of an impact
====================================

A motorcycle hits an obstacle: the rider's head rests, is thrown back, swings forward and comes to
rest again. Four lines, each with noise of its own, and a gate that tells when each one holds,
describe the measurements. The script prints what was learned and draws it into ``quickstart.png``,
or into the file that is given as the first argument.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb

from skmoe import MixtureOfExpertsRegressor
from skmoe.datasets import load_motorcycle
from skmoe.inspection import CoefficientTable

# Okabe and Ito's colors, which most color-blind readers can tell apart.
COLORS = ["#E69F00", "#0072B2", "#009E73", "#CC79A7"]

X, y = load_motorcycle(return_X_y=True)
est = MixtureOfExpertsRegressor(n_experts=len(COLORS), random_state=0).fit(X, y)

# %%
# What was learned
# ----------------
# The experts' lines are in the units of the data. An expert's share of the rows is its mean weight.

share = est.predict_gate(X).mean(axis=0)
sigma = np.sqrt(est.covariances_)

for name, value in [
    ("experts", f"{len(share)}"),
    ("rows", f"{len(y)}"),
    ("log-likelihood", f"{est.log_likelihood(X, y):.2f}"),
    ("BIC", f"{est.bic(X, y):.2f}"),
    ("passes", f"{est.n_search_passes_} to find a start, {est.n_passes_} from there"),
    ("stopped because", f"{est.stop_reason_}"),
]:
    print(f"{name:<16}{value}")
print(f"\n{'expert':>6}{'share':>9}{'intercept':>12}{'slope':>12}{'sigma':>9}")
print(f"{'':>6}{'of rows':>9}{'g':>12}{'g / ms':>12}{'g':>9}")
for k in range(len(share)):
    line = f"{est.intercept_[k]:>12.2f}{est.coef_[k, 0]:>12.3f}"
    print(f"{k + 1:>6}{share[k]:>9.1%}{line}{sigma[k]:>9.2f}")

# %%
# How sure it is
# --------------
# Standard errors come from the observed information. What the rows say nothing of has none, and
# the note says why. The table numbers experts from 0, as `apply` does.

print(f"\n{CoefficientTable.from_estimator(est, X, y)}")

# %%
# The picture
# -----------
# Lines fade where the gate does not ask for them.

times = np.linspace(X.min() - 1, X.max() + 1, 400)
grid = times[:, None]
gate = est.predict_gate(grid)
low, high = est.predict_distribution(grid).interval(0.9)
lines = est.intercept_ + grid @ est.coef_.T

figure, (top, bottom) = plt.subplots(
    2, 1, sharex=True, figsize=(8, 6.5), height_ratios=[3, 1], layout="constrained"
)
top.fill_between(times, low, high, color="0.88", label="90% band")
top.scatter(X[:, 0], y, s=14, color="0.35", label="data", zorder=3)
for k, color in enumerate(COLORS):
    points = np.column_stack([times, lines[:, k]])
    opacity = (gate[1:, k] + gate[:-1, k]) / 2
    colors = [(*to_rgb(color), float(a)) for a in np.clip(opacity, 0, 1)]
    segments = np.stack([points[:-1], points[1:]], axis=1)
    top.add_collection(LineCollection(segments, colors=colors, linewidths=3), autolim=False)
    top.plot([], [], color=color, linewidth=3, label=f"expert {k + 1}")
    bottom.plot(times, gate[:, k], color=color, linewidth=2)
top.plot(times, est.predict(grid), color="black", linestyle="--", label="predictive mean")
top.set_ylim(min(low.min(), y.min()) - 10, max(high.max(), y.max()) + 10)
top.set_ylabel("head acceleration (g)")
top.set_title("Motorcycle impact: four experts and a gate")
top.legend(ncols=2, fontsize="small", loc="lower right")
bottom.set_xlabel("time after the impact (ms)")
bottom.set_ylabel("gate weight")
bottom.set_ylim(-0.03, 1.03)

path = sys.argv[1] if len(sys.argv) > 1 else "quickstart.png"
figure.savefig(path, dpi=150)
print(f"\npicture: {path}")
