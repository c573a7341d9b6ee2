"""
Superfluous experts switch themselves off
=========================================

Ten Bayesian experts are offered to data from three regimes. The bound on the evidence rises with
every pass, experts that are not needed return to their priors, and what is left answers with
densities that are wider where there are fewer rows.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from skmoe import BayesianMixtureOfExpertsRegressor

rng = np.random.default_rng(0)
X = np.sort(rng.uniform(-3, 3, 300))[:, None]
X = X[(X[:, 0] < 0.8) | (X[:, 0] > 1.6)]  # nothing is known in between
x = X[:, 0]
line = np.where(x < -1, 2 + x, np.where(x < 1.2, -x, 4 - 3 * x))
y = line + 0.25 * rng.standard_normal(len(x))

# %%
# Linear experts are asked for here; by default the estimator chooses a basis for them.
model = BayesianMixtureOfExpertsRegressor(10, expert_features=None, random_state=0).fit(X, y)
print(f"experts in use: {model.n_active_experts_} of {model.n_experts}")

# %%
# The band holds nine answers of ten.
grid = np.linspace(-3.5, 3.5, 400)[:, None]
answer = model.predict_distribution(grid)
low, high = answer.interval(0.9)
weights = model.predict_gate(grid)
used = np.flatnonzero(weights.max(axis=0) > 0.05)

figure, (above, below) = plt.subplots(
    2, 1, figsize=(7, 5.5), sharex=True, height_ratios=[3, 1], layout="constrained"
)
above.scatter(x, y, s=8, color="0.55", label="rows")
above.fill_between(grid[:, 0], low, high, color="#56B4E9", alpha=0.35, label="90% interval")
above.plot(grid[:, 0], answer.mean(), color="#0072B2", label="mean")
above.set_ylabel("y")
above.legend(frameon=False)
for expert, style in zip(used, ("-", "--", "-.", ":", "-"), strict=False):
    below.plot(grid[:, 0], weights[:, expert], style, label=f"expert {expert}")
below.set(xlabel="x", ylabel="weight", ylim=(-0.05, 1.05))
handles = below.get_legend_handles_labels()
figure.legend(*handles, loc="outside lower center", ncols=len(used), frameon=False)

path = sys.argv[1] if len(sys.argv) > 1 else "superfluous_experts.png"
figure.savefig(path, dpi=150)
print(f"picture: {path}")
