"""
Soft or hard: what shared rows are worth
========================================

Two lines through the origin cross, and a gate that sees nothing knows how often each holds. The
likelihood shares every row between the experts; the classification likelihood gives it away as a
whole. Hard training finds crisp groups, but near the crossing it deals rows to whichever line is
closer: its lines are too steep, and its noise is too small. The script prints both and draws them
into ``hard_mixture.png``, or into the file that is given as the first argument.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from skmoe import MixtureOfExpertsRegressor
from skmoe.experts import LinearExperts
from skmoe.inspection import ExpertsDisplay

SLOPES, NOISE = np.array([-1.0, 1.0]), 0.7

# %%
# The same sentence with two criteria, on twenty samples
# ------------------------------------------------------


def drawn(seed):
    """Return 400 rows from the two lines."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2.0, 2.0, 400)
    line = SLOPES[rng.integers(2, size=len(x))] * x
    return x[:, None], line + NOISE * rng.standard_normal(len(x))


def learned(criterion, X, y):
    """Return a mixture of two lines."""
    est = MixtureOfExpertsRegressor(
        2,
        experts=LinearExperts(fit_intercept=False),
        gate="constant",
        criterion=criterion,
        n_init=2,
        random_state=0,
    )
    return est.fit(X, y)


criteria = {"soft": "likelihood", "hard": "classification"}
found = {
    name: [learned(criterion, *drawn(seed)) for seed in range(20)]
    for name, criterion in criteria.items()
}
slopes = {name: np.sort([est.coef_[:, 0] for est in fits]) for name, fits in found.items()}
noise = {name: np.sqrt([est.covariances_ for est in fits]) for name, fits in found.items()}
print(f"{'':<6}{'lower slope':>12}{'upper slope':>12}{'noise':>8}   medians over samples")
for name in criteria:
    low, high = np.median(slopes[name], axis=0)
    print(f"{name:<6}{low:>12.2f}{high:>12.2f}{np.median(noise[name]):>8.2f}")
print(f"{'truth':<6}{-1:>12.2f}{1:>12.2f}{NOISE:>8.2f}")

# %%
# The picture
# -----------
# A point mixes the colors of the experts that share it. Dotted: the true lines.

X, y = drawn(0)
figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
for ax, name in zip(axes[:2], criteria, strict=True):
    ExpertsDisplay.from_estimator(found[name][0], X, y, ax=ax)
    for slope in SLOPES:
        ax.plot([-2, 2], [-2 * slope, 2 * slope], color="black", linestyle="dotted", linewidth=1.5)
axes[0].set_title("soft: rows are shared")
axes[1].set_title("hard: rows are given away")
axes[2].boxplot(
    [values.ravel() for name in criteria for values in (slopes[name][:, 1], noise[name])],
    tick_labels=["slope,\nsoft", "noise,\nsoft", "slope,\nhard", "noise,\nhard"],
    medianprops={"color": "#D55E00", "linewidth": 2},
)
axes[2].axhline(1.0, color="black", linestyle="dotted", label="true slope of the rising line")
axes[2].axhline(NOISE, color="#0072B2", linestyle="dashed", label="true noise")
axes[2].set(title="over twenty samples", ylabel="estimate", ylim=(0.3, 1.75))
axes[2].legend(fontsize="small", loc="upper left")

path = sys.argv[1] if len(sys.argv) > 1 else "hard_mixture.png"
figure.savefig(path, dpi=150)
print(f"\npicture: {path}")
