"""Epochs and answers of the sparse mixtures."""

import warnings

import numpy as np

from skmoe import SparseMixtureOfExpertsRegressor


class Epochs:
    """One epoch over 20,000 rows, by router and number of experts."""

    params = (["top_k", "noisy_top_k", "switch", "soft", "expert_choice"], [8, 64])
    param_names = ["router", "n_experts"]

    def setup(self, router, n_experts):
        warnings.simplefilter("ignore")
        rng = np.random.RandomState(0)
        self.X = rng.standard_normal((20_000, 32))
        self.y = np.sin(self.X[:, 0]) * self.X[:, 1]
        top_k = 1 if router == "switch" else 2
        self.est = SparseMixtureOfExpertsRegressor(
            n_experts, top_k, router=router, batch_size=1024, max_iter=1, random_state=0
        )
        self.fitted = SparseMixtureOfExpertsRegressor(
            n_experts, top_k, router=router, batch_size=1024, max_iter=1, random_state=0
        ).fit(self.X[:2048], self.y[:2048])

    def time_epoch(self, router, n_experts):
        self.est.fit(self.X, self.y)

    def time_predict(self, router, n_experts):
        self.fitted.predict(self.X)

    def track_loss(self, router, n_experts):
        return self.est.fit(self.X, self.y).loss_curve_[-1]
