"""
The next word: one softmax, or a mixture
========================================

Genesis 1 to 9, word after word: what follows a word? One softmax and a mixture of eight, of as many
parameters, learn from four fifths of the text, in stretches of forty words, and are asked for the
others. The script prints their perplexities for five splits and draws them into ``next_word.png``,
or into the file that is given as the first argument. It takes about half a minute.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from skmoe import MixtureOfSoftmaxesClassifier
from skmoe.datasets import load_genesis

HIDDEN, STRETCH, SEEDS = 8, 40, range(5)
MODELS = {"one softmax": (1, 11), "eight softmaxes": (8, 8)}

genesis = load_genesis(n_context=1, min_count=5)
X, y = genesis.data, genesis.target

# %%
# As many parameters
# ------------------
# A word becomes 8 numbers; a context of width 11, or eight of width 8, weigh the 209 words.


def split(seed):
    """Return which rows are held out: a fifth of the stretches."""
    stretch = np.arange(len(y)) // STRETCH
    drawn = np.random.RandomState(seed).permutation(stretch[-1] + 1)
    return np.isin(stretch, drawn[: len(drawn) // 5])


def perplexity(seed, n_experts, width, alpha):
    """Return exp(-mean log p) of held-out words that the training part knows, and the size."""
    held = split(seed)
    est = MixtureOfSoftmaxesClassifier(
        n_experts,
        width=width,
        hidden=HIDDEN,
        activation="tanh",
        alpha=alpha,
        learning_rate="cosine",
        learning_rate_init=0.02,
        max_iter=60,
        n_iter_no_change=60,
        random_state=seed,
    ).fit(X[~held], y[~held])
    held &= np.isin(y, est.classes_)
    return np.exp(-est.score_samples(X[held], y[held]).mean()), est.n_parameters_


# %%
# Perplexities
# ------------
# Of how many equally likely words one would be as unsure. Under the penalty that is the default the
# mixture does better; a stronger one helps both, and brings one softmax level with it.

splits = "".join(f"{f'split {seed}':>9}" for seed in SEEDS)
print(f"{'':16}{'alpha':>7}{'parameters':>11}{splits}    mean")
reached = {}
for alpha in (1e-2, 1e-4):
    for name, shape in MODELS.items():
        found = [perplexity(seed, *shape, alpha) for seed in SEEDS]
        values, sizes = np.array(found).T
        reached[name] = values
        cells = "".join(f"{value:>9.2f}" for value in values)
        print(f"{name:16}{alpha:>7}{int(sizes.min()):>11}{cells}{values.mean():>8.2f}")

# %%
# The picture
# -----------

figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
for seed, pair in enumerate(zip(*reached.values(), strict=True)):
    axes.plot([0, 1], pair, color="0.6", marker="o", label="one split" if seed == 0 else None)
means = [values.mean() for values in reached.values()]
axes.plot([0, 1], means, color="#0072B2", linewidth=3, marker="o", label="mean")
axes.set_xticks([0, 1], list(MODELS))
axes.set(xlim=(-0.3, 1.3), ylabel="perplexity of held-out words", title="The next word in Genesis")
axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.12))

path = sys.argv[1] if len(sys.argv) > 1 else "next_word.png"
figure.savefig(path, dpi=150)
print(f"\npicture: {path}")
