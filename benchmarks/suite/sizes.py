"""Cost of a pass as rows and experts grow, and memory of fits that copy nothing."""

import tempfile
import warnings
from pathlib import Path

import numpy as np

from skmoe import MixtureOfExpertsRegressor
from skmoe.batches import RowBlocks
from skmoe.datasets import make_mixture_of_experts


class Blocks:
    """Fits of rows that are read block by block."""

    params = ["memory", "mapped", "iterator"]
    param_names = ["source"]
    ROWS, FEATURES = 500_000, 20

    def setup(self, source):
        warnings.simplefilter("ignore")
        X, y, _ = make_mixture_of_experts(self.ROWS, self.FEATURES, 4, random_state=0)
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "X.npy"
        np.save(path, X)
        self.y = y
        mapped = np.load(path, mmap_mode="r")
        cuts = [slice(start, start + 50_000) for start in range(0, len(y), 50_000)]
        self.data = {
            "memory": lambda: (X, y),
            "mapped": lambda: (mapped, y),
            "iterator": lambda: (RowBlocks([(mapped[cut], y[cut]) for cut in cuts]),),
        }[source]
        self.est = MixtureOfExpertsRegressor(4, n_init=1, max_iter=10, random_state=0)

    def teardown(self, source):
        self.folder.cleanup()

    def time_fit(self, source):
        self.est.fit(*self.data())

    def peakmem_fit(self, source):
        self.est.fit(*self.data())


class Passes:
    """Ten passes of the long run alone, by number of experts."""

    params = [4, 16, 64]
    param_names = ["n_experts"]

    def setup(self, n_experts):
        warnings.simplefilter("ignore")
        self.X, self.y, _ = make_mixture_of_experts(50_000, 10, n_experts, random_state=0)
        self.est = MixtureOfExpertsRegressor(
            n_experts, n_init=1, max_iter=3, warm_start=True, random_state=0
        ).fit(self.X[:5000], self.y[:5000])
        self.est.set_params(max_iter=10, tol=0.0)

    def time_pass(self, n_experts):
        self.est.fit(self.X, self.y)
