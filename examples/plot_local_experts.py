"""
Positive feedback: how experts become local
===========================================

Three constant experts start somewhere within the data, and a gate asks all of them nearly alike. By
gradient ascent on the likelihood of their mixture, the expert that does a little better on a row
than the others is held responsible for more of it, becomes better on it, and is held responsible
for still more: experts turn local, and the gate learns whom to ask. The script prints and draws
their way, into ``local_experts.png`` or into the file that is given as the first argument.
"""

import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmoe import AdaptiveLocalExpertsRegressor

COLORS = ["#E69F00", "#0072B2", "#009E73"]
STEPS = np.unique(np.geomspace(1, 300, 30).astype(int))

rng = np.random.RandomState(0)
x = np.sort(rng.uniform(-1, 1, 300))
y = np.select([x < -0.4, x < 0.3], [-5.0, 0.0], 6.0) + rng.standard_normal(len(x))
X = x[:, None]

# %%
# More and more steps
# -------------------
# The same random start each time. A fit that is told to stop early says so, and is meant to here.


def walk(n_steps):
    """Return the mixture after some steps along the gradient."""
    est = AdaptiveLocalExpertsRegressor(
        3, solver="gradient", learning_rate=0.05, n_init=1, max_iter=int(n_steps), random_state=3
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return est.fit(X, y)


fits = [walk(n) for n in STEPS]

# %%
# Responsibilities run ahead, weights follow
# ------------------------------------------
# The mean weight of a row's first expert is 1/3 where all are heard alike, and 1 where every row
# has an expert of its own. The responsibility h also knows y: it is the first to part the experts,
# and the slope of the gate's scores is h - w.

weight = np.array([est.predict_gate(X).max(axis=1).mean() for est in fits])
responsibility = np.array([est.responsibilities(X, y).max(axis=1).mean() for est in fits])
paths = np.array([est.intercept_ for est in fits])
paths = paths[:, np.argsort(paths[-1])]

print(f"{'steps':>6}{'weight w':>10}{'share h':>10}{'error':>8}   answers")
for i in range(0, len(STEPS), 3):
    answers = " ".join(f"{f:6.2f}" for f in paths[i])
    error = fits[i].error_curve_[-1]
    print(f"{STEPS[i]:>6}{weight[i]:>10.3f}{responsibility[i]:>10.3f}{error:>8.3f}   {answers}")

# %%
# The picture
# -----------
# Answers part as soon as responsibilities do; whom to ask where takes the gate longer.

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
left.scatter(np.full(len(y), STEPS[-1] * 1.6), y, s=4, color="0.6", label="data")
for k, color in enumerate(COLORS):
    left.plot(STEPS, paths[:, k], color=color, linewidth=2, label=f"expert {k + 1}")
left.set(xscale="log", xlabel="steps", ylabel="answer", title="Experts find their level")
left.legend(fontsize="small", loc="lower left")
middle.plot(STEPS, responsibility, color="black", linewidth=2, label="responsibility h")
middle.plot(STEPS, weight, color="black", linestyle="--", linewidth=2, label="gate weight w")
middle.axhline(1 / 3, color="0.7", linewidth=1)
middle.set(xscale="log", xlabel="steps", ylabel="mean of the first expert", ylim=(0.3, 1.03))
middle.set_title("h runs ahead, w follows")
middle.legend(loc="lower right")
order = np.argsort(fits[-1].intercept_)
for style, est in (("dotted", fits[len(fits) // 2]), ("solid", fits[-1])):
    for k, color in zip(order, COLORS, strict=True):
        right.plot(x, est.predict_gate(X)[:, k], color=color, linestyle=style, linewidth=2)
right.set(xlabel="x", ylabel="gate weight", ylim=(-0.03, 1.03))
right.set_title(f"Whom to ask, after {STEPS[len(fits) // 2]} and {STEPS[-1]} steps")

path = sys.argv[1] if len(sys.argv) > 1 else "local_experts.png"
figure.savefig(path, dpi=150)
print(f"\npicture: {path}")
