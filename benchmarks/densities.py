"""Predictive densities side by side: RMSE, negative log-density, CRPS and 90% coverage.

The standard splits of a folder with NAME/data.csv (last column the target) and NAME/test_rows.csv
(one line of row numbers a split). All see the same rows; settings are chosen inside each training
set. Rivals without a density of their own get one sigma: the root mean square of their errors on a
fifth of the training rows. A rival that is not installed is skipped with a line.

    python benchmarks/densities.py FOLDER --sets concrete yacht --splits 5 6 7
"""

import argparse
import time
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmoe import BayesianMixtureOfExpertsRegressor, MixtureOfExpertsEnsemble, metrics

# A Gaussian process learns its kernel and answers from at most so many rows.
GP_ROWS = 2000


def with_one_sigma(estimator, X, y, X_test):
    """Fit a point predictor; the density is a Gaussian of the errors on a fifth held out."""
    X_in, X_out, y_in, y_out = train_test_split(X, y, test_size=0.2, random_state=0)
    errors = clone(estimator).fit(X_in, y_in).predict(X_out) - y_out
    sigma = np.sqrt(np.mean(np.square(errors)))
    return stats.norm(estimator.fit(X, y).predict(X_test), sigma)


def boosting(X, y, X_test):
    """Histogram gradient boosting, tuned by cross-validation."""
    grid = {"learning_rate": [0.05, 0.1], "max_leaf_nodes": [8, 31], "max_iter": [200, 500]}
    search = GridSearchCV(HistGradientBoostingRegressor(random_state=0), grid, cv=3)
    return with_one_sigma(search.fit(X, y).best_estimator_, X, y, X_test)


def forest(X, y, X_test):
    """A random forest."""
    return with_one_sigma(RandomForestRegressor(random_state=0), X, y, X_test)


def gaussian_process(X, y, X_test):
    """A Gaussian process with a Matern kernel and one length scale a feature."""
    scale, target = StandardScaler().fit(X), StandardScaler().fit(y[:, None])
    rows = np.random.RandomState(0).permutation(len(X))[:GP_ROWS]
    kernel = ConstantKernel() * Matern(np.full(X.shape[1], 2.0), nu=2.5) + WhiteKernel(0.1)
    process = GaussianProcessRegressor(kernel).fit(
        scale.transform(X[rows]), target.transform(y[rows, None])[:, 0]
    )
    mean, std = process.predict(scale.transform(X_test), return_std=True)
    return stats.norm(mean * target.scale_ + target.mean_, std * target.scale_)


def networks(X, y, X_test):
    """Five networks that differ in their seeds."""

    class Five:
        def fit(self, X, y):
            target = StandardScaler().fit(y[:, None])
            self.target = target
            self.members = [
                make_pipeline(
                    StandardScaler(),
                    MLPRegressor((100,), early_stopping=True, max_iter=500, random_state=seed),
                ).fit(X, target.transform(y[:, None])[:, 0])
                for seed in range(5)
            ]
            return self

        def predict(self, X):
            mean = np.mean([member.predict(X) for member in self.members], axis=0)
            return mean * self.target.scale_[0] + self.target.mean_[0]

        def __sklearn_clone__(self):
            return Five()

    return with_one_sigma(Five(), X, y, X_test)


def ngboost(X, y, X_test):
    """Natural gradient boosting: 2,000 stages, stopped early on a fifth of the rows."""
    from ngboost import NGBRegressor

    X_in, X_out, y_in, y_out = train_test_split(X, y, test_size=0.2, random_state=0)
    model = NGBRegressor(n_estimators=2000, verbose=False, random_state=0)
    model.fit(X_in, y_in, X_val=X_out, Y_val=y_out, early_stopping_rounds=50)
    stages = (model.best_val_loss_itr or 1999) + 1
    model = NGBRegressor(n_estimators=stages, verbose=False, random_state=0).fit(X, y)
    answer = model.pred_dist(X_test).params
    return stats.norm(answer["loc"], answer["scale"])


def ensemble(X, y, X_test):
    """Our preset, as it is."""
    return MixtureOfExpertsEnsemble(random_state=0).fit(X, y).predict_distribution(X_test)


def single(X, y, X_test):
    """One Bayesian mixture, as it is."""
    est = BayesianMixtureOfExpertsRegressor(random_state=0)
    return est.fit(X, y).predict_distribution(X_test)


RIVALS = {
    "ensemble": ensemble,
    "single": single,
    "NGBoost": ngboost,
    "HistGB": boosting,
    "forest": forest,
    "GP": gaussian_process,
    "5 MLPs": networks,
}
NEEDS = {"NGBoost": "ngboost"}


def load(folder, name):
    """Return X, y and the row numbers of the test splits."""
    data = np.loadtxt(folder / name / "data.csv", delimiter=",")
    lines = (folder / name / "test_rows.csv").read_text().split("\n")
    splits = [np.array(line.replace(",", " ").split(), dtype=int) for line in lines if line]
    return data[:, :-1], data[:, -1], splits


def scores(rival, X, y, test):
    """Return RMSE, NLL, CRPS, coverage and seconds of a rival on a split."""
    train = np.setdiff1d(np.arange(len(y)), test)
    start = time.process_time()
    answer = rival(X[train], y[train], X[test])
    seconds = time.process_time() - start
    return (
        np.sqrt(np.mean(np.square(answer.mean() - y[test]))),
        metrics.negative_log_density(y[test], answer),
        metrics.crps(y[test], answer),
        metrics.interval_coverage(y[test], answer),
        seconds,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="+", default=["concrete", "energy", "yacht", "kin8nm"])
    parser.add_argument("--splits", nargs="+", type=int, default=[5, 6, 7, 8, 9])
    parser.add_argument("--rivals", nargs="+", default=list(RIVALS), choices=list(RIVALS))
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in arguments.sets:
        X, y, splits = load(arguments.folder, name)
        print(f"{name}: {len(y)} rows, splits {arguments.splits}")
        print("            RMSE     NLL     CRPS   cover90  CPU s   NLL - ensemble's, by split")
        first = None
        for rival in arguments.rivals:
            if rival in NEEDS and find_spec(NEEDS[rival]) is None:
                print(f"{rival:10} skipped: {NEEDS[rival]} is not installed")
                continue
            found = np.array([scores(RIVALS[rival], X, y, splits[s]) for s in arguments.splits])
            first = found if first is None else first
            means = "{:8.3f}{:8.3f}{:9.4f}{:8.3f}{:9.1f}".format(*found.mean(axis=0))
            apart = " ".join(f"{gap:+.2f}" for gap in found[:, 1] - first[:, 1])
            print(f"{rival:10}{means}   {apart}", flush=True)


if __name__ == "__main__":
    main()
