"""
Rows that come by once
======================

A stream of blocks, each of which is seen once and forgotten. Online EM keeps running averages of
the sums that an M-step needs, and moves experts and gate after every block. The script prints how
far the stream's mixture is from one that keeps all rows, and draws how its slopes and its density
of new rows find their way into ``stream.png``, or into the file that is given as the first
argument.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from skmoe import MixtureOfExpertsRegressor
from skmoe.fitters import OnlineEM
from skmoe.inspection import ExpertsDisplay

N_BLOCKS, ROWS, KAPPAS = 40, 300, {"kappa=0.6": 0.6, "kappa=1": 1.0}
SLOPES = np.array([2.0, -1.0, 0.5])
# Of Okabe and Ito's colors.
STROKES = [("#0072B2", "solid"), ("#E69F00", "dashed"), ("#009E73", "dashdot")]

rng = np.random.default_rng(1)


def block(n_rows):
    """Return rows of three lines, which hold from left to right."""
    x = rng.uniform(-3.0, 3.0, n_rows)
    regime = np.digitize(x + 0.2 * rng.standard_normal(n_rows), [-1.0, 1.0])
    y = np.array([3.0, 0.0, 2.0])[regime] + SLOPES[regime] * x
    return x[:, None], y + 0.5 * rng.standard_normal(n_rows)


blocks = [block(ROWS) for _ in range(N_BLOCKS)]
X_test, y_test = block(4000)


def ordered(est):
    """Return the slopes from left to right, (3,)."""
    ask = est.apply(np.array([[-2.5], [0.0], [2.5]]))
    return est.coef_[ask, 0]


# %%
# Block after block
# -----------------

slopes, density, streams = {}, {}, {}
for name, kappa in KAPPAS.items():
    est = MixtureOfExpertsRegressor(3, fitter=OnlineEM(kappa), n_init=3, random_state=0)
    slopes[name], density[name] = [], []
    for X, y in blocks:
        est.partial_fit(X, y)
        slopes[name].append(ordered(est))
        density[name].append(est.score_samples(X_test, y_test).mean())
    streams[name] = est
X, y = (np.concatenate(each) for each in zip(*blocks, strict=True))
whole = MixtureOfExpertsRegressor(3, n_init=3, random_state=0).fit(X, y)
best = whole.score_samples(X_test, y_test).mean()
print(f"{'':<12}{'slopes':>24}{'log-density of a new row':>28}")
for name, est in {**streams, "all rows": whole}.items():
    text = "".join(f"{slope:>8.3f}" for slope in ordered(est))
    print(f"{name:<12}{text}{est.score_samples(X_test, y_test).mean():>28.4f}")

# %%
# The picture
# -----------

figure, axes = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
seen = ROWS * np.arange(1, N_BLOCKS + 1)
for k, way in enumerate(np.array(slopes["kappa=0.6"]).T):
    color, style = STROKES[k]
    axes[0].plot(seen, way, linewidth=2, label=f"line {k + 1}", color=color, linestyle=style)
    axes[0].axhline(SLOPES[k], color="0.5", linestyle="dotted", linewidth=1)
axes[0].set(xlabel="rows seen", ylabel="slope", title="Slopes (dotted: the truth)")
axes[0].legend(fontsize="small")
for (name, way), (color, style) in zip(density.items(), STROKES, strict=False):
    axes[1].plot(seen, best - np.array(way), linewidth=2, label=name, color=color, linestyle=style)
axes[1].axhline(0.0, color="0.5", linestyle="dotted", label="all rows at once")
axes[1].set(xlabel="rows seen", ylabel="nats a new row", title="What the stream has yet to learn")
axes[1].legend(fontsize="small")
ExpertsDisplay.from_estimator(streams["kappa=0.6"], *blocks[-1], ax=axes[2])
axes[2].set(xlabel="x", title="The last block")

path = sys.argv[1] if len(sys.argv) > 1 else "stream.png"
figure.savefig(path, dpi=150)
print(f"\npicture: {path}")
