"""Ours beside other implementations: CPU seconds, their ratios, and held-out log-densities.

All see the same rows in one call. A peer that is not installed is skipped with a line; one that
takes too long is stopped.
"""

import argparse
import json
import multiprocessing
import os
import platform
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.special import log_softmax, logsumexp
from scipy.stats import norm
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from skmoe import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from skmoe.datasets import make_mixture_of_experts

SCRIPT = Path(__file__).with_suffix(".R")


def cpu_seconds(function):
    """Return what a call returns, and the CPU seconds of this process that it took."""
    start = time.process_time()
    answer = function()
    return answer, time.process_time() - start


def ours(data, K, n_init=None, classes=False):
    """A mixture of ours; n_init=None is the default search for a start."""
    X, y, X_new, y_new = data
    chosen = {} if n_init is None else {"n_init": n_init}
    kind = MixtureOfExpertsClassifier if classes else MixtureOfExpertsRegressor
    est, seconds = cpu_seconds(lambda: kind(K, random_state=0, **chosen).fit(X, y))
    return seconds, est.score_samples(X_new, y_new).mean()


def cgmm(data, K):
    """The mixture of experts of cgmm."""
    from cgmm import MixtureOfExpertsRegressor as Peer

    X, y, X_new, y_new = data
    est, seconds = cpu_seconds(lambda: Peer(n_components=K, random_state=0).fit(X, y))
    return seconds, np.mean(est.log_prob(X_new, y_new))


def gmr(data, K):
    """A joint Gaussian mixture by gmr, conditioned on x."""
    from gmr import GMM

    X, y, X_new, y_new = data
    joint = GMM(n_components=K, random_state=0)
    rows = np.column_stack([X, y])
    _, seconds = cpu_seconds(lambda: joint.from_samples(rows, init_params="kmeans++"))
    d = X.shape[1]
    features = GMM(K, joint.priors, joint.means[:, :d], joint.covariances[:, :d, :d])
    density = joint.to_probability_density(np.column_stack([X_new, y_new]))
    return seconds, np.mean(np.log(density) - np.log(features.to_probability_density(X_new)))


def joint_gaussian(data, K):
    """A joint GaussianMixture of scikit-learn, conditioned on x."""
    X, y, X_new, y_new = data
    joint = GaussianMixture(K, random_state=0)
    _, seconds = cpu_seconds(lambda: joint.fit(np.column_stack([X, y])))
    d = X.shape[1]
    features = GaussianMixture(K)
    features.weights_, features.means_ = joint.weights_, joint.means_[:, :d]
    precisions = np.linalg.inv(joint.covariances_[:, :d, :d])
    features.precisions_cholesky_ = np.linalg.cholesky(precisions)
    whole = joint.score_samples(np.column_stack([X_new, y_new]))
    return seconds, np.mean(whole - features.score_samples(X_new))


def neural_trees(data, K):
    """The hierarchical mixture of neural-trees: two experts at each of two nodes."""
    import torch
    from neural_trees import HierarchicalMixtureOfExperts

    # PyTorch comes with threads of its own; all contestants have one.
    torch.set_num_threads(1)
    X, y, X_new, y_new = data
    est = HierarchicalMixtureOfExperts(random_state=0)
    _, seconds = cpu_seconds(lambda: est.fit(X, y))
    probability = est.predict_proba(X_new)[np.arange(len(y_new)), y_new]
    return seconds, np.mean(np.log(probability))


def with_r(package, data, K):
    """A mixture by a package of R; the time is R's own, of the fit alone."""
    X, y, X_new, y_new = data
    with tempfile.TemporaryDirectory() as folder:
        table, answer = Path(folder) / "rows.csv", Path(folder) / "answer.csv"
        names = ",".join([*(f"x{j}" for j in range(X.shape[1])), "y"])
        np.savetxt(table, np.column_stack([X, y]), "%.17g", ",", header=names, comments="")
        call = ["Rscript", SCRIPT, package, table, str(K), "1", answer]
        subprocess.run(call, check=True, capture_output=True)
        learned = np.loadtxt(answer, delimiter=",")
    line, sigma, gate = np.split(learned[:-1], [X.shape[1] + 1, X.shape[1] + 2])
    A = np.column_stack([np.ones(len(X_new)), X_new])
    density = norm.logpdf(y_new[:, None], A @ line, sigma) + log_softmax(A @ gate, axis=1)
    return learned[-1, 0], logsumexp(density, axis=1).mean()


def has_r(package):
    """Return whether R and a package of it are installed."""
    if shutil.which("Rscript") is None:
        return False
    call = ["Rscript", "-e", f"library({package})"]
    return subprocess.run(call, capture_output=True).returncode == 0


def has_module(name):
    """Return whether a module of Python is installed."""
    return find_spec(name) is not None


# Name, what has to be there, how it is fitted.
REGRESSORS = [
    ("skmoe, single start", None, partial(ours, n_init=1)),
    ("skmoe, default", None, ours),
    ("flexmix, single start", partial(has_r, "flexmix"), partial(with_r, "flexmix")),
    ("mixtools, no gate", partial(has_r, "mixtools"), partial(with_r, "mixtools")),
    ("cgmm", partial(has_module, "cgmm"), cgmm),
    ("gmr, joint", partial(has_module, "gmr"), gmr),
    ("GaussianMixture, joint", None, joint_gaussian),
]
CLASSIFIERS = [
    ("skmoe, single start", None, partial(ours, n_init=1, classes=True)),
    ("skmoe, default", None, partial(ours, classes=True)),
    ("neural-trees", partial(has_module, "neural_trees"), neural_trees),
]


def regression(n_rows, d, K, features):
    """Return rows to learn from and as many held out, and the truth's log-density of these."""
    X, y, truth = make_mixture_of_experts(2 * n_rows, d, K, features=features, random_state=0)
    data = X[:n_rows], y[:n_rows], X[n_rows:], y[n_rows:]
    return data, truth.score_samples(*data[2:]).mean()


def classification(n_rows, d, K, n_classes=3):
    """Return rows whose classes logistic experts drew, and the truth's log-probability."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((2 * n_rows, d))
    gate = log_softmax(X @ rng.standard_normal((d, K)) + 0.5 * rng.standard_normal(K), axis=1)
    coef = 1.5 * rng.standard_normal((K, d, n_classes))
    experts = log_softmax(np.einsum("nd,kdc->nkc", X, coef) + rng.standard_normal((K, 3)), axis=2)
    log_probability = logsumexp(gate[:, :, None] + experts, axis=1)
    reached = np.cumsum(np.exp(log_probability), axis=1)
    y = (rng.uniform(size=(len(X), 1)) > reached[:, :-1]).sum(axis=1)
    data = X[:n_rows], y[:n_rows], X[n_rows:], y[n_rows:]
    return data, log_probability[np.arange(len(y)), y][n_rows:].mean()


def _work(pipe, fit, data, K):
    # A group of its own, in which programs of other languages end with it.
    os.setsid()
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        pipe.send(fit(data, K))


def within(limit, fit, data, K):
    """Return CPU seconds and held-out log-density of a fit, or None if it takes too long."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    worker = context.Process(target=_work, args=(sender, fit, data, K))
    worker.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(limit) else None
    except EOFError:
        return None
    finally:
        if worker.is_alive():
            os.killpg(worker.pid, signal.SIGTERM)
        worker.join()


def compare(title, data, truth, K, contestants, limit):
    """Print a table of contestants, and return its rows."""
    print(f"\n== {title}: {len(data[0])} rows, {data[0].shape[1]} features, {K} experts")
    print(f"{'':<24}{'CPU s':>9}{'/ single':>10}{'/ default':>10}{'held-out nats':>15}")
    print(f"{'truth':<24}{'':>29}{truth:>15.4f}")
    rows = []
    for name, is_there, fit in contestants:
        if is_there is not None and not is_there():
            print(f"{name:<24}not installed; skipped")
            continue
        answer = within(limit, fit, data, K)
        if answer is None:
            print(f"{name:<24}stopped after {limit} s, or failed")
            continue
        rows.append((name, *answer))
        base = [seconds for _, seconds, _ in rows[:2]]
        ratios = "".join(f"{answer[0] / each:>10.1f}" for each in base)
        print(f"{name:<24}{answer[0]:>9.2f}{ratios:<20}{answer[1]:>15.4f}", flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    names = ["normal", "mixed", "classes"]
    parser.add_argument("tables", nargs="*", default=names, help=", ".join(names))
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--features", type=int, default=10)
    parser.add_argument("--experts", type=int, default=4)
    parser.add_argument("--limit", type=float, default=180.0, help="seconds a peer may take")
    parser.add_argument("--json", default=None, help="file for the figures")
    options = parser.parse_args()
    size = options.rows, options.features, options.experts
    K, limit = options.experts, options.limit
    print(platform.platform(), platform.processor(), "one BLAS thread")
    tables = {}
    for features in [name for name in names[:2] if name in options.tables]:
        data, truth = regression(*size, features)
        tables[features] = compare(f"{features} X", data, truth, K, REGRESSORS, limit)
    if "classes" in options.tables:
        data, truth = classification(*size)
        tables["classes"] = compare("3 classes", data, truth, K, CLASSIFIERS, limit)
    if options.json:
        Path(options.json).write_text(json.dumps(tables, indent=1))


if __name__ == "__main__":
    main()
