"""Vowels of unseen speakers: mixtures beside scikit-learn's classifiers, error and log loss.

Every setting is found by cross-validation within the training speakers, by log loss; nobody sees
a test speaker before the end.

    python benchmarks/vowels.py deterding
    python benchmarks/vowels.py peterson_barney
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, ParameterGrid
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from skmoe import BayesianMixtureOfExpertsClassifier, MixtureOfExpertsClassifier
from skmoe.datasets import load_vowels

DATA = Path(__file__).parent / "data"


def deterding():
    """Return Deterding's vowels (1989), and one split: eight speakers to learn from, seven to test.

    Robinson (1989), Dynamic error propagation networks.
    """
    table = np.loadtxt(DATA / "deterding_vowel.csv", delimiter=",", skiprows=1, dtype=str)
    X, y = table[:, 3:].astype(float), table[:, 2].astype(int)
    speaker, train = table[:, 1].astype(int), table[:, 0] == "train"
    return X, y, speaker, [(np.flatnonzero(train), np.flatnonzero(~train))]


def peterson_barney():
    """Return Peterson and Barney's vowels (1952) in log Hz, and five splits of the speakers."""
    bunch = load_vowels()
    X, y, speaker = np.log(bunch.data), bunch.target, bunch.speaker
    return X, y, speaker, list(GroupKFold(5).split(X, y, speaker))


def networks(n_nets):
    """Return the average of networks that differ in their seeds."""
    nets = [
        (str(seed), MLPClassifier((32,), max_iter=600, random_state=seed)) for seed in range(n_nets)
    ]
    return VotingClassifier(nets, voting="soft")


def bag(n_estimators):
    """Return a bag of mixtures, each of a bootstrap sample and from one start."""
    mixture = MixtureOfExpertsClassifier(n_init=1, max_iter=60, tol=1e-5)
    return BaggingClassifier(mixture, n_estimators=n_estimators, random_state=0)


def committee():
    """Return the average of eight mixtures that differ in size and in the kind of their gates."""
    once = {"n_init": 2, "max_iter": 200, "tol": 1e-6, "random_state": 0}
    members = [
        (f"{gate}{n_experts}", MixtureOfExpertsClassifier(n_experts, gate=gate, **once))
        for gate in ("softmax", "localized")
        for n_experts in (2, 3, 4)
    ]
    for _, member in members[:3]:
        member.set_params(gate__alpha=1.0)
    for n_experts in (2, 4):
        member = BayesianMixtureOfExpertsClassifier(n_experts, **once)
        members.append((f"bayesian{n_experts}", member))
    return VotingClassifier(members, voting="soft")


def contenders():
    """Return name -> (estimator, grid), the same for all data."""
    sentence = {
        "n_experts": [2, 4, 8],
        "experts__alpha": [0.1, 0.3, 1.0],
        "gate__alpha": [0.1, 1.0, 5.0],
    }
    single = MixtureOfExpertsClassifier(n_init=2, max_iter=200, tol=1e-6, random_state=0)
    single.set_params(experts__alpha=1.0, gate__alpha=1.0)
    bagged = bag(4)
    bagged.estimator.set_params(experts__alpha=1.0, gate__alpha=1.0)
    curved = clone(bagged)
    curved.estimator.set_params(expert_features=Nystroem(n_components=100, random_state=0))
    return {
        "LogisticRegression": (
            LogisticRegression(max_iter=5000),
            {"C": [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0]},
        ),
        "QDA": (
            QuadraticDiscriminantAnalysis(),
            {"reg_param": [0.0, 0.01, 0.03, 0.1, 0.3]},
        ),
        "SVC (RBF)": (
            CalibratedClassifierCV(SVC(), ensemble=False),
            {"estimator__C": [1.0, 10.0, 100.0], "estimator__gamma": [0.03, 0.1, 0.3]},
        ),
        "RandomForest": (
            RandomForestClassifier(300, random_state=0),
            {"min_samples_leaf": [1, 3], "max_features": [1, 2, 4]},
        ),
        "HistGradientBoosting": (
            HistGradientBoostingClassifier(random_state=0),
            {"learning_rate": [0.05], "max_iter": [50, 150], "l2_regularization": [0.0, 5.0]},
        ),
        "MLPClassifier": (
            MLPClassifier((32,), max_iter=600, random_state=0),
            {"alpha": [1e-3, 0.1, 1.0, 3.0]},
        ),
        "MLP (5 nets)": (
            networks(5),
            [{f"{seed}__alpha": [alpha] for seed in range(5)} for alpha in (0.1, 1.0, 3.0)],
        ),
        "mixture of experts": (
            single,
            sentence,
        ),
        "mixtures (eight, averaged)": (
            committee(),
            [
                {f"{name}__experts__alpha": [alpha] for name, _ in committee().estimators[:6]}
                for alpha in (0.01, 0.03, 0.1)
            ],
        ),
        "mixtures (bag of 25)": (
            bagged,
            {f"estimator__{name}": values for name, values in sentence.items()},
        ),
        "mixtures of kernel experts (bag of 25)": (
            curved,
            {
                "estimator__n_experts": [2],
                "estimator__experts__alpha": [0.1, 0.3, 1.0],
                "estimator__gate__alpha": [0.1, 1.0],
                "estimator__expert_features__gamma": [0.03, 0.1],
            },
        ),
    }


def probabilities(estimator, X, y, test, classes):
    """Fit to rows X (n, d) and answer for others, with a column for each class."""
    model = make_pipeline(StandardScaler(), clone(estimator)).fit(X, y)
    proba = np.full((len(test), len(classes)), 1e-12)
    proba[:, np.searchsorted(classes, model.classes_)] = model.predict_proba(test)
    return proba / proba.sum(axis=1, keepdims=True)


def tuned(estimator, grid, X, y, speaker, classes, n_folds=4):
    """Return the estimator with the setting of least log loss over folds of speakers."""
    best = None
    for setting in ParameterGrid(grid):
        candidate = clone(estimator).set_params(**setting)
        proba = np.empty((len(y), len(classes)))
        for train, test in GroupKFold(n_folds).split(X, y, speaker):
            proba[test] = probabilities(candidate, X[train], y[train], X[test], classes)
        loss = log_loss(y, proba, labels=classes)
        if best is None or loss < best[0]:
            best = loss, candidate, setting
    return best[1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", choices=["deterding", "peterson_barney"])
    parser.add_argument("--only", help="a part of a contender's name")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    X, y, speaker, splits = globals()[arguments.data]()
    classes = np.unique(y)
    print(f"{arguments.data}: {'contender':38s} error  log loss  Brier  seconds  settings")
    for name, (estimator, grid) in contenders().items():
        if arguments.only and arguments.only not in name:
            continue
        begun, rows, answers, settings = time.perf_counter(), [], [], []
        for train, test in splits:
            best, setting = tuned(estimator, grid, X[train], y[train], speaker[train], classes)
            if "bag of 25" in name:
                best.set_params(n_estimators=25)
            rows.append(test)
            answers.append(probabilities(best, X[train], y[train], X[test], classes))
            settings.append(setting)
        rows, proba = np.concatenate(rows), np.concatenate(answers)
        error = np.mean(classes[proba.argmax(axis=1)] != y[rows])
        brier = np.mean(np.sum((proba - (y[rows, None] == classes)) ** 2, axis=1))
        seconds = time.perf_counter() - begun
        print(
            f"{'':{len(arguments.data)}s}  {name:38s} {error:.3f}  "
            f"{log_loss(y[rows], proba, labels=classes):8.3f}  {brier:.3f}  {seconds:7.1f}  "
            f"{settings[0] if len(splits) == 1 else settings}",
            flush=True,
        )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
