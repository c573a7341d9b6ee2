"""Figures of hierarchical mixtures: truth, speed, growth; EM against gradient ascent."""

import argparse
import time
import warnings

import numpy as np
from scipy.special import log_expit, logsumexp
from sklearn.model_selection import KFold

from skmoe import HierarchicalMixtureOfExpertsRegressor, MixtureOfExpertsRegressor
from skmoe.batches import Block, InMemory
from skmoe.criteria import LogLikelihood
from skmoe.datasets import load_motorcycle
from skmoe.experts import LinearExperts
from skmoe.fitters import EM, GradientAscent
from skmoe.gates import TreeGate
from skmoe.mixture import Mixture
from skmoe.starts import settle


def draw(n, d, seed, noise=0.3, slope=2.0):
    """Draws from a 2x2 hierarchy of lines, and the log-density of each under the truth."""
    rng = np.random.RandomState(seed)
    gates, lines = slope * rng.standard_normal((3, d + 1)), rng.standard_normal((4, d + 1))
    X = rng.standard_normal((n, d))
    rows = np.column_stack([X, np.ones(n)])
    scores = rows @ gates.T
    root, left, right = (np.stack([log_expit(s), log_expit(-s)], axis=1) for s in scores.T)
    log_weight = np.column_stack([root[:, :1] + left, root[:, 1:] + right])
    leaf = (np.exp(log_weight).cumsum(axis=1) < rng.uniform(size=(n, 1))).sum(axis=1).clip(0, 3)
    mean = rows @ lines.T
    y = mean[np.arange(n), leaf] + noise * rng.standard_normal(n)
    log_density = -0.5 * (((y[:, None] - mean) / noise) ** 2 + np.log(2.0 * np.pi * noise**2))
    return X, y, logsumexp(log_weight + log_density, axis=1)


def recovery(options):
    """Held-out log-density short of the truth, in nats a row; 2x2 hierarchy, n=5,000."""
    for kwargs in ({}, {"noise": 1.0}, {"slope": 6.0}):
        for d in (1, 2, 5, 10):
            short, seconds = [], []
            for seed in range(10):
                X, y, truth = draw(10_000, d, seed, **kwargs)
                train, test = slice(0, 5000), slice(5000, None)
                start = time.perf_counter()
                est = HierarchicalMixtureOfExpertsRegressor(random_state=seed)
                est.fit(X[train], y[train])
                seconds.append(time.perf_counter() - start)
                short.append(np.mean(truth[test]) - np.mean(est.score_samples(X[test], y[test])))
            short = np.array(short)
            print(
                f"d={d:2d} {str(kwargs):14s}: within 0.01 for {np.sum(short < 0.01)}/10, "
                f"worst {short.max():.4f}, median {np.median(short):.4f}, "
                f"{np.median(seconds):.1f} s"
            )


def branching_lines(n, d, depth, seed, noise=0.3):
    """Draws from lines beneath a tree of random gates."""
    rng = np.random.RandomState(seed)
    X, leaf = rng.standard_normal((n, d)), np.zeros(n, dtype=int)
    for level in range(depth):
        gates = 2.0 * rng.standard_normal((2**level, d + 1))
        score = np.einsum("nd,nd->n", X, gates[leaf, 1:]) + 0.5 * gates[leaf, 0]
        leaf = 2 * leaf + (rng.uniform(size=n) < np.exp(log_expit(-score)))
    lines = rng.standard_normal((2**depth, d + 1))
    y = np.einsum("nd,nd->n", X, lines[leaf, 1:]) + lines[leaf, 0]
    return X, y + noise * rng.standard_normal(n)


def deep(options):
    """Depth 5, 32 leaves, against a flat mixture of 32 experts: n=100,000, d=10."""
    X, y = branching_lines(110_000, 10, 5, options.seed)
    train, test = slice(0, 100_000), slice(100_000, None)
    seconds = {}
    for name, est in {
        "flat": MixtureOfExpertsRegressor(32, random_state=0),
        "tree": HierarchicalMixtureOfExpertsRegressor(depth=5, random_state=0),
    }.items():
        start = time.perf_counter()
        est.fit(X[train], y[train])
        seconds[name] = time.perf_counter() - start
        shares = est.responsibilities(X[train], y[train]).sum(axis=0)
        print(
            f"{name}: {seconds[name]:.1f} s, {est.n_passes_} passes, bound {est.lower_bound_:.0f}, "
            f"held-out log-density {est.score_samples(X[test], y[test]).mean():.4f}, "
            f"fewest rows of an expert {shares.min():.0f}"
        )
    print(f"ratio {seconds['tree'] / seconds['flat']:.2f}")


def growth(options):
    """Growth alone against depths 1 to 6: held-out log-density, nats a row."""
    X, y = load_motorcycle(return_X_y=True)
    _compare("motorcycle", X, y, KFold(5, shuffle=True, random_state=options.seed), range(1, 7))
    if options.kin8nm:
        data = np.loadtxt(options.kin8nm, delimiter=",")
        splits = KFold(5, shuffle=True, random_state=options.seed)
        _compare("kin8nm", data[:, :-1], data[:, -1], splits, range(1, 7), most=1)


def _compare(name, X, y, splits, depths, most=None):
    trees = {"grown": {"growth": "greedy"}} | {f"depth {d}": {"depth": d} for d in depths}
    held_out, n_rows = dict.fromkeys(trees, 0.0), 0
    for train, test in list(splits.split(X))[:most]:
        n_rows += len(test)
        for tree, arguments in trees.items():
            start = time.perf_counter()
            est = HierarchicalMixtureOfExpertsRegressor(**arguments, random_state=0)
            est.fit(X[train], y[train])
            held_out[tree] += est.score_samples(X[test], y[test]).sum()
            print(
                f"  {name}, {tree}: {est.n_experts} leaves, "
                f"{est.score_samples(X[test], y[test]).mean():.4f}, "
                f"{time.perf_counter() - start:.1f} s",
                flush=True,
            )
    means = {tree: total / n_rows for tree, total in held_out.items()}
    best = max(mean for tree, mean in means.items() if tree != "grown")
    print(f"{name}: " + ", ".join(f"{tree} {mean:.4f}" for tree, mean in means.items()))
    print(f"{name}: growth is {(means['grown'] - best) / abs(best):+.2%} from the best depth")


def ways_up(options):
    """Passes from one rough start to within 0.001 nats a row of the top, n=2,000, d=2."""
    for seed in range(5):
        X, y, _ = draw(2000, 2, seed)
        X, y = np.asfortranarray(X), ((y - y.mean()) / y.std())[:, None]
        batches = InMemory(Block(X, X, y, np.ones(len(y))))
        mixture = Mixture(LinearExperts(), TreeGate([2, 2]), LogLikelihood())
        share = np.random.RandomState(seed).dirichlet(np.full(4, 0.2), len(y))
        theta = settle(mixture, batches, share)
        fitters = {
            "em": EM(acceleration=None),
            "accelerated": EM(),
            "lbfgs": GradientAscent(),
            "gradient": GradientAscent("sgd", 0.03, "constant", batch_size=len(y)),
        }
        text = []
        for name, fitter in fitters.items():
            bounds = fitter.fit(mixture, theta, batches, max_iter=3000, tol=1e-10).bounds
            near = np.array(bounds) >= bounds[-1] - 1e-3 * len(y)
            text.append(f"{name} {np.argmax(near)} passes to {bounds[-1]:.1f}")
        print(f"seed {seed}: " + ", ".join(text))


SECTIONS = (recovery, deep, growth, ways_up)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    names = [section.__name__ for section in SECTIONS]
    parser.add_argument("sections", nargs="*", default=names, help=", ".join(names))
    parser.add_argument("--kin8nm", default=None, help="file of the kin8nm data, target last")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for section in SECTIONS:
        if section.__name__ in options.sections:
            print(f"\n== {section.__doc__}")
            section(options)


if __name__ == "__main__":
    main()
