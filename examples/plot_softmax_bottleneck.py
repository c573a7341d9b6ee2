"""
The softmax bottleneck
======================

After each of forty contexts one of four words follows, seldom another one of twelve. The matrix of
log-probabilities has rank 12. One softmax of width 4 makes matrices of rank 5 at most, whatever it
learns; four softmaxes of width 4 that share their output matrix are not bound by that. The script
prints how close they come, and draws it into ``softmax_bottleneck.png``, or into the file that is
given as the first argument.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from skmoe import MixtureOfSoftmaxesClassifier

N_CONTEXTS, N_WORDS, N_NEXT = 40, 12, 4

rng = np.random.RandomState(0)
P = np.full((N_CONTEXTS, N_WORDS), 0.02 / N_WORDS)
for row in P:
    row[rng.choice(N_WORDS, N_NEXT, replace=False)] += 0.98 / N_NEXT
truth = np.log(P)

# %%
# Learning a whole matrix
# -----------------------
# Every pair of context and word is a row, and its probability the weight.

contexts, words = (
    np.repeat(np.eye(N_CONTEXTS), N_WORDS, axis=0),
    np.tile(range(N_WORDS), N_CONTEXTS),
)


def learned(n_experts, width):
    """Return the log-probabilities of a mixture that was trained on the matrix."""
    est = MixtureOfSoftmaxesClassifier(
        n_experts,
        width=width,
        standardize=False,
        alpha=0.0,
        batch_size=len(words),
        learning_rate="cosine",
        learning_rate_init=0.03,
        max_iter=600,
        tol=1e-7,
        random_state=0,
    )
    est.fit(contexts, words, sample_weight=P.ravel())
    return est.predict_log_proba(np.eye(N_CONTEXTS))


shapes = [(1, 4), (4, 4), (1, 12)]
found = {shape: learned(*shape) for shape in shapes}

# %%
# How close they come
# -------------------
# By Eckart and Young no matrix of rank 5 is closer to the true one than the singular values that it
# has to leave out.

left_out = np.linalg.svd(truth, compute_uv=False)[5:]
print(f"rank of the true matrix: {np.linalg.matrix_rank(truth)}")
print(f"distance of any matrix of rank 5: at least {np.sqrt(np.square(left_out).sum()):.1f}\n")
print(f"{'softmaxes':>9}{'width':>7}{'rank':>6}{'distance':>10}{'loss (nats)':>13}")
for (n_experts, width), logs in found.items():
    rank = np.linalg.matrix_rank(logs, tol=1e-3)
    loss = np.mean(np.sum(P * (truth - logs), axis=1))
    distance = np.linalg.norm(truth - logs)
    print(f"{n_experts:>9}{width:>7}{rank:>6}{distance:>10.1f}{loss:>13.4f}")

# %%
# The picture
# -----------
# Probabilities of the words after each context.

titles = ["truth", "one softmax, width 4", "four softmaxes, width 4", "one softmax, width 12"]
figure, axes = plt.subplots(1, 4, figsize=(10, 5.5), sharey=True, layout="constrained")
for axis, title, logs in zip(axes, titles, [truth, *found.values()], strict=True):
    image = axis.imshow(np.exp(logs), vmin=0.0, vmax=0.5, cmap="Blues", aspect="auto")
    axis.set(title=title, xlabel="next word")
axes[0].set_ylabel("context")
figure.colorbar(image, ax=axes, label="probability", shrink=0.8)

path = sys.argv[1] if len(sys.argv) > 1 else "softmax_bottleneck.png"
figure.savefig(path, dpi=150)
print(f"\npicture: {path}")
