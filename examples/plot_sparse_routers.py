"""
Sparse routers: who sees what, and how the load stays even
==========================================================

Six regimes, six experts, and each row is seen by two of them at most. Left to itself, a router that
picks the best two may favor a few experts, which learn faster and are picked still more often.
Auxiliary losses, or biases that are moved against the load, keep the work shared. The script prints
how evenly four routers share it, and how well they predict, and draws ``sparse_routers.png``, or
the file that is given as the first argument.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from skmoe import SparseMixtureOfExpertsRegressor
from skmoe.inspection import LoadDisplay, TrainingDisplay

N_REGIMES = 6
ROUTERS = {"top_k": 2, "noisy_top_k": 2, "switch": None, "deepseek": 2}

rng = np.random.default_rng(0)
centers = 3.0 * np.exp(2j * np.pi * np.arange(N_REGIMES) / N_REGIMES)
slopes = rng.normal(size=(N_REGIMES, 2)) * 2.0


def drawn(n_rows):
    """Return rows around six places, with a law of its own in each, and whose they are."""
    regime = rng.integers(N_REGIMES, size=n_rows)
    center = np.column_stack([centers[regime].real, centers[regime].imag])
    X = center + 0.6 * rng.standard_normal((n_rows, 2))
    y = np.sum((X - center) * slopes[regime], axis=1) + 0.1 * rng.standard_normal(n_rows)
    return X, y, regime


X, y, _ = drawn(1200)
X_test, y_test, regime = drawn(1200)

# %%
# Four routers
# ------------

fits = {}
print(f"{'router':<14}{'R2':>8}{'least load':>12}{'largest load':>14}")
for router, top_k in ROUTERS.items():
    est = SparseMixtureOfExpertsRegressor(
        N_REGIMES, top_k, router=router, hidden=16, max_iter=40, learning_rate="cosine",
        learning_rate_init=0.01, random_state=0,
    )  # fmt: skip
    fits[router] = est.fit(X, y)
    load = est.expert_load_[0] / est.expert_load_[0].sum()
    print(f"{router:<14}{est.score(X_test, y_test):>8.3f}{load.min():>12.1%}{load.max():>14.1%}")

# %%
# The picture
# -----------
# Loads of an expert over epochs, and the mean weight of the experts in each regime.

figure, axes = plt.subplots(2, 3, figsize=(14, 8), layout="constrained")
TrainingDisplay.from_estimators(fits, scale="linear", ax=axes[0, 0])
axes[0, 0].set(yscale="log", title="Learning")
for ax, router in zip(axes[0, 1:], ("top_k", "noisy_top_k"), strict=True):
    LoadDisplay.from_estimator(fits[router], ax=ax)
    ax.set(title=f"{router}: load while learning", ylim=(0, 0.55))
for ax, router in zip(axes[1], ("top_k", "noisy_top_k", "switch"), strict=True):
    weight = fits[router].route(X_test)[0]
    share = np.array([(weight[regime == r] > 0).mean(axis=0) for r in range(N_REGIMES)])
    image = ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    ax.set(title=f"{router}: who sees which regime", xlabel="expert", ylabel="regime")
figure.colorbar(image, ax=axes[1], label="share of the regime's rows")

path = sys.argv[1] if len(sys.argv) > 1 else "sparse_routers.png"
figure.savefig(path, dpi=150)
print(f"\npicture: {path}")
