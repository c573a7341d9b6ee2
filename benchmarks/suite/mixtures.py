"""Whole fits and answers of the classical half."""

import warnings

import numpy as np

from skmoe import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from skmoe.datasets import load_motorcycle, make_mixture_of_experts
from skmoe.fitters import EM, GradientAscent, OnlineEM


class Regression:
    """Fits of linear experts, by size."""

    params = ([2000, 20_000, 200_000], [4, 16])
    param_names = ["n_samples", "n_experts"]

    def setup(self, n_samples, n_experts):
        warnings.simplefilter("ignore")
        self.X, self.y, _ = make_mixture_of_experts(n_samples, 10, n_experts, random_state=0)
        self.est = MixtureOfExpertsRegressor(n_experts, random_state=0, max_iter=50, tol=1e-7)
        small = slice(2000)
        self.fitted = MixtureOfExpertsRegressor(n_experts, n_init=1, random_state=0, max_iter=20)
        self.fitted.fit(self.X[small], self.y[small])

    def time_fit(self, n_samples, n_experts):
        self.est.fit(self.X, self.y)

    def peakmem_fit(self, n_samples, n_experts):
        self.est.fit(self.X, self.y)

    def track_bound(self, n_samples, n_experts):
        return self.est.fit(self.X, self.y).lower_bound_ / n_samples

    track_bound.unit = "nats a row"

    def time_predict(self, n_samples, n_experts):
        self.fitted.predict(self.X)

    def time_score_samples(self, n_samples, n_experts):
        self.fitted.score_samples(self.X, self.y)


class Families:
    """Fits of other families on 3,000 rows."""

    params = ["student_t", "laplace", "poisson", "gamma", "negative_binomial", "logistic"]
    param_names = ["experts"]

    def setup(self, experts):
        warnings.simplefilter("ignore")
        self.X, y, _ = make_mixture_of_experts(3000, 4, 3, random_state=0)
        rng = np.random.RandomState(0)
        kind = MixtureOfExpertsRegressor
        if experts == "logistic":
            kind, y = MixtureOfExpertsClassifier, y > np.median(y)
        elif experts in ("poisson", "negative_binomial"):
            y = rng.poisson(np.exp(np.clip(y, -3.0, 3.0)))
        elif experts == "gamma":
            y = np.exp(np.clip(y, -3.0, 3.0))
        self.y = y
        self.est = kind(3, experts=experts, n_init=4, random_state=0)

    def time_fit(self, experts):
        self.est.fit(self.X, self.y)

    def track_bound(self, experts):
        return self.est.fit(self.X, self.y).lower_bound_ / len(self.X)

    track_bound.unit = "nats a row"


class Fitters:
    """Ways of learning, from the same start, on overlapping experts."""

    params = ["em", "plain", "lbfgs", "adam", "online"]
    param_names = ["fitter"]
    WAYS = {
        "em": EM(),
        "plain": EM(acceleration=None),
        "lbfgs": GradientAscent(),
        "adam": GradientAscent("adam", learning_rate_init=0.02),
        "online": OnlineEM(),
    }

    def setup(self, fitter):
        warnings.simplefilter("ignore")
        self.X, self.y, _ = make_mixture_of_experts(
            5000, 5, 4, noise=3.0, gate_slope=0.5, random_state=0
        )
        self.est = MixtureOfExpertsRegressor(
            4, fitter=self.WAYS[fitter], n_init=2, max_iter=100, random_state=0
        )

    def time_fit(self, fitter):
        self.est.fit(self.X, self.y)

    def track_bound(self, fitter):
        return self.est.fit(self.X, self.y).lower_bound_ / len(self.X)

    track_bound.unit = "nats a row"


class Distribution:
    """Questions to a predictive mixture."""

    params = ["mean", "median", "mode", "interval"]
    param_names = ["method"]

    def setup(self, method):
        X, y = load_motorcycle(return_X_y=True)
        est = MixtureOfExpertsRegressor(4, random_state=0).fit(X, y)
        times = np.linspace(X.min(), X.max(), 20_000)[:, None]
        self.answer = est.predict_distribution(times)

    def time_answer(self, method):
        getattr(self.answer, method)()


def time_import():
    """The package and its estimator, in a fresh interpreter."""
    import subprocess
    import sys

    subprocess.check_call([sys.executable, "-c", "from skmoe import MixtureOfExpertsRegressor"])
