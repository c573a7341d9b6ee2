"""Figures of the mixture of linear experts: truth first, then speed, as ratios within one run."""

import argparse
import itertools
import json
import subprocess
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_info, threadpool_limits

from skmoe import MixtureOfExpertsRegressor
from skmoe._math.grams import quadratic_features
from skmoe.batches import Block, InMemory
from skmoe.criteria import LogLikelihood
from skmoe.datasets import make_mixture_of_experts
from skmoe.experts import LinearExperts
from skmoe.fitters import EM
from skmoe.gates import SoftmaxGate
from skmoe.mixture import Mixture
from skmoe.starts import settle


def seconds(function, repeats=5):
    """Median wall time of a call, after one that does not count."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def reference(options):
    """Reach the best known optimum of the Gaussian reference cases, for 20 random states."""
    folder = Path(options.cases)
    for case in json.loads((folder / "reference_cases.json").read_text()):
        if case["family"] != "gaussian":
            continue
        table = np.genfromtxt(folder / f"cases/{case['name']}.csv", delimiter=",", names=True)
        data = np.column_stack([table[name] for name in table.dtype.names])
        X = data[:, 1 : len(case["expert_columns"])]
        y = data[:, -1]
        gains, fewest = [], np.inf
        for seed in range(20):
            est = MixtureOfExpertsRegressor(
                case["n_experts"],
                experts=LinearExperts(tied=case["equal_variance"]),
                gate=case["gate"],
                random_state=seed,
            )
            est.set_params(experts__alpha=0)
            if case["gate"] == "softmax":
                est.set_params(gate__alpha=0)
            est.fit(X, y)
            gains.append(est.log_likelihood(X, y) - case["loglik_best"])
            fewest = min(fewest, est.responsibilities(X, y).sum(axis=0).min())
        gains = np.array(gains)
        print(
            f"{case['name']:24s} reached {np.sum(gains > -1e-3)}/20, worst {gains.min():+.5f}, "
            f"best {gains.max():+.5f}, fewest rows of an expert {fewest:.1f}, "
            f"df {est.n_parameters_} ({case['df']})"
        )


def best_matching(estimate, truth):
    """Order of the experts in which the estimated coefficients lie closest to the true ones."""
    orders = itertools.permutations(range(len(truth)))
    return list(min(orders, key=lambda order: np.sum((estimate[list(order)] - truth) ** 2)))


def recovery(options):
    """Held-out density against the truth, coefficients, and time against a joint mixture."""
    for features in ("normal", "mixed"):
        for seed in range(10):
            X, y, truth = make_mixture_of_experts(
                40_000, 10, 4, noise=0.3, features=features, random_state=seed
            )
            train, test = slice(0, 20_000), slice(20_000, None)
            start = time.perf_counter()
            est = MixtureOfExpertsRegressor(4, random_state=seed).fit(X[train], y[train])
            ours = time.perf_counter() - start
            start = time.perf_counter()
            GaussianMixture(4, random_state=seed).fit(np.c_[X[train], y[train]])
            joint = time.perf_counter() - start
            short = np.mean(truth.score_samples(X[test], y[test])) - np.mean(
                est.score_samples(X[test], y[test])
            )
            order = best_matching(est.coef_, truth.coef)
            print(
                f"{features:6s} seed {seed}: short of truth {short:+.5f}, largest error of "
                f"coef {np.abs(est.coef_[order] - truth.coef).max():.3f}, "
                f"gate {np.abs(est.gate_coef_[order] - truth.gate_coef).max():.3f}; "
                f"{ours:.2f} s, {ours / joint:.2f} of a joint GaussianMixture"
            )


def one_pass(mixture, theta, batches):
    """E-step, sums and M-step."""
    return mixture.m_step(theta, batches.sweep(lambda rows: mixture.sweep(theta, rows)))


def passes(options):
    """One EM pass at n=200,000, d=20, K=8 against the products it cannot avoid."""
    n, d, K = 200_000, 20, 8
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((n, d)))
    y = rng.standard_normal((n, 1))
    block = Block(X, X, y, np.ones(n))
    mixture = Mixture(LinearExperts(), SoftmaxGate(), LogLikelihood())
    theta = settle(
        mixture, InMemory(block.rows(slice(0, 5000))), rng.dirichlet(np.ones(K), size=5000)
    )
    features = quadratic_features(X).copy()
    weights = rng.random((K * (K + 1) // 2, n))
    coefficients = rng.standard_normal((d, K))
    for threads in (1, 2):
        with threadpool_limits(threads, "blas"):
            bare = seconds(lambda: (X @ coefficients, X @ coefficients, features @ weights.T))
        with threadpool_limits(1, "blas"):
            ours = seconds(partial(one_pass, mixture, theta, InMemory(block, n_threads=threads)))
        print(f"{threads} threads: bare {bare:.3f} s, pass {ours:.3f} s, ratio {ours / bare:.2f}")


def predict(options):
    """``predict`` at n=1,000,000 against one product with all coefficients."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1_000_000, 10))
    few, answers, _ = make_mixture_of_experts(5000, 10, 4, random_state=0)
    est = MixtureOfExpertsRegressor(4, random_state=0).fit(few, answers)
    coefficients = rng.standard_normal((10, 8))
    bare, ours = seconds(lambda: X @ coefficients, 9), seconds(lambda: est.predict(X), 9)
    print(f"bare {bare:.4f} s, predict {ours:.4f} s, ratio {ours / bare:.2f}")


def acceleration(options):
    """Passes to the optimum on strongly overlapping experts, plain and accelerated."""
    for seed in range(10):
        X, y, _ = make_mixture_of_experts(5000, 5, 4, noise=3, gate_slope=0.5, random_state=seed)
        found = [
            MixtureOfExpertsRegressor(4, fitter=fitter, max_iter=20_000, n_init=4, random_state=0)
            .fit(X, y)
            for fitter in (EM(acceleration=None), EM())
        ]  # fmt: skip
        plain, fast = found
        print(
            f"seed {seed}: plain {plain.n_passes_}, accelerated {fast.n_passes_} "
            f"({fast.n_passes_ / plain.n_passes_:.2f}), "
            f"bounds differ by {fast.lower_bound_ - plain.lower_bound_:+.5f}"
        )


def growth(options):
    """How the CPU time of a pass grows with rows and with experts: exponents of a power law."""

    def cost(n, K, d=10):
        rng = np.random.default_rng(0)
        X, y = np.asfortranarray(rng.standard_normal((n, d))), rng.standard_normal((n, 1))
        mixture = Mixture(LinearExperts(), SoftmaxGate(), LogLikelihood())
        few = InMemory(Block(X[:5000], X[:5000], y[:5000], np.ones(5000)))
        theta = settle(mixture, few, rng.dirichlet(np.ones(K), size=5000))
        batches, times = InMemory(Block(X, X, y, np.ones(n))), []
        for _ in range(3):
            start = time.process_time()
            mixture.m_step(theta, batches.sweep(lambda block: mixture.sweep(theta, block)))
            times.append(time.process_time() - start)
        return min(times)

    with threadpool_limits(1):
        for name, sizes, costs in (
            ("rows", ns := [10**4, 10**5, 10**6, 10**7], [cost(n, 4) for n in ns]),
            ("experts", Ks := [4, 8, 16, 32, 64], [cost(50_000, K) for K in Ks]),
        ):
            exponent = np.polyfit(np.log(sizes), np.log(costs), 1)[0]
            print(f"{name} {sizes}: {np.round(costs, 4).tolist()} s, exponent {exponent:.2f}")


def imports(options):
    """What ``import skmoe`` adds to ``import sklearn``, in milliseconds, within one process."""
    code = (
        "import time, sklearn; start = time.perf_counter(); import skmoe; "
        "half = time.perf_counter(); from skmoe import MixtureOfExpertsRegressor; "
        "end = time.perf_counter(); print(half - start, end - half)"
    )
    times = [
        [float(each) for each in subprocess.check_output([sys.executable, "-c", code]).split()]
        for _ in range(7)
    ]
    package, estimator = 1e3 * np.median(times, axis=0)
    print(f"import skmoe adds {package:.0f} ms, its regressor another {estimator:.0f} ms")


SECTIONS = (reference, recovery, passes, growth, predict, acceleration, imports)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    names = [section.__name__ for section in SECTIONS]
    parser.add_argument("sections", nargs="*", default=names, help=", ".join(names))
    parser.add_argument("--cases", default=None, help="folder of reference_cases.json")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("BLAS threads:", [library["num_threads"] for library in threadpool_info()])
    for section in SECTIONS:
        if section.__name__ not in options.sections or (section is reference and not options.cases):
            continue
        print(f"\n== {section.__doc__}")
        section(options)


if __name__ == "__main__":
    main()
