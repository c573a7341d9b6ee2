"""Small problems, and what makes a fit of awkward rows sound."""

import warnings

import numpy as np
import pytest

from skmoe import MixtureOfExpertsRegressor
from skmoe.datasets import make_mixture_of_experts
from skmoe.experts import LinearExperts
from skmoe.gates import SoftmaxGate

SENTENCES = {
    "default": {},
    "constant-experts": {"experts": "constant"},
    "constant-gate": {"gate": "constant"},
    "hard": {"criterion": "classification"},
    "no-penalty": {"experts": LinearExperts(alpha=0.0), "gate": SoftmaxGate(alpha=0.0)},
    "tied": {"experts": LinearExperts(tied=True)},
}
sentences = pytest.mark.parametrize("sentence", SENTENCES.values(), ids=SENTENCES.keys())


def regressor(n_experts=2, **kwargs):
    kwargs = {"n_init": 2, "random_state": 0} | kwargs
    return MixtureOfExpertsRegressor(n_experts, **kwargs)


def problem(n=200, q=1, d=3, seed=0):
    X, y, _ = make_mixture_of_experts(n, d, 2, n_targets=q, random_state=seed)
    return X, y


def quiet_fit(est, X, y, sample_weight=None):
    """Fit; retired experts and too few passes may be told, arithmetic may not complain."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.filterwarnings("ignore", message=".*retired|.*kept their noise|.*max_iter")
        return est.fit(X, y, sample_weight=sample_weight)


def assert_sound(est, X, y):
    """Every answer of a fitted estimator is a number, and weights are weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert np.isfinite(est.predict(X)).all()
        assert np.isfinite(est.predict_experts(X)).all()
        mean, std = est.predict(X, return_std=True)
        assert np.isfinite(mean).all() and np.isfinite(std).all() and (std >= 0).all()
        assert np.isfinite(est.score_samples(X, y)).all()
        for weights in (est.predict_gate(X), est.responsibilities(X, y)):
            assert (weights >= 0).all()
            np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-6)
        assert np.isfinite(est.sample(X, random_state=0)).all()
        low, high = est.predict_distribution(X).interval(0.9)
        assert (low <= high).all() and np.isfinite(low).all() and np.isfinite(high).all()
        for value in (est.aic(X, y), est.bic(X, y), est.icl(X, y), est.lower_bound_):
            assert np.isfinite(value)
    for name in ("coef_", "intercept_", "covariances_", "gate_coef_", "gate_intercept_"):
        assert np.isfinite(getattr(est, name)).all(), name
    assert np.isfinite(est.lower_bounds_).all()
