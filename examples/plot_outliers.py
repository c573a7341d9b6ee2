"""
Gross errors: experts that do not mind
======================================

Two lines, and one answer in eight is an error that has nothing to do with x. Gaussian experts chase
the errors or widen their noise. Student-t experts weigh a far answer less the farther it is. A
noise expert beside the lines takes the errors upon itself, and its responsibility names them. The
script prints how far the lines are off and draws all three into ``outliers.png``, or into the file
that is given as the first argument.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from skmoe import MixtureOfExpertsRegressor
from skmoe.experts import ConcatenatedExperts, LinearExperts, NoiseExperts
from skmoe.inspection import ExpertsDisplay

rng = np.random.default_rng(4)
x = np.sort(rng.uniform(-3.0, 3.0, 320))
truth = np.where(x < 0, 2.0 + 1.5 * x, 4.0 - 2.0 * x)
y = truth + 0.4 * rng.standard_normal(len(x))
wrong = rng.random(len(x)) < 0.125
y[wrong] = rng.uniform(-12.0, 16.0, wrong.sum())
X = x[:, None]

# %%
# Three banks of experts
# ----------------------

banks = {
    "Gaussian": (2, LinearExperts()),
    "Student-t": (2, "student_t"),
    "Gaussian and a noise expert": (
        3,
        ConcatenatedExperts([(LinearExperts(), 2), NoiseExperts(width=2.0)]),
    ),
}
fits = {
    name: MixtureOfExpertsRegressor(n_experts, experts=bank, n_init=6, random_state=0).fit(X, y)
    for name, (n_experts, bank) in banks.items()
}


def line_of(est):
    """Return the answer of the better asked of the two lines, (n,)."""
    lines = est.predict_experts(X)[:, :2]
    return np.take_along_axis(lines, est.predict_gate(X)[:, :2].argmax(axis=1)[:, None], 1)[:, 0]


print(f"{'':<30}{'mean distance to the true line':>32}")
for name, est in fits.items():
    print(f"{name:<30}{np.abs(line_of(est) - truth).mean():>32.3f}")
blamed = fits["Gaussian and a noise expert"].responsibilities(X, y)[:, 2] > 0.5
print(f"\nerrors: {wrong.sum()}; the noise expert takes {blamed.sum()} rows, ", end="")
print(f"{(blamed & wrong).sum()} of them errors")

# %%
# The picture
# -----------

figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), sharey=True, layout="constrained")
for ax, (name, est) in zip(axes, fits.items(), strict=True):
    ExpertsDisplay.from_estimator(est, X, y, least_weight=0.2, ax=ax)
    ax.plot(x, truth, color="black", linestyle="dotted", linewidth=1.5, label="truth")
    ax.set(title=name, ylim=(-13, 17))
    ax.legend(fontsize="small", loc="upper right")
axes[2].scatter(
    x[blamed], y[blamed], s=60, facecolor="none", edgecolor="black", linewidth=0.8, label="blamed"
)
axes[2].legend(fontsize="small", loc="upper right")

path = sys.argv[1] if len(sys.argv) > 1 else "outliers.png"
figure.savefig(path, dpi=150)
print(f"\npicture: {path}")
