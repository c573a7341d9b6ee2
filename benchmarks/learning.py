"""Ways of learning side by side, from the same starts: accelerators of EM, and fitters.

Passes count sweeps over all rows, whatever they are spent on, until the bound is within 1e-6 nats
a row of where the way itself ends. Ways may end in different optima from one start: it is counted
how often each ended within 1e-6 of the highest.
"""

import argparse
import json
import time
import warnings
from copy import deepcopy
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from skmoe import MixtureOfExpertsRegressor
from skmoe.batches import Block, InMemory
from skmoe.criteria import LogLikelihood
from skmoe.datasets import make_mixture_of_experts
from skmoe.experts import (
    GammaExperts,
    LinearExperts,
    LogisticExperts,
    MultinomialExperts,
    PoissonExperts,
)
from skmoe.fitters import EM, GradientAscent
from skmoe.fitters.watch import Stop, Watch, visit
from skmoe.gates import ConstantGate, SoftmaxGate
from skmoe.mixture import Mixture
from skmoe.starts import settle

ARRIVED = 1e-6
MOST_PASSES = 5000
# A rival is over when so many passes raise its bound by less than this for each row.
ROUNDS, LEAST_RISE = 40, 1e-9


class Rival:
    """A way of learning that lives here only: ``walk`` goes on until its watch stops it."""

    def __init__(self, walk):
        self.walk = walk

    def fit(self, mixture, theta, batches, *, max_iter, tol, on_pass=None):
        watch = Watch(max_iter, on_pass)

        def look(vector):
            place = visit(mixture, theta.unflatten(vector), batches)
            watch.note(place)
            bounds, least = watch.bounds, LEAST_RISE * place.statistics.total
            if len(bounds) > ROUNDS and bounds[-1] - bounds[-ROUNDS] < least:
                raise Stop("converged")
            return place

        try:
            self.walk(mixture, theta.flatten(), look)
            reason = "converged"
        except Stop as stop:
            reason = str(stop)
        return watch.result(reason)


def mapped(mixture, place):
    """Return where one step of EM leads from a place."""
    return mixture.m_step(place.theta, place.statistics).flatten()


def squarem(mixture, vector, look):
    """SQUAREM, scheme S3 (Varadhan and Roland 2008), with a fall back to EM."""
    place = look(vector)
    while True:
        start = place.theta.flatten()
        once = look(mapped(mixture, place))
        twice = mapped(mixture, once)
        r = once.theta.flatten() - start
        v = twice - once.theta.flatten() - r
        if not np.linalg.norm(v) > 0:
            return
        length = -max(np.linalg.norm(r) / np.linalg.norm(v), 1.0)
        trial = look(start - 2.0 * length * r + length**2 * v)
        # The authors' own program lets the bound sink by one, too.
        place = trial if trial.bound >= once.bound - 1.0 else look(twice)


def anderson(mixture, vector, look, memory=5):
    """Anderson's acceleration of the map (Walker and Ni 2011), falling back where it sinks."""
    place, points, steps = look(vector), [], []
    while True:
        points.append(place.theta.flatten())
        steps.append(mapped(mixture, place) - points[-1])
        points, steps = points[-memory - 1 :], steps[-memory - 1 :]
        target = points[-1] + steps[-1]
        if len(steps) > 1:
            change = np.diff(np.array(steps), axis=0).T
            weights = np.linalg.lstsq(change, steps[-1], rcond=1e-10)[0]
            target -= (np.diff(np.array(points), axis=0).T + change) @ weights
        trial = look(target)
        if trial.bound < place.bound:
            trial = look(points[-1] + steps[-1])
            points, steps = [], []
        if not trial.bound > place.bound - 1e-9 * abs(place.bound):
            return
        place = trial


def switch(mixture, vector, look, warm_up=6):
    """A few steps of EM, then L-BFGS on the observed likelihood."""
    place = look(vector)
    for _ in range(warm_up):
        place = look(mapped(mixture, place))
    total = place.statistics.total

    def descent(vector):
        there = look(vector)
        if not np.isfinite(there.bound):
            return np.inf, np.zeros_like(vector)
        slope = mixture.gradient(there.theta, there.statistics)
        return -there.bound / total, -slope / total

    options = {"maxiter": MOST_PASSES, "maxfun": MOST_PASSES, "maxcor": 30, "ftol": 0, "gtol": 0}
    minimize(descent, place.theta.flatten(), jac=True, method="L-BFGS-B", options=options)


class Epochs:
    """Mini-batches with a rate that falls over 100 epochs."""

    def __init__(self, solver, rate):
        self.ascent = GradientAscent(solver, learning_rate_init=rate, n_iter_no_change=100)

    def fit(self, *args, max_iter, **kwargs):
        return self.ascent.fit(*args, max_iter=101, **kwargs)


ACCELERATORS = {
    "plain EM": EM(acceleration=None),
    "quasi-Newton (default)": EM(),
    "SQUAREM": Rival(squarem),
    "Anderson, 5": Rival(anderson),
    "6 EM, then L-BFGS": Rival(switch),
}
FITTERS = {
    "EM": EM(),
    "EM, plain": EM(acceleration=None),
    "L-BFGS": GradientAscent(),
    "Adam": Epochs("adam", 0.02),
    "SGD": Epochs("sgd", 0.1),
}


def drawn(n, d, K, seed, **kwargs):
    X, y, _ = make_mixture_of_experts(n, d, K, random_state=seed, **kwargs)
    return X, ((y - y.mean()) / y.std())[:, None]


def classes(n, d, K, seed):
    X, y = drawn(n, d, K, seed, noise=0.3)
    return X, (y > [[-0.3]]) * [[0.0, 1.0]] + (y <= -0.3) * [[1.0, 0.0]]


def counts(n, d, K, seed):
    X, y = drawn(n, d, K, seed, noise=0.3)
    return X, np.random.RandomState(seed).poisson(np.exp(np.clip(y, -3, 3))).astype(float)


PROBLEMS = {
    "easy": (3, LinearExperts(), SoftmaxGate(), lambda seed: drawn(4000, 4, 3, seed, noise=0.3)),
    "overlapping": (
        *(4, LinearExperts(), SoftmaxGate()),
        lambda seed: drawn(4000, 5, 4, seed, noise=3.0, gate_slope=0.5),
    ),
    "no gate": (
        *(3, LinearExperts(), ConstantGate()),
        lambda seed: drawn(4000, 3, 3, seed, noise=1.5, gate_slope=0.0),
    ),
    "8 experts": (
        *(8, LinearExperts(), SoftmaxGate()),
        lambda seed: drawn(4000, 4, 8, seed, noise=0.5),
    ),
    "two classes": (3, LogisticExperts(), SoftmaxGate(), lambda seed: classes(4000, 4, 3, seed)),
    "counts": (3, PoissonExperts(), SoftmaxGate(), lambda seed: counts(4000, 3, 3, seed)),
}


def run(ways, problem, seed):
    """Return the bounds and the clock of every way from one start, and the rows' weight."""
    K, experts, gate, draw = problem
    X, y = draw(seed)
    X = np.asfortranarray((X - X.mean(axis=0)) / X.std(axis=0))
    batches = InMemory(Block(X, X, np.asfortranarray(y), np.ones(len(X))))
    mixture = Mixture(experts, gate, LogLikelihood())
    share = np.random.RandomState(seed).dirichlet(np.full(K, 0.3), size=len(X))
    theta = settle(mixture, batches, share)
    found = {}
    for name, way in ways.items():
        clock = [time.perf_counter()]
        result = way.fit(
            mixture, theta, batches, max_iter=MOST_PASSES, tol=1e-10,
            on_pass=lambda *_, clock=clock: clock.append(time.perf_counter()),
        )  # fmt: skip
        found[name] = np.array(result.bounds) / len(X), np.diff(clock).cumsum()
    return found


def table(ways, n_starts):
    """Print, for every problem, median passes and milliseconds, and how often a way arrived."""
    print(f"| | {' | '.join(ways)} |\n|---|{'---|' * len(ways)}")
    for name, problem in PROBLEMS.items():
        rows = {way: [] for way in ways}
        for seed in range(n_starts):
            found = run(ways, problem, seed)
            best = max(bounds.max() for bounds, _ in found.values())
            for way, (bounds, clock) in found.items():
                at = np.flatnonzero(bounds >= bounds.max() - ARRIVED)[0]
                rows[way].append((at + 1, 1e3 * clock[at], bounds.max() >= best - ARRIVED))
        cells = []
        for way in ways:
            passes, milliseconds, _ = np.median(np.array(rows[way], dtype=float), axis=0)
            highest = sum(each[2] for each in rows[way])
            cells.append(f"{passes:.0f}, {milliseconds:.0f} ms ({highest}/{n_starts})")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


FAMILIES = {
    "gaussian": LinearExperts(alpha=0.0),
    "poisson": PoissonExperts(alpha=0.0),
    "Gamma": GammaExperts(link="inverse", alpha=0.0),
    "binomial": MultinomialExperts(alpha=0.0),
}
MAXIMIZERS = ("EM", "EM, plain", "L-BFGS")


def published(folder, case):
    """Return a published case: its mixture with penalties at zero, X, y and what fit takes."""
    rows = np.genfromtxt(folder / f"cases/{case['name']}.csv", delimiter=",", skip_header=1)
    header = (folder / f"cases/{case['name']}.csv").read_text().splitlines()[0].split(",")
    of = {kind: [i for i, name in enumerate(header) if name.startswith(kind)] for kind in "egyo"}
    n_own, has_gate = len(of["e"]) - 1, bool(of["g"])
    X = rows[:, of["e"][1:] + of["g"][1:]]
    y = rows[:, of["y"]]
    mixture = MixtureOfExpertsRegressor(
        case["n_experts"],
        experts=FAMILIES[case["family"]],
        gate=SoftmaxGate(alpha=0.0) if has_gate else "constant",
        expert_features=list(range(n_own)),
        gate_features=list(range(n_own, X.shape[1])) if has_gate else None,
        random_state=0,
    )
    if case["equal_variance"]:
        mixture.set_params(experts__tied=True)
    extra = {"offset": rows[:, of["o"][0]]} if of["o"] else {}
    return mixture, X, y[:, 0] if y.shape[1] == 1 else y, extra


def reference(folder):
    """Print passes and milliseconds from where the search ends, and the widest gap, per case."""
    names = " | ".join(MAXIMIZERS)
    print(f"| | rows | {names} | gap, nats a row |\n|---|---|{'---|' * len(MAXIMIZERS)}---|")
    for case in json.loads((folder / "reference_cases.json").read_text()):
        mixture, X, y, extra = published(folder, case)
        start = mixture.set_params(max_iter=1).fit(X, y, **extra)
        cells, bounds = [], []
        for name in MAXIMIZERS:
            est = deepcopy(start).set_params(
                fitter=FITTERS[name], max_iter=MOST_PASSES, tol=1e-10, warm_start=True
            )
            begin = time.perf_counter()
            est.fit(X, y, **extra)
            cells.append(f"{est.n_passes_}, {1e3 * (time.perf_counter() - begin):.0f} ms")
            bounds.append(est.lower_bound_ / len(X))
        gap = max(bounds) - min(bounds)
        print(f"| {case['name']} | {len(X)} | {' | '.join(cells)} | {gap:.0e} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", default=["accelerators", "fitters"])
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument(
        "--cases", type=Path, help="folder of reference_cases.json, for `reference`"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        for name in options.tables:
            if name == "reference":
                print("\npublished cases: passes and milliseconds to the end\n")
                reference(options.cases)
            else:
                print(f"\n{name}: median passes and milliseconds (highest/starts)\n")
                table({"accelerators": ACCELERATORS, "fitters": FITTERS}[name], options.starts)


if __name__ == "__main__":
    main()
