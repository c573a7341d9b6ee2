"""
How many experts
================

The impact of a motorcycle again: are three lines enough, or does it take five? The likelihood of
the rows that were fitted rises with every expert. BIC and ICL charge for parameters, ICL also for
experts that overlap, and cross-validation asks rows that were not seen. The script prints all of
them and draws ``n_experts.png``, or the file that is given as the first argument.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from skmoe import MixtureOfExpertsRegressor
from skmoe.datasets import load_motorcycle
from skmoe.inspection import ExpertsDisplay, PredictiveDisplay
from skmoe.model_selection import select_n_experts

X, y = load_motorcycle(return_X_y=True)
est = MixtureOfExpertsRegressor(n_init=2, random_state=0)
found = select_n_experts(est, X, y, range(1, 7), criterion="cv")
print(found)

# %%
# The picture
# -----------
# Criteria are drawn for a row, as half of what they are, so that all of them are log-densities:
# the highest is best.

curves = {
    "log-likelihood": found.log_likelihood / len(y),
    "AIC": -0.5 * found.aic / len(y),
    "BIC": -0.5 * found.bic / len(y),
    "ICL": -0.5 * found.icl / len(y),
}
strokes = [("0.5", "dotted"), ("#0072B2", "solid"), ("#E69F00", "dashed"), ("#009E73", "dashdot")]
figure, axes = plt.subplots(1, 3, figsize=(14, 4.4), layout="constrained")
for (name, curve), (color, style) in zip(curves.items(), strokes, strict=True):
    axes[0].plot(found.n_experts, curve, color=color, linestyle=style, marker="o", label=name)
    if name != "log-likelihood":
        best = int(np.argmax(curve))
        axes[0].scatter(
            found.n_experts[best], curve[best], s=160, facecolor="none", edgecolor=color
        )
axes[0].errorbar(
    found.n_experts, found.cv, found.cv_error, color="#CC79A7", marker="s", capsize=3,
    label="held-out rows",
)  # fmt: skip
axes[0].set(xlabel="experts", ylabel="nats a row", title="Criteria (rings: the best)")
axes[0].legend(fontsize="small")
by_bic = found.estimators_[int(np.argmin(found.bic))]
ExpertsDisplay.from_estimator(by_bic, X, y, ax=axes[1])
axes[1].set(xlabel="time (ms)", ylabel="g", title=f"BIC: {by_bic.n_experts} experts")
PredictiveDisplay.from_estimator(found.best_estimator_, X, y, ax=axes[2], kind="interval")
axes[2].set(xlabel="time (ms)", ylabel="g")
axes[2].set_title(f"cross-validation: {found.best_n_experts_} experts")

path = sys.argv[1] if len(sys.argv) > 1 else "n_experts.png"
figure.savefig(path, dpi=150)
print(f"\npicture: {path}")
