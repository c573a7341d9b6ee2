"""
Six speakers: whose experts speak for whom
==========================================

A meta-pi network hears the vowels of four men and two women of Peterson and Barney. Five of them
get an expert of their own, which learns their vowels alone; the sixth, a man, is held out of the
experts' training and trains the gate alone. The gate never hears who speaks. The script prints how
much every speaker is spoken for by every expert, and draws it into ``six_speakers.png``, or into
the file that is given as the first argument.

The speakers were chosen for differing voices, and the sixth for one that lies between those of the
other men: as in the paper's experiment, his vowels should be spoken for by a blend of theirs.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmoe import MetaPiClassifier
from skmoe.datasets import load_vowels

SPEAKERS = [31, 24, 3, 59, 36, 32]
EXPERTS, HELD_OUT = SPEAKERS[:-1], SPEAKERS[-1]

vowels = load_vowels()
heard = np.isin(vowels.speaker, SPEAKERS)
# Formants are compared by ratios.
X, y, speaker = np.log(vowels.data[heard]), vowels.target[heard], vowels.speaker[heard]

# %%
# Five experts and a gate
# -----------------------
# Experts have the names of their speakers, so each learns the rows of its own; the rows of the
# sixth speaker are nobody's.

learner = make_pipeline(StandardScaler(), LogisticRegression(C=10, max_iter=1000))
experts = [(str(each), learner) for each in EXPERTS]
est = MetaPiClassifier(experts, random_state=0).fit(X, y, groups=speaker)

# %%
# Who speaks for whom
# -------------------
# Mean weights of the gate, and the share of vowels that are heard rightly, by the blend and by the
# best of the experts alone.

weights, blend = est.predict_gate(X), est.predict(X) == y
answers = est.predict_experts(X)
alone = est.classes_[answers.argmax(axis=2)] == y[:, None]
table = np.array([weights[speaker == each].mean(axis=0) for each in SPEAKERS])
kinds = {each: vowels.speaker_kind[vowels.speaker == each][0] for each in SPEAKERS}
names = [f"{kinds[each]} {each}" for each in SPEAKERS]

print(f"{'mean weight of the expert of':>40}")
print(f"{'speaker':>10}" + "".join(f"{name:>10}" for name in names[:-1]) + "     blend  best one")
for each, name, row in zip(SPEAKERS, names, table, strict=True):
    own = speaker == each
    right = f"{blend[own].mean():>10.0%}{alone[own].mean(axis=0).max():>10.0%}"
    print(f"{name:>10}" + "".join(f"{share:>10.2f}" for share in row) + right)
print(f"\nheld out of the experts' training: {names[-1]}")
print(f"squared error: blend {est.error_:.4f}, best expert alone {est.expert_errors_.min():.4f}")

# %%
# The picture
# -----------
# Every expert is asked most for the speaker that it knows; the last row is shared by the men.

figure, axes = plt.subplots(figsize=(7, 5.5), layout="constrained")
image = axes.imshow(table, vmin=0.0, vmax=1.0, cmap="Blues")
for i, row in enumerate(table):
    for k, share in enumerate(row):
        color = "white" if share > 0.5 else "black"
        axes.text(k, i, f"{share:.2f}", ha="center", va="center", color=color)
axes.set_xticks(range(len(EXPERTS)), names[:-1])
axes.set_yticks(range(len(SPEAKERS)), [*names[:-1], f"{names[-1]}\n(no expert)"])
axes.axhline(len(EXPERTS) - 0.5, color="black", linewidth=1)
axes.set_xlabel("expert of")
axes.set_ylabel("speaker")
axes.set_title("Mean gate weights: who speaks for whom")
figure.colorbar(image, label="mean weight", shrink=0.8)

path = sys.argv[1] if len(sys.argv) > 1 else "six_speakers.png"
figure.savefig(path, dpi=150)
print(f"\npicture: {path}")
