"""
A tree of gates, read from the root down
========================================

How much nitrogen oxide leaves an engine depends on the richness E of its fuel, little where it is
lean or rich and much in between, and a bit on the compression C. A tree of gates asks about E one
question after the other, and its leaves are planes. The script prints the tree and draws it, with
the share of the measurements on every branch, into ``tree.png``, or into the file that is given as
the first argument.
"""

import sys

import matplotlib.pyplot as plt

from skmoe import HierarchicalMixtureOfExpertsRegressor
from skmoe.datasets import load_ethanol
from skmoe.inspection import ExpertsDisplay, GateDisplay, TreeDisplay, export_text

data = load_ethanol()
X, y = data.data, data.target

# %%
# A ragged tree
# -------------
# The gates see E alone. One of the root's branches ends in a plane, the other one in another gate.

est = HierarchicalMixtureOfExpertsRegressor(
    branching=[[1, 1], 1], gate_features=[0], n_init=6, random_state=0
).fit(X, y)
print(export_text(est, feature_names=data.feature_names))
print(f"R2 {est.score(X, y):.3f}, BIC {est.bic(X, y):.1f}")

# %%
# The picture
# -----------
# A branch is as wide as its share of the measurements.

figure, axes = plt.subplot_mosaic(
    "TT;EG", figsize=(11, 8), layout="constrained", height_ratios=[1.1, 1]
)
TreeDisplay.from_estimator(est, feature_names=data.feature_names, ax=axes["T"])
axes["T"].set_title("Gates, and planes at the leaves")
ExpertsDisplay.from_estimator(est, X, y, feature=0, ax=axes["E"])
axes["E"].set(xlabel="richness E", ylabel="nitrogen oxide", title="Planes, averaged over C")
GateDisplay.from_estimator(est, X, features=0, ax=axes["G"])
axes["G"].set(xlabel="richness E", title="Weights of the leaves")

path = sys.argv[1] if len(sys.argv) > 1 else "tree.png"
figure.savefig(path, dpi=150)
print(f"\npicture: {path}")
