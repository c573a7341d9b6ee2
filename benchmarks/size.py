"""A mapped file of many rows: peak memory of a fit, and a pass against one in memory.

The file is written to FOLDER unless it is there already: rows x (features + 1) float64.
Run it alone, with OPENBLAS_NUM_THREADS=1: ``python benchmarks/size.py FOLDER``.
"""

import argparse
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from skmoe import MixtureOfExpertsRegressor
from skmoe.datasets import make_mixture_of_experts
from skmoe.fitters import EM

CHUNK = 100_000


def mapped(folder, name, shape, mode="r"):
    """Open an array of float64 in a file."""
    return np.memmap(folder / name, np.float64, mode, shape=shape)


def write(folder, n, d, K, noise=0.5):
    """Write rows of a mixture of linear experts, a chunk at a time."""
    X, y = mapped(folder, "X", (n, d), "w+"), mapped(folder, "y", (n,), "w+")
    truth = make_mixture_of_experts(1000, d, K, noise=noise, random_state=0)[2]
    rng = np.random.default_rng(0)
    for start in range(0, n, CHUNK):
        rows = rng.standard_normal((min(CHUNK, n - start), d))
        scores = truth.gate_intercept + rows @ truth.gate_coef.T
        expert = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
        means = (truth.intercept + rows @ truth.coef.T)[np.arange(len(rows)), expert]
        X[start : start + len(rows)] = rows
        y[start : start + len(rows)] = means + noise * rng.standard_normal(len(rows))
    X.flush()
    y.flush()


def anonymous_megabytes():
    """Return the memory of this process that is not pages of a file (Linux)."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) / 1024


@contextmanager
def peak_memory():
    """Yield a list whose one number is the highest use of memory above the one at entry."""
    base, peak, over = anonymous_megabytes(), [0.0], threading.Event()

    def watch():
        while not over.wait(0.02):
            peak[0] = max(peak[0], anonymous_megabytes() - base)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def seconds_of_passes(X, y, K, start, passes):
    """Return the seconds of a fit of so many plain passes from a fitted place."""
    est = start.set_params(max_iter=passes, tol=0.0, warm_start=True, fitter=EM(acceleration=None))
    begin = time.perf_counter()
    est.fit(X, y)
    return time.perf_counter() - begin


def per_pass(X, y, K, random_state=0):
    """Return the seconds of one pass: ten passes less five, so that what is done once drops out."""
    few = MixtureOfExpertsRegressor(K, random_state=random_state, n_init=1).fit(X[:5000], y[:5000])
    return (seconds_of_passes(X, y, K, few, 10) - seconds_of_passes(X, y, K, few, 5)) / 5


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--experts", type=int, default=4)
    options = parser.parse_args()
    n, d, K = options.rows, options.features, options.experts
    warnings.simplefilter("ignore")
    if not (options.folder / "y").exists():
        write(options.folder, n, d, K)
    X, y = mapped(options.folder, "X", (n, d)), mapped(options.folder, "y", (n,))
    with peak_memory() as peak:
        begin = time.perf_counter()
        est = MixtureOfExpertsRegressor(K, random_state=0).fit(X, y)
        took = time.perf_counter() - begin
    passes = f"{est.n_passes_} passes after {est.n_search_passes_} of the search"
    print(f"{n} x {d} mapped rows: {took:.0f} s, {passes}")
    print(f"peak above the imports {peak[0]:.0f} MB, pages of the file not counted")
    m = n // 10
    mapped_row = per_pass(X, y, K) / n
    memory_row = per_pass(np.array(X[:m]), np.array(y[:m]), K) / m
    print(f"pass and row, mapped against {m} rows in memory: {mapped_row / memory_row:.2f}")


if __name__ == "__main__":
    main()
