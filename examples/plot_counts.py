"""
Counts with exposure: who claims how often
==========================================

Insured drivers report claims, and were insured for a few weeks or for years. There are two kinds of
drivers: the claims of one fall with age, those of the other rise with the distance they drive each
year. Nobody wrote down the kind, but where people live says something about it. Poisson experts
answer with rates, the exposure enters as an offset, and the gate sees the concomitant column alone.
The script prints the rates' coefficients and draws ``counts.png``, or the file that is given as the
first argument.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skmoe import MixtureOfExpertsRegressor
from skmoe.inspection import CoefficientTable, ExpertsDisplay, GateDisplay, PredictiveDisplay

rng = np.random.default_rng(0)
n_rows = 1500
X = pd.DataFrame(
    {
        "age": rng.uniform(18, 80, n_rows),
        "distance": rng.uniform(2, 30, n_rows),
        "density": rng.uniform(0, 10, n_rows),
    }
)
years = rng.uniform(0.2, 4.0, n_rows)
urban = rng.random(n_rows) < 1 / (1 + np.exp(-1.5 * (X.density - 5)))
log_rate = np.where(urban, 1.8 - 0.04 * X.age, -1.5 + 0.11 * X.distance)
claims = rng.poisson(years * np.exp(log_rate)).astype(float)

# %%
# Rates, exposure and the kind of driver
# --------------------------------------
# The true coefficients: 1.8 - 0.04 age for one kind, -1.5 + 0.11 distance for the other. The kind
# turns at a density of 5.

est = MixtureOfExpertsRegressor(
    2,
    experts="poisson",
    expert_features=["age", "distance"],
    gate_features=["density"],
    n_init=4,
    random_state=0,
).fit(X, claims, offset=np.log(years))
print(CoefficientTable.from_estimator(est, X, claims, offset=np.log(years)))

# %%
# The picture
# -----------
# Rates are claims of one year; the other features stay at their medians.

figure, axes = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
GateDisplay.from_estimator(est, X, features="density", subsample=20, ax=axes[0])
axes[0].set(title="Whom to ask", xlabel="people per hectare / 10")
ages = X.assign(age=np.linspace(18, 80, n_rows), distance=16.0)
ExpertsDisplay.from_predictions(
    ages.age, est.predict_experts(ages), np.full((n_rows, 2), 0.5), feature_name="age", ax=axes[1]
)
axes[1].set(title="Two rates at 16,000 km a year", ylabel="claims a year")
city = pd.DataFrame({"age": [45.0], "distance": [16.0], "density": [9.0]})
PredictiveDisplay.from_estimator(est, X, feature="age", at=city, ax=axes[2])
axes[2].set(title="Claims of a year in the city", ylabel="claims")

path = sys.argv[1] if len(sys.argv) > 1 else "counts.png"
figure.savefig(path, dpi=150)
print(f"\npicture: {path}")
