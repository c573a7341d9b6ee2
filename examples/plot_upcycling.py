"""
A trained network becomes a mixture
===================================

A multilayer perceptron of scikit-learn has learned what it can. Eight copies of its hidden layer
and a fresh router answer just as it did, and learn on (sparse upcycling). Below, blocks as in a
transformer, dense and mixture layers in turn, are given less and less room: rows that find no place
with an expert pass through the residual connection. The script prints errors and draws
``upcycling.png``, or the file that is given as the first argument.
"""

import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.neural_network import MLPRegressor

from skmoe import SparseMixtureOfExpertsRegressor
from skmoe.inspection import LoadDisplay

warnings.simplefilter("ignore")  # fits here stop after so many epochs

X, y = make_friedman1(2500, noise=0.5, random_state=0)
X, X_test, y, y_test = X[:1500], X[1500:], y[:1500], y[1500:]


def error(est):
    """Return the root of the mean squared error on rows that were not learned from."""
    return np.sqrt(np.mean((est.predict(X_test) - y_test) ** 2))


# %%
# Upcycling
# ---------
# The first answers of the mixture are those of the network, to rounding.

EPOCHS = 40
options = {"learning_rate_init": 0.01, "random_state": 0}
dense = MLPRegressor(hidden_layer_sizes=(24,), max_iter=EPOCHS, **options).fit(X, y)
mixture = SparseMixtureOfExpertsRegressor.upcycle(dense, 8, 2, router="top_k", **options)
gap = np.abs(mixture.predict(X_test) - dense.predict(X_test)).max()
print(f"dense {error(dense):.3f}; upcycled {error(mixture):.3f}, largest difference {gap:.1e}")

curves = {"dense, trained on": [error(dense)], "eight copies, top 2": [error(mixture)]}
for _ in range(EPOCHS):
    for curve, est in zip(curves.values(), (dense, mixture), strict=True):
        curve.append(error(est.partial_fit(X, y)))
print(", ".join(f"{name} {curve[-1]:.3f}" for name, curve in curves.items()))

# %%
# Blocks and capacity
# -------------------
# Four blocks, of which the second and the fourth are mixtures. Each expert takes at most
# C = ceil(factor k S / E) of the S rows of a batch while training; predictions drop none.

factors = [0.5, 0.75, 1.0, 1.25, 2.0]
found = []
for factor in factors:
    est = SparseMixtureOfExpertsRegressor(
        8, 2, n_blocks=4, mixture_every=2, hidden=24, capacity_factor=factor, max_iter=EPOCHS,
        batch_size=128, learning_rate="cosine", random_state=0,
    ).fit(X, y)  # fmt: skip
    dropped = [epoch["block3"]["dropped"] for epoch in est.routing_history_]
    found.append((np.mean(dropped), error(est), est))
    print(f"capacity factor {factor:4.2f}: dropped {found[-1][0]:5.1%}, RMSE {found[-1][1]:.3f}")

# %%
# The picture
# -----------

figure, axes = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
for (name, curve), style in zip(curves.items(), ("--", "-"), strict=True):
    axes[0].plot(range(EPOCHS, 2 * EPOCHS + 1), curve, style, linewidth=2, label=name)
axes[0].set(title="Training goes on", xlabel="epoch", ylabel="RMSE of other rows")
axes[0].legend()
axes[1].bar([str(factor) for factor in factors], [share for share, *_ in found], color="#0072B2")
axes[1].set(title="Dropped while training", xlabel="capacity factor", ylabel="share of the choices")
LoadDisplay.from_estimator(found[-1][2], ax=axes[2])
axes[2].set_title("Load of the last block")

path = sys.argv[1] if len(sys.argv) > 1 else "upcycling.png"
figure.savefig(path, dpi=130)
print(f"\npicture: {path}")
