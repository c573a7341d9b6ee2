"""Who is compared in `densities.py`: each takes X, y and X_test, and answers with a distribution.

Every setting is chosen within X and y. Rivals without a density of their own get one sigma, the
root mean square of their errors on rows that cross-validation held out, settings included.
"""

from importlib.util import find_spec

import numpy as np
from scipy import stats
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.model_selection import KFold, ParameterGrid, train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

from skmoe import BayesianMixtureOfExpertsRegressor, MixtureOfExpertsEnsemble
from skmoe.distribution import MixtureDistribution, RowGaussians

__all__ = ["RIVALS", "is_missing"]

# A Gaussian process learns its kernel and answers from at most so many rows.
GP_ROWS = 2000
FOLDS = 3
STAGES = 800


def ensemble(X, y, X_test):
    """Our preset, as it is."""
    return MixtureOfExpertsEnsemble(random_state=0).fit(X, y).predict_distribution(X_test)


def single(X, y, X_test):
    """One Bayesian mixture, as it is."""
    est = BayesianMixtureOfExpertsRegressor(random_state=0)
    return est.fit(X, y).predict_distribution(X_test)


def quadratic(X, y, X_test):
    """One Bayesian mixture of 16 experts that see squares and products."""
    est = BayesianMixtureOfExpertsRegressor(16, expert_features="quadratic", random_state=0)
    return est.fit(X, y).predict_distribution(X_test)


def ngboost(X, y, X_test):
    """Natural gradient boosting: at most 2,000 stages, as many as a fifth of the rows ask for."""
    from ngboost import NGBRegressor

    X_in, X_out, y_in, y_out = train_test_split(X, y, test_size=0.2, random_state=0)
    model = NGBRegressor(n_estimators=2000, verbose=False, random_state=0)
    model.fit(X_in, y_in, X_val=X_out, Y_val=y_out, early_stopping_rounds=50)
    stages = (model.best_val_loss_itr or 1999) + 1
    model = NGBRegressor(n_estimators=stages, verbose=False, random_state=0).fit(X, y)
    answer = model.pred_dist(X_test).params
    return stats.norm(answer["loc"], answer["scale"])


def boosting(X, y, X_test):
    """Histogram gradient boosting: leaves, rows a leaf, rate and stages by cross-validation."""
    grid = ParameterGrid(
        {
            "learning_rate": [0.05, 0.15],
            "max_leaf_nodes": [4, 8, 31],
            "min_samples_leaf": [5, 20],
        }
    )
    tried = []
    for settings in grid:
        model = HistGradientBoostingRegressor(
            max_iter=STAGES, early_stopping=False, random_state=0, **settings
        )
        loss = staged_losses(model, X, y)
        tried.append((loss.min(), int(loss.argmin()) + 1, model))
    loss, stages, model = min(tried, key=lambda each: each[0])
    model = model.set_params(max_iter=stages).fit(X, y)
    return stats.norm(model.predict(X_test), np.sqrt(loss))


def staged_losses(model, X, y):
    """Return the squared error that cross-validation finds after each stage."""
    losses = []
    for seen, held_out in KFold(FOLDS, shuffle=True, random_state=0).split(X):
        fitted = clone(model).fit(X[seen], y[seen])
        stages = fitted.staged_predict(X[held_out])
        losses.append([np.square(answer - y[held_out]).sum() for answer in stages])
    return np.sum(losses, axis=0) / len(y)


def forest(X, y, X_test):
    """A random forest; its rows out of the bag tell sigma."""
    model = RandomForestRegressor(500, oob_score=True, random_state=0).fit(X, y)
    sigma = np.sqrt(np.mean(np.square(model.oob_prediction_ - y)))
    return stats.norm(model.predict(X_test), sigma)


def gaussian_process(X, y, X_test):
    """A Gaussian process with a Matern-5/2 kernel and a length scale for each feature."""
    scale, target = StandardScaler().fit(X), StandardScaler().fit(y[:, None])
    rows = np.random.RandomState(0).permutation(len(X))[:GP_ROWS]
    kernel = ConstantKernel() * Matern(np.full(X.shape[1], 2.0), nu=2.5) + WhiteKernel(0.1)
    process = GaussianProcessRegressor(kernel).fit(
        scale.transform(X[rows]), target.transform(y[rows, None])[:, 0]
    )
    mean, std = process.predict(scale.transform(X_test), return_std=True)
    return stats.norm(mean * target.scale_ + target.mean_, std * target.scale_)


def networks(X, y, X_test):
    """Five networks that differ in their seeds; cross-validation sets their penalty."""
    losses = {alpha: held_out_loss(alpha, X, y) for alpha in (0.01, 0.3, 10.0)}
    alpha = min(losses, key=losses.get)
    return stats.norm(five_networks(alpha, X, y, X_test), np.sqrt(losses[alpha]))


def held_out_loss(alpha, X, y):
    """Return the squared error of five networks on rows that were held out."""
    errors = [
        five_networks(alpha, X[seen], y[seen], X[held_out]) - y[held_out]
        for seen, held_out in KFold(FOLDS, shuffle=True, random_state=0).split(X)
    ]
    return np.mean(np.square(np.concatenate(errors)))


def five_networks(alpha, X, y, X_test):
    """Return the mean answer of five networks."""
    scale, target = StandardScaler().fit(X), StandardScaler().fit(y[:, None])
    X, y = scale.transform(X), target.transform(y[:, None])[:, 0]
    answers = [
        MLPRegressor((50,), alpha=alpha, solver="lbfgs", max_iter=1000, random_state=seed)
        .fit(X, y)
        .predict(scale.transform(X_test))
        for seed in range(5)
    ]
    return np.mean(answers, axis=0) * target.scale_[0] + target.mean_[0]


def cgmm(X, y, X_test):
    """The mixture of experts of cgmm; a fifth of the rows tells how many experts."""
    from cgmm import MixtureOfExpertsRegressor as Peer

    scale, target = StandardScaler().fit(X), StandardScaler().fit(y[:, None])
    X, X_test = scale.transform(X), scale.transform(X_test)
    y = target.transform(y[:, None])[:, 0]
    X_in, X_out, y_in, y_out = train_test_split(X, y, test_size=0.2, random_state=0)
    heights = {
        K: np.mean(Peer(K, random_state=0).fit(X_in, y_in).log_prob(X_out, y_out))
        for K in (1, 2, 4, 8)
    }
    best = Peer(max(heights, key=heights.get), random_state=0).fit(X, y)
    found = best.predict(X_test, return_components=True)[1]
    deviations = np.sqrt(np.broadcast_to(found["covariances"][..., 0], found["means"].shape))
    return MixtureDistribution(
        found["weights"],
        RowGaussians(found["means"], deviations),
        loc=target.mean_,
        scale=target.scale_,
    )


RIVALS = {
    "ensemble": ensemble,
    "single": single,
    "quadratic16": quadratic,
    "NGBoost": ngboost,
    "HistGB": boosting,
    "forest": forest,
    "GP": gaussian_process,
    "5 MLPs": networks,
    "cgmm": cgmm,
}
NEEDS = {"NGBoost": "ngboost", "cgmm": "cgmm"}


def is_missing(rival):
    """Return whether a rival needs a package that is not installed."""
    return rival in NEEDS and find_spec(NEEDS[rival]) is None
