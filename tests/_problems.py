"""Small problems, sentences to try on them, and checks that tests of the estimators share."""

import numpy as np
import pytest
from sklearn.utils.validation import _get_feature_names

from skmoe import MixtureOfExpertsRegressor
from skmoe.datasets import make_mixture_of_experts
from skmoe.experts import ConstantExperts, LinearExperts
from skmoe.fitters import EM
from skmoe.gates import SoftmaxGate

NAMES = ["age", "dose", "weight"]


def regressor(n_experts=2, **kwargs):
    kwargs = {"n_init": 2, "random_state": 0} | kwargs
    return MixtureOfExpertsRegressor(n_experts, **kwargs)


def problem(n=300, q=1, seed=0, K=2, **kwargs):
    X, y, _ = make_mixture_of_experts(n, 3, K, n_targets=q, random_state=seed, **kwargs)
    return X, 5.0 + 20.0 * y


def gate_in_order(est, X):
    """The gate's weights; experts are ordered by their mean at the first row, names are chance."""
    order = np.argsort(est.predict_experts(X[:1]).reshape(est.n_experts, -1)[:, 0])
    return est.predict_gate(X)[:, order]


def assert_same_answers(one, other, X, y, rtol=1e-12):
    """Check that two fits answer alike, to a share of what the answers vary by."""
    for answer in (
        lambda est: est.predict(X),
        lambda est: est.score_samples(X, y),
        lambda est: gate_in_order(est, X),
    ):
        expected = answer(other)
        np.testing.assert_allclose(
            answer(one), expected, rtol=rtol, atol=rtol * max(1.0, expected.std())
        )


sentences = pytest.mark.parametrize(
    "sentence",
    [
        {},
        {"experts": "constant"},
        {"gate": "constant"},
        {"criterion": "classification"},
        {"experts": LinearExperts(covariance_type="diag", tied=True)},
        {"experts": ConstantExperts(covariance_type="spherical"), "gate": SoftmaxGate(alpha=1.0)},
        {"fitter": EM(acceleration=None)},
    ],
    ids=str,
)
few_sentences = pytest.mark.parametrize(
    "sentence",
    [{}, {"experts": "constant"}, {"gate": "constant", "criterion": "classification"}],
    ids=str,
)
targets = pytest.mark.parametrize("q", [1, 2])


def frame_library(name):
    """Return pandas or polars; skip where scikit-learn is too old for the names of its columns."""
    library = pytest.importorskip(name)
    if _get_feature_names(library.DataFrame({"a": [1.0]})) is None:
        pytest.skip(f"this scikit-learn does not read column names of this {name}")
    return library
