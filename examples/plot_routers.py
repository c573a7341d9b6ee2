"""
Fifteen routers on one map
==========================

Since 2013 many ways have been found to ask a few small networks instead of a large one. Here
fifteen of them learn the same six regimes in the plane, and are looked at in the same way: each
point has the color of the expert with the most weight there, paler where others weigh, too. Hashes
cut the plane before training begins; soft slots and dense gates ask everyone; the others find
borders of their own. The script prints fit and load, and draws ``routers.png``, or the file that is
given as the first argument.
"""

import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np

from skmoe import SparseMixtureOfExpertsRegressor
from skmoe.inspection import GateDisplay

warnings.simplefilter("ignore", UserWarning)  # of idle experts, whose loads are printed

N_REGIMES = 6
ROUTERS = {
    "eigen": "a gate per layer (2013)",
    "reinforce": "REINFORCE (2015)",
    "noisy_top_k": "noisy top 2 (2017)",
    "hierarchical": "groups, then experts (2017)",
    "gshard": "GShard: top 2 (2020)",
    "switch": "Switch: top 1 (2021)",
    "vision": "batch prioritized (2021)",
    "hash": "hash of the row (2021)",
    "base": "BASE: assignment (2021)",
    "expert_choice": "experts choose rows (2022)",
    "soft": "soft slots (2023)",
    "conditional": "conditional, shared expert (2022)",
    "cosine": "cosines (2022)",
    "mixtral": "Mixtral: top 2 (2024)",
    "deepseek": "biases, no loss (2024)",
}

rng = np.random.default_rng(0)
centers = 3.0 * np.exp(2j * np.pi * np.arange(N_REGIMES) / N_REGIMES)
slopes = rng.normal(size=(N_REGIMES, 2)) * 2.0


def drawn(n_rows):
    """Return rows around six places, with a law of its own in each."""
    regime = rng.integers(N_REGIMES, size=n_rows)
    center = np.column_stack([centers[regime].real, centers[regime].imag])
    X = center + 0.6 * rng.standard_normal((n_rows, 2))
    y = np.sum((X - center) * slopes[regime], axis=1) + 0.1 * rng.standard_normal(n_rows)
    return X, y


X, y = drawn(1000)
X_test, y_test = drawn(1000)

# %%
# A sentence each
# ---------------
# All else is equal: six experts of 16 hidden units, one block, 30 epochs.

fits = {}
print(f"{'router':<16}{'R2':>6}{'experts a row':>15}{'least load':>12}{'largest load':>14}")
for router in ROUTERS:
    est = SparseMixtureOfExpertsRegressor(
        N_REGIMES, router=router, hidden=16, max_iter=30, tol=0.0, learning_rate="cosine",
        learning_rate_init=0.01, random_state=0,
    ).fit(X, y)  # fmt: skip
    fits[router] = est
    seen = est.route(X_test)[0] > 0
    load = seen.mean(axis=0)
    print(
        f"{router:<16}{est.score(X_test, y_test):>6.2f}{seen.sum(axis=1).mean():>15.1f}"
        f"{load.min():>12.1%}{load.max():>14.1%}"
    )

# %%
# The picture
# -----------

figure, axes = plt.subplots(3, 5, figsize=(16, 10), layout="constrained")
for ax, (router, title) in zip(axes.ravel(), ROUTERS.items(), strict=True):
    GateDisplay.from_estimator(fits[router], X, grid_resolution=120, ax=ax)
    ax.plot(*X[::5].T, "k.", markersize=1.5, alpha=0.5)
    ax.set(title=f"{title}\nR2 {fits[router].score(X_test, y_test):.2f}", xlabel="", ylabel="")

path = sys.argv[1] if len(sys.argv) > 1 else "routers.png"
figure.savefig(path, dpi=120)
print(f"\npicture: {path}")
