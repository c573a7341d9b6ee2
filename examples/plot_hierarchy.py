"""
Two ways up: EM and gradient ascent on a hierarchy
==================================================

Four lines hold on four intervals, and a tree of three gates tells which one holds where. From one
rough start the same likelihood is climbed by expectation-maximization, plain and accelerated, and
by gradient ascent, plain and with L-BFGS's memory: the comparison of Jordan and Jacobs (1994). The
script prints how many passes over the rows each needs, and the tree, and draws both into
``hierarchy.png``, or into the file that is given as the first argument.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from skmoe import HierarchicalMixtureOfExpertsRegressor
from skmoe.batches import Block, InMemory
from skmoe.criteria import LogLikelihood
from skmoe.experts import LinearExperts
from skmoe.fitters import EM, GradientAscent
from skmoe.gates import TreeGate
from skmoe.inspection import export_text
from skmoe.mixture import Mixture
from skmoe.starts import settle

# Okabe and Ito's colors, which most color-blind readers can tell apart.
COLORS = ["#E69F00", "#0072B2", "#009E73", "#CC79A7"]

rng = np.random.default_rng(0)
x = rng.uniform(-2, 2, 2000)
interval = np.clip(np.floor(x + 2 + 0.15 * rng.standard_normal(len(x))), 0, 3).astype(int)
slope, level = np.array([2.0, -1.5, 3.0, -2.5]), np.array([4.0, -1.0, -2.0, 3.0])
y = level[interval] + slope[interval] * x + 0.3 * rng.standard_normal(len(x))

# %%
# From the same start
# -------------------
# The parts that estimators are made of can be used alone. They see standardized rows, in blocks.

rows = np.asfortranarray((x[:, None] - x.mean()) / x.std())
batches = InMemory(Block(rows, rows, ((y - y.mean()) / y.std())[:, None], np.ones(len(y))))
mixture = Mixture(LinearExperts(), TreeGate([2, 2]), LogLikelihood())
guess = np.digitize(x, [-1.5, 0.4, 1.2])  # The truth changes at -1, 0 and 1.
start = settle(mixture, batches, 0.4 * np.eye(4)[guess] + 0.15)
fitters = {
    "EM": EM(acceleration=None),
    "EM, accelerated": EM(),
    "gradient ascent, L-BFGS": GradientAscent(),
    "gradient ascent": GradientAscent("sgd", 0.03, "constant", batch_size=len(y)),
}
bounds = {
    name: np.array(fitter.fit(mixture, start, batches, max_iter=1000, tol=1e-9).bounds)
    for name, fitter in fitters.items()
}
top = max(each[-1] for each in bounds.values())
print(f"{'passes to within ... nats a row of the top':<44}{0.1:>8}{0.01:>8}{0.001:>8}")
for name, each in bounds.items():
    short = (top - each) / len(y)
    passes = [str(np.argmax(short < gap)) if short[-1] < gap else "-" for gap in (0.1, 0.01, 0.001)]
    print(f"{name:<44}" + "".join(f"{number:>8}" for number in passes))

# %%
# The tree
# --------
# The estimator looks for a start by itself.

est = HierarchicalMixtureOfExpertsRegressor(depth=2, random_state=0).fit(x[:, None], y)
print("\n" + export_text(est, feature_names=["x"]))

# %%
# The picture
# -----------

grid = np.linspace(-2.2, 2.2, 500)[:, None]
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
left.scatter(x, y, s=3, color="0.7")
gate, lines = est.predict_gate(grid), est.predict_experts(grid)
for k, color in enumerate(COLORS):
    seen = np.where(gate[:, k] > 0.02, lines[:, k], np.nan)
    left.plot(grid, seen, color=color, linewidth=3, label=f"expert {k}")
left.plot(grid, est.predict(grid), color="black", linestyle="--", label="mean")
left.set(xlabel="x", ylabel="y", title="Four lines under a tree of gates")
left.legend(fontsize="small")
for (name, each), color in zip(bounds.items(), COLORS, strict=True):
    right.semilogy(np.maximum((top - each) / len(y), 1e-7), color=color, linewidth=2, label=name)
right.set(xscale="symlog", xlabel="passes over the rows", ylabel="nats a row below the top")
right.set_title("The same likelihood from the same start")
right.legend(fontsize="small")

path = sys.argv[1] if len(sys.argv) > 1 else "hierarchy.png"
figure.savefig(path, dpi=150)
print(f"picture: {path}")
