"""
Several answers to one question
===============================

Where did it come from? y = x + 0.3 sin(2 pi x) with some noise is easy to predict from x, but asked
backward it has up to three answers. A least-squares network answers with their mean, where nothing
is. A mixture of experts keeps them apart: its predictive density has several ridges. The script
prints how both do on new rows and draws them into ``inverse_problem.png``, or into the file that is
given as the first argument. The problem is that of Bishop's mixture density networks (1994).
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from sklearn.neural_network import MLPRegressor

from skmoe import MixtureOfExpertsRegressor
from skmoe.inspection import ExpertsDisplay, PredictiveDisplay


def drawn(n_rows, seed):
    """Return what was measured, and what caused it."""
    rng = np.random.default_rng(seed)
    cause = rng.uniform(0.0, 1.0, n_rows)
    seen = cause + 0.3 * np.sin(2 * np.pi * cause) + rng.uniform(-0.1, 0.1, n_rows)
    return seen[:, None], cause


X, y = drawn(800, 0)
X_test, y_test = drawn(4000, 1)

# %%
# The mean, and the mixture
# -------------------------

network = MLPRegressor(
    hidden_layer_sizes=(32, 32), solver="lbfgs", max_iter=500, random_state=0
).fit(X, y)
est = MixtureOfExpertsRegressor(5, n_init=6, random_state=0).fit(X, y)

answer = est.predict_distribution(X_test)
error = network.predict(X_test) - y_test
noise = np.std(network.predict(X) - y)
density = -0.5 * np.log(2 * np.pi * noise**2) - 0.5 * (error / noise) ** 2
print("log-density of a new row (nats)")
print(f"  network and Gaussian noise {density.mean():>8.3f}")
print(f"  mixture of five lines      {answer.logpdf(y_test).mean():>8.3f}")
print("rows within 0.1 of the answer")
print(f"  the network's mean         {np.mean(np.abs(error) < 0.1):>8.0%}")
print(f"  the mixture's mode         {np.mean(np.abs(answer.mode() - y_test) < 0.1):>8.0%}")

# %%
# The picture
# -----------

grid = np.linspace(X.min(), X.max(), 200)[:, None]
figure, axes = plt.subplots(1, 3, figsize=(14, 4.2), sharey=True, layout="constrained")
axes[0].scatter(X, y, s=6, color="0.55", label="data")
axes[0].plot(grid, network.predict(grid), color="#D55E00", linewidth=2.5, label="network")
axes[0].set(xlabel="measured", ylabel="cause", title="Least squares: the mean of the answers")
axes[0].legend(fontsize="small")
ExpertsDisplay.from_estimator(est, X, y, ax=axes[1])
axes[1].set(xlabel="measured", ylabel="", title="Five experts share the rows")
PredictiveDisplay.from_estimator(est, X, ax=axes[2])
axes[2].set(xlabel="measured", ylabel="", title="The predictive density keeps them apart")
axes[0].set_ylim(-0.15, 1.15)

path = sys.argv[1] if len(sys.argv) > 1 else "inverse_problem.png"
figure.savefig(path, dpi=150)
print(f"\npicture: {path}")
