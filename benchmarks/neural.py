"""Figures of the sparse neural mixtures: a training step, its growth, predictions, quality."""

import argparse
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_info, threadpool_limits

from skmoe import SparseMixtureOfExpertsRegressor
from skmoe.neural.heads import SquaredError
from skmoe.neural.network import Plan, build_network
from skmoe.neural.routers import build_router
from skmoe.neural.training import Rows, Session, TrainingOptions, _Loop

D, HIDDEN, EXPERTS, K, BATCH = 32, 64, 16, 2, 1024


def milliseconds(functions, repeats=15, calls=10):
    """Median wall time of each of the functions, called in turns."""
    for function in functions.values():
        function()
    times = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            start = time.perf_counter()
            for _ in range(calls):
                function()
            times[name].append(1e3 * (time.perf_counter() - start) / calls)
    return {name: float(np.median(values)) for name, values in times.items()}


def rows(n=50_000, seed=0):
    """Rows of the problem that steps are timed on."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, D)).astype(np.float32)
    y = np.sin(X[:, :1]) * X[:, 1:2] + 0.1 * rng.standard_normal((n, 1)).astype(np.float32)
    return X, y


def our_step(router, n_experts=EXPERTS, n=50_000):
    """A function that trains on the next batch of an epoch."""
    X, y = rows(n)
    name = None if router is None else build_router(router, K)
    hidden = K * HIDDEN if router is None else HIDDEN
    network = build_network(Plan(name, n_experts, hidden), SquaredError(1), X)
    rng = np.random.default_rng(0)
    theta = network.init(rng).astype(np.float32)
    session = Session(theta, network.initial_state(X, rng), rng)
    options = TrainingOptions(batch_size=BATCH)
    data = Rows(X, y.astype(np.float32), None, network.keys(session.state, X))
    loop = _Loop(network, session, data, options)
    order, place = rng.permutation(n), [0]

    def step():
        place[0] = (place[0] + BATCH) % (n - BATCH)
        index = order[place[0] : place[0] + BATCH]
        loop._step(index, loop._run(index, 0.0, watch=False), 0.0)

    return step


def bare_products():
    """The six products of every expert with BATCH * K / EXPERTS rows."""
    rng = np.random.default_rng(0)
    m = BATCH * K // EXPERTS
    x = rng.standard_normal((EXPERTS, m, D)).astype(np.float32)
    W = rng.standard_normal((EXPERTS, D, HIDDEN)).astype(np.float32)
    V = rng.standard_normal((EXPERTS, HIDDEN, D)).astype(np.float32)

    def products():
        for e in range(EXPERTS):
            a = x[e] @ W[e]
            y = a @ V[e]
            da, _ = y @ V[e].T, a.T @ y
            _, _ = da @ W[e].T, x[e].T @ da

    return products


def torch_steps():
    """The same training step in PyTorch: loop over experts, sorted and stacked, batched product."""
    try:
        import torch
    except ImportError:
        print("torch is not installed; skipped")
        return {}
    from torch import nn

    X, y = (torch.from_numpy(A) for A in rows())

    class Mixture(nn.Module):
        """y = head(x + sum of the top k experts)."""

        def __init__(self, ask):
            super().__init__()
            self.ask = ask
            self.gate, self.head = nn.Linear(D, EXPERTS), nn.Linear(D, 1)
            scale = D**-0.5
            self.W = nn.Parameter(scale * torch.randn(EXPERTS, D, HIDDEN))
            self.b = nn.Parameter(torch.zeros(EXPERTS, 1, HIDDEN))
            self.V = nn.Parameter(scale * torch.randn(EXPERTS, HIDDEN, D))
            self.c = nn.Parameter(torch.zeros(EXPERTS, 1, D))

        def forward(self, x):
            p = torch.softmax(self.gate(x), dim=1)
            weight, experts = p.topk(K, dim=1)
            weight = weight / weight.sum(dim=1, keepdim=True)
            share = torch.bincount(experts.ravel(), minlength=EXPERTS) / experts.numel()
            loss = 0.01 * EXPERTS * (share * p.mean(dim=0)).sum()
            return self.head(x + self.ask(self, x, weight, experts)), loss

    def loop(m, x, weight, experts):
        out = torch.zeros_like(x)
        for e in range(EXPERTS):
            row, choice = torch.where(experts == e)
            hidden = torch.relu(x[row] @ m.W[e] + m.b[e])
            out.index_add_(0, row, weight[row, choice, None] * (hidden @ m.V[e] + m.c[e]))
        return out

    def by_sorting(m, x, weight, experts):
        order = experts.ravel().argsort()
        row = order // K
        counts = torch.bincount(experts.ravel(), minlength=EXPERTS).tolist()
        parts = x[row].split(counts)
        answers = torch.cat(
            [torch.relu(part @ m.W[e] + m.b[e]) @ m.V[e] + m.c[e] for e, part in enumerate(parts)]
        )
        return torch.zeros_like(x).index_add(0, row, weight.ravel()[order, None] * answers)

    def batched(m, x, weight, experts):
        flat = experts.ravel()
        order = flat.argsort(stable=True)
        counts = torch.bincount(flat, minlength=EXPERTS)
        starts = counts.cumsum(0) - counts
        place = torch.arange(len(flat)) - starts[flat[order]]
        size = int(counts.max())
        row = order // K
        slots = x.new_zeros(EXPERTS, size, D).index_put((flat[order], place), x[row])
        answers = torch.bmm(torch.relu(torch.bmm(slots, m.W) + m.b), m.V) + m.c
        answers = weight.ravel()[order, None] * answers[flat[order], place]
        return torch.zeros_like(x).index_add(0, row, answers)

    def stepper(ask):
        torch.manual_seed(0)
        model = Mixture(ask)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        order, place = torch.randperm(len(X)), [0]

        def step():
            place[0] = (place[0] + BATCH) % (len(X) - BATCH)
            index = order[place[0] : place[0] + BATCH]
            optimizer.zero_grad()
            answer, loss = model(X[index])
            (0.5 * (answer - y[index]).square().mean() + loss).backward()
            optimizer.step()

        return step

    return {
        f"torch {name}": stepper(ask)
        for name, ask in (("loop", loop), ("sorted", by_sorting), ("batched", batched))
    }


def steps(options):
    """A training step of 1,024 rows, d=32, 16 experts of 64, top 2, Adam; milliseconds."""
    functions = {"bare products": bare_products()}
    functions |= {
        f"skmoe {router}": our_step(router) for router in ("top_k", "noisy_top_k", "switch")
    }
    functions["skmoe dense net, equal active parameters"] = our_step(None)
    functions |= torch_steps()
    for threads in (1, 2):
        set_threads(threads)
        with threadpool_limits(threads if threads == 1 else None, "blas"):
            found = milliseconds(functions)
        print(f"{threads} threads")
        for name, value in found.items():
            print(f"  {name:45s} {value:7.2f} ms")
        ours, bare = found["skmoe top_k"], found["bare products"]
        print(f"  top_k over bare products: {ours / bare:.2f}")
        theirs = [value for name, value in found.items() if name.startswith("torch")]
        if theirs:
            print(f"  top_k over the best of torch: {ours / min(theirs):.2f}")


def set_threads(threads):
    """Tell PyTorch, if it is there, how many threads to use."""
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(threads)


def growth(options):
    """The same step with 8 to 128 experts."""
    with threadpool_limits(1, "blas"):
        for router in ("top_k", "noisy_top_k", "switch"):
            found = milliseconds({n: our_step(router, n) for n in (8, 16, 32, 64, 128)})
            listed = ", ".join(f"{n}: {value:.2f}" for n, value in found.items())
            print(f"{router}: {listed} ms; 128 over 8: {found[128] / found[8]:.2f}")


def predictions(options):
    """predict for 50,000 rows against MLPRegressor's with equal active parameters."""
    X, y = (A.astype(np.float64) for A in rows())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = SparseMixtureOfExpertsRegressor(EXPERTS, K, router="top_k", max_iter=2)
        dense = MLPRegressor(hidden_layer_sizes=(K * HIDDEN, D), max_iter=2)
        for model in (ours, dense):
            model.fit(X[:5000], y[:5000, 0])
    for threads in (1, 2):
        with threadpool_limits(threads, "blas"):
            found = milliseconds(
                {"ours": partial(ours.predict, X), "dense": partial(dense.predict, X)}, 9, 1
            )
        print(
            f"{threads} threads: ours {found['ours']:.1f} ms, MLPRegressor "
            f"{found['dense']:.1f} ms, ratio {found['ours'] / found['dense']:.2f}"
        )


SECTIONS = (steps, growth, predictions)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    names = [section.__name__ for section in SECTIONS]
    parser.add_argument("sections", nargs="*", default=names, help=", ".join(names))
    parser.add_argument("--uci", default=None, type=Path, help="folder of NAME/data.csv")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("BLAS threads:", [library["num_threads"] for library in threadpool_info()])
    for section in SECTIONS:
        if section.__name__ in options.sections:
            print(f"\n== {section.__doc__}")
            section(options)


if __name__ == "__main__":
    main()
