"""Figures of the sparse neural mixtures: a training step, its growth, predictions, quality."""

import argparse
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from threadpoolctl import ThreadpoolController, threadpool_info, threadpool_limits

from skmoe import MixtureOfExpertsEnsemble, SparseMixtureOfExpertsRegressor
from skmoe._math.optimizers import adam
from skmoe.neural.heads import SquaredError
from skmoe.neural.network import Plan, build_network
from skmoe.neural.routers import build_router
from skmoe.neural.training import Rows, Session, TrainingOptions, _Loop

D, HIDDEN, EXPERTS, K, BATCH = 32, 64, 16, 2, 1024
ROUTERS = ("top_k", "noisy_top_k", "switch", "gshard", "deepseek", "expert_choice")


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


def bare_products(n_experts=EXPERTS):
    """The six products of every expert with BATCH * K / n_experts rows."""
    rng = np.random.default_rng(0)
    m = BATCH * K // n_experts
    x = rng.standard_normal((n_experts, m, D)).astype(np.float32)
    W = rng.standard_normal((n_experts, D, HIDDEN)).astype(np.float32)
    V = rng.standard_normal((n_experts, HIDDEN, D)).astype(np.float32)

    def products():
        for e in range(n_experts):
            a = x[e] @ W[e]
            y = a @ V[e]
            da, _ = y @ V[e].T, a.T @ y
            _, _ = da @ W[e].T, x[e].T @ da

    return products


def bare_adam(n_experts):
    """Adam over the numbers of the experts."""
    rng = np.random.default_rng(0)
    size = n_experts * ((D + 1) * HIDDEN + (HIDDEN + 1) * D)
    theta, gradient = rng.standard_normal((2, size)).astype(np.float32)
    optimizer = adam()
    state = optimizer.init(theta)
    return partial(optimizer.update, theta, gradient, state, 1e-3, in_place=True)


def torch_steps(n_experts=EXPERTS):
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
            self.gate, self.head = nn.Linear(D, n_experts), nn.Linear(D, 1)
            scale = D**-0.5
            self.W = nn.Parameter(scale * torch.randn(n_experts, D, HIDDEN))
            self.b = nn.Parameter(torch.zeros(n_experts, 1, HIDDEN))
            self.V = nn.Parameter(scale * torch.randn(n_experts, HIDDEN, D))
            self.c = nn.Parameter(torch.zeros(n_experts, 1, D))

        def forward(self, x):
            p = torch.softmax(self.gate(x), dim=1)
            weight, experts = p.topk(K, dim=1)
            weight = weight / weight.sum(dim=1, keepdim=True)
            share = torch.bincount(experts.ravel(), minlength=n_experts) / experts.numel()
            loss = 0.01 * n_experts * (share * p.mean(dim=0)).sum()
            return self.head(x + self.ask(self, x, weight, experts)), loss

    def loop(m, x, weight, experts):
        out = torch.zeros_like(x)
        for e in range(n_experts):
            row, choice = torch.where(experts == e)
            hidden = torch.relu(x[row] @ m.W[e] + m.b[e])
            out.index_add_(0, row, weight[row, choice, None] * (hidden @ m.V[e] + m.c[e]))
        return out

    def by_sorting(m, x, weight, experts):
        order = experts.ravel().argsort()
        row = order // K
        counts = torch.bincount(experts.ravel(), minlength=n_experts).tolist()
        parts = x[row].split(counts)
        answers = torch.cat(
            [torch.relu(part @ m.W[e] + m.b[e]) @ m.V[e] + m.c[e] for e, part in enumerate(parts)]
        )
        return torch.zeros_like(x).index_add(0, row, weight.ravel()[order, None] * answers)

    def batched(m, x, weight, experts):
        flat = experts.ravel()
        order = flat.argsort(stable=True)
        counts = torch.bincount(flat, minlength=n_experts)
        starts = counts.cumsum(0) - counts
        place = torch.arange(len(flat)) - starts[flat[order]]
        size = int(counts.max())
        row = order // K
        slots = x.new_zeros(n_experts, size, D).index_put((flat[order], place), x[row])
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
    functions |= {f"skmoe {router}": our_step(router) for router in ROUTERS}
    functions["skmoe dense net, equal active parameters"] = our_step(None)
    functions |= torch_steps()
    # `fit` holds BLAS to one thread, whatever it may use; PyTorch takes what it is given.
    ours = ThreadpoolController().select(internal_api="openblas")
    for threads in (1, 2):
        set_threads(threads)
        with ours.limit(limits=1):
            found = milliseconds(functions)
        print(f"{threads} threads")
        for name, value in found.items():
            print(f"  {name:45s} {value:7.2f} ms")
        theirs = [value for name, value in found.items() if name.startswith("torch")]
        for router in ROUTERS:
            step = found[f"skmoe {router}"]
            line = f"  {router} over bare products: {step / found['bare products']:.2f}"
            if theirs:
                line += f", over the best of torch: {step / min(theirs):.2f}"
            print(line)


def set_threads(threads):
    """Tell PyTorch, if it is there, how many threads to use."""
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(threads)


def growth(options):
    """The same step with 8 to 128 experts, beside its parts that grow and beside PyTorch."""
    numbers = (8, 16, 32, 64, 128)
    set_threads(1)
    makers = {"bare products": bare_products, "bare Adam": bare_adam}
    makers |= {router: partial(our_step, router) for router in ("top_k", "noisy_top_k", "switch")}
    # One after the other: in turns, they would throw each other out of the cache.
    with threadpool_limits(1, "blas"):
        for name, make in makers.items():
            print_growth(name, milliseconds({n: make(n) for n in numbers}))
        theirs = {n: torch_steps(n) for n in numbers}
        for name in theirs[8]:
            print_growth(name, milliseconds({n: theirs[n][name] for n in numbers}, 7, 5))


def print_growth(name, found):
    """Print milliseconds by number of experts."""
    listed = ", ".join(f"{n}: {value:.2f}" for n, value in found.items())
    print(f"  {name}: {listed} ms; 128 over 8: {found[128] / found[8]:.2f}", flush=True)


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


def regimes(seed, n=12_000, d=4, n_regimes=12, noise=0.1):
    """Rows whose nearest of 12 centers says which line, with a jump between them, holds."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, (n, d))
    centers, slopes = rng.uniform(-2, 2, (n_regimes, d)), rng.standard_normal((n_regimes, d))
    nearest = ((X[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    y = (X * slopes[nearest]).sum(axis=1) + rng.standard_normal(n_regimes)[nearest]
    return X, y + noise * rng.standard_normal(n)


def errors(data, settings, seeds=5):
    """Print root mean squared errors on held-out rows of settings, mean and deviation."""
    for name, changes in settings.items():
        found, dead = [], 0
        for seed in range(seeds):
            X, y, test = data(seed)
            est = SparseMixtureOfExpertsRegressor(random_state=seed, **changes)
            est.fit(X[~test], y[~test])
            found.append(np.sqrt(np.mean((est.predict(X[test]) - y[test]) ** 2)))
            dead += sum(int(np.sum(load == 0)) for load in est.expert_load_)
        print(
            f"  {name:32s} {np.mean(found):.4f} +- {np.std(found):.4f}, dead experts {dead}",
            flush=True,
        )


def nets(**common):
    """Settings of equal active parameters: a dense net of 128, 2 experts of 64, or 1 of 128."""
    settings = {"dense net": {"router": None, "hidden": K * HIDDEN}}
    for router, n_experts in (
        ("noisy_top_k", 8),
        ("noisy_top_k", 16),
        ("top_k", 16),
        ("cosine", 8),
        ("cosine", 16),
        ("deepseek", 16),
        ("expert_choice", 16),
    ):
        settings[f"{router}, {n_experts} experts"] = {
            "router": router,
            "n_experts": n_experts,
            "top_k": K,
        }
    # Its dense network sees every row, too.
    narrow = {"router": "conditional", "n_experts": 8, "hidden": K * HIDDEN // (K + 1)}
    settings["conditional, 8 experts"] = narrow
    settings["switch, 8 experts"] = {"router": "switch", "n_experts": 8, "hidden": K * HIDDEN}
    settings["hash, 8 experts"] = {"router": "hash", "n_experts": 8, "hidden": K * HIDDEN}
    return {name: common | changes for name, changes in settings.items()}


def quality(options):
    """Held-out RMSE against a dense net of equal active parameters; 5 seeds."""

    def generated(seed):
        X, y = regimes(seed)
        return X, y, np.arange(len(X)) >= 8000

    common = {"learning_rate": "cosine", "n_iter_no_change": 1000}
    print("12 regimes, 8,000 rows")
    errors(generated, nets(**common, learning_rate_init=5e-3, max_iter=100))
    if options.uci is None:
        return
    X, y, splits = read_uci(options.uci, "kin8nm")
    print("kin8nm, splits 0 to 4")
    wide = {"width": 64, "solver": "adamw", "alpha": 0.3, "dropout": 0.1}
    errors(
        lambda seed: (X, y, splits[seed]),
        nets(**common, **wide, learning_rate_init=3e-3, max_iter=60),
    )


def read_uci(folder, name):
    """Return X, y and, for every split, which rows are held out."""
    table = np.genfromtxt(folder / name / "data.csv", delimiter=",")
    table = table[~np.isnan(table).any(axis=1)]
    splits = []
    for line in (folder / name / "test_rows.csv").read_text().split():
        held_out = np.zeros(len(table), dtype=bool)
        held_out[[int(row) for row in line.split(",")]] = True
        splits.append(held_out)
    return table[:, :-1], table[:, -1], splits


RECIPE = {
    "head": "mixture",
    "n_components": 3,
    "solver": "adamw",
    "alpha": 1.0,
    "learning_rate": "cosine",
    "early_stopping": True,
    "n_iter_no_change": 1000,
}
# What the rows choose from: waves of few features, or a deeper net for many rows.
CHOICES = (
    {"numeric_embedding": "periodic", "max_iter": 300},
    {"n_blocks": 2, "dropout": 0.2, "max_iter": 100},
)


def densities(options):
    """Negative log-density on held-out rows of five nets with head="mixture", averaged.

    The settings are those of the greatest log-density of a tenth of the training rows.
    """
    if options.uci is None:
        print("needs --uci")
        return
    for name, chosen in (("energy", range(5, 10)), ("yacht", range(5, 10)), ("kin8nm", [0])):
        X, y, splits = read_uci(options.uci, name)
        found = []
        for split in chosen:
            test = splits[split]
            est = five_nets(X[~test], y[~test])
            logs = [member.score_samples(X[test], y[test]).mean() for member in est.estimators_]
            found.append((-est.score_samples(X[test], y[test]).mean(), -np.mean(logs)))
        five, one = np.mean(found, axis=0)
        print(f"  {name:8s} five nets {five:.3f}, one {one:.3f}", flush=True)


def five_nets(X, y):
    """Return the average of five nets whose settings these rows have chosen."""
    inside, outside = train_test_split(np.arange(len(X)), test_size=0.1, random_state=0)

    def average(choice, n_nets):
        net = SparseMixtureOfExpertsRegressor(**RECIPE, **choice)
        return MixtureOfExpertsEnsemble(net, n_nets, random_state=0)

    def reached(choice):
        est = average(choice, 2).fit(X[inside], y[inside])
        return est.score_samples(X[outside], y[outside]).mean()

    return average(max(CHOICES, key=reached), 5).fit(X, y)


SECTIONS = (steps, growth, predictions, quality, densities)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    names = [section.__name__ for section in SECTIONS]
    parser.add_argument("sections", nargs="*", default=names, help=", ".join(names))
    parser.add_argument("--uci", default=None, type=Path, help="folder of NAME/data.csv")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.filterwarnings("ignore", message="Experts .* see no row")
    print("BLAS threads:", [library["num_threads"] for library in threadpool_info()])
    for section in SECTIONS:
        if section.__name__ in options.sections:
            print(f"\n== {section.__doc__.splitlines()[0]}", flush=True)
            section(options)


if __name__ == "__main__":
    main()
