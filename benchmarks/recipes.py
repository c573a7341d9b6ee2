"""Which sentence for which data: held-out log-densities of sentences on data of known kinds.

Each kind of data is drawn anew for each seed; all sentences see the same rows. Printed are nats a
row on rows held out (higher is better), means over seeds, and CPU seconds of a fit.

    python benchmarks/recipes.py
    python benchmarks/recipes.py counts classes --seeds 5
"""

import argparse
import time
import warnings

import numpy as np

from skmoe import (
    BayesianMixtureOfExpertsClassifier,
    BayesianMixtureOfExpertsRegressor,
    MixtureOfExpertsClassifier,
    MixtureOfExpertsEnsemble,
    MixtureOfExpertsRegressor,
    SparseMixtureOfExpertsRegressor,
)
from skmoe.datasets import make_mixture_of_experts
from skmoe.experts import ConcatenatedExperts, LinearExperts, NoiseExperts

HELD_OUT = 2000


def smooth(rng, n=150):
    """A smooth surface, few rows."""
    X = rng.uniform(-2, 2, (n + HELD_OUT, 3))
    mean = np.sin(2 * X[:, 0]) + X[:, 0] * X[:, 1]
    return X, mean + 0.1 * rng.standard_normal(len(X))


def regimes(rng, n=600):
    """Three lines, each in its own region of four features."""
    X, y, _ = make_mixture_of_experts(n + HELD_OUT, 4, 3, random_state=rng.randint(2**31))
    return X, y


def noise(rng, n=400):
    """Noise that grows with a feature, around a bent line."""
    X = rng.uniform(-2, 2, (n + HELD_OUT, 2))
    spread = 0.2 * np.exp(0.8 * X[:, 0])
    return X, np.abs(X[:, 0]) + X[:, 1] + spread * rng.standard_normal(len(X))


def errors(rng, n=400):
    """Two lines; one answer in twenty is a gross error."""
    X, y, _ = make_mixture_of_experts(n + HELD_OUT, 2, 2, random_state=rng.randint(2**31))
    gross = rng.uniform(size=len(y)) < 0.05
    return X, np.where(gross, 10.0 * y.std() * rng.uniform(-1, 1, len(y)), y)


def many(rng, n=20_000):
    """A smooth function of eight features, many rows."""
    X = rng.uniform(-1, 1, (n + HELD_OUT, 8))
    mean = np.sin(3 * X[:, 0] * X[:, 1]) + np.abs(X[:, 2]) + X[:, 3] * np.tanh(3 * X[:, 4])
    return X, mean + 0.1 * rng.standard_normal(len(X))


def counts(rng, n=500):
    """Counts whose rate follows one law on the left and another on the right."""
    X = rng.uniform(-2, 2, (n + HELD_OUT, 2))
    rate = np.exp(np.where(X[:, 0] < 0, 1.0 + 0.5 * X[:, 1], 2.0 - 0.7 * X[:, 1]))
    return X, rng.poisson(rate)


def classes(rng, n=300):
    """Two classes whose border turns at zero."""
    X = rng.uniform(-2, 2, (n + HELD_OUT, 3))
    score = 4.0 * X[:, 1] * np.sign(X[:, 0]) + X[:, 2]
    return X, (score + rng.logistic(size=len(X)) > 0).astype(int)


Regressor, Bayesian = MixtureOfExpertsRegressor, BayesianMixtureOfExpertsRegressor
FAMILY = {
    "MixtureOfExpertsRegressor(3)": lambda: Regressor(3, random_state=0),
    "BayesianMixtureOfExpertsRegressor()": lambda: Bayesian(random_state=0),
    "MixtureOfExpertsEnsemble()": lambda: MixtureOfExpertsEnsemble(random_state=0),
}
LINES = {
    "BayesianMixtureOfExpertsRegressor(expert_features=None)": lambda: Bayesian(
        expert_features=None, random_state=0
    ),
}
KINDS = {
    "smooth": (smooth, FAMILY),
    "regimes": (regimes, FAMILY | LINES),
    "noise": (
        noise,
        FAMILY
        | {
            '(3, experts=LinearExperts(variance="linear"))': lambda: Regressor(
                3, experts=LinearExperts(variance="linear"), random_state=0
            ),
        },
    ),
    "errors": (
        errors,
        {
            "MixtureOfExpertsRegressor(2)": lambda: Regressor(2, random_state=0),
            '(2, experts="student_t")': lambda: Regressor(2, experts="student_t", random_state=0),
            "(3, experts=ConcatenatedExperts([(LinearExperts(), 2), NoiseExperts()]))": (
                lambda: Regressor(
                    3,
                    experts=ConcatenatedExperts([(LinearExperts(), 2), NoiseExperts()]),
                    random_state=0,
                )
            ),
            "BayesianMixtureOfExpertsRegressor()": lambda: Bayesian(random_state=0),
        },
    ),
    "many": (
        many,
        {
            "MixtureOfExpertsRegressor(16)": lambda: Regressor(16, n_init=4, random_state=0),
            '(16, expert_features="quadratic")': lambda: Regressor(
                16, expert_features="quadratic", n_init=4, random_state=0
            ),
            'BayesianMixtureOfExpertsRegressor(16, expert_features="quadratic")': lambda: Bayesian(
                16, expert_features="quadratic", random_state=0
            ),
            'SparseMixtureOfExpertsRegressor(16, head="gaussian")': lambda: (
                SparseMixtureOfExpertsRegressor(16, head="gaussian", random_state=0)
            ),
        },
    ),
    "counts": (
        counts,
        {
            f'MixtureOfExpertsRegressor({K}, experts="{experts}")': lambda K=K, experts=experts: (
                Regressor(K, experts=experts, random_state=0)
            )
            for K, experts in ((1, "poisson"), (2, "poisson"), (2, "negative_binomial"))
        },
    ),
    "classes": (
        classes,
        {
            f"MixtureOfExpertsClassifier({K})": lambda K=K: MixtureOfExpertsClassifier(
                K, random_state=0
            )
            for K in (1, 2, 4)
        }
        | {
            "BayesianMixtureOfExpertsClassifier()": lambda: BayesianMixtureOfExpertsClassifier(
                random_state=0
            ),
        },
    ),
}


def score(make, X, y):
    """Return nats a row on the rows held out, and CPU seconds of the fit."""
    start = time.process_time()
    est = make().fit(X[:-HELD_OUT], y[:-HELD_OUT])
    seconds = time.process_time() - start
    return est.score_samples(X[-HELD_OUT:], y[-HELD_OUT:]).mean(), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(KINDS)}; none for all")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for kind in arguments.kinds or KINDS:
        draw, sentences = KINDS[kind]
        print(f"\n{kind}: {draw.__doc__}\n   nats a row    CPU s  sentence")
        data = [draw(np.random.RandomState(seed)) for seed in range(arguments.seeds)]
        for sentence, make in sentences.items():
            found = np.mean([score(make, X, y) for X, y in data], axis=0)
            print("{:13.3f}{:9.1f}  {}".format(*found, sentence), flush=True)


if __name__ == "__main__":
    main()
