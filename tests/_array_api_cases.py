"""Arrays of other libraries are learned from and answered for where they are."""

import numpy as np
import pytest
import sklearn

from skmoe import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from skmoe._math import array_api
from skmoe.datasets import make_mixture_of_experts
from skmoe.experts import LinearExperts
from skmoe.fitters import EM, GradientAscent


def torch_arrays():
    torch = pytest.importorskip("torch")
    return lambda values: torch.asarray(np.array(values))


def strict_arrays(device=None):
    strict = pytest.importorskip("array_api_strict")
    device = None if device is None else strict.Device(device)
    return lambda values: strict.asarray(np.array(values), device=device)


LIBRARIES = {
    "torch": torch_arrays,
    "strict": strict_arrays,
    # Arrays there cannot be read by numpy unless they are moved.
    "device": lambda: strict_arrays("device1"),
}


@pytest.fixture(autouse=True)
def dispatch():
    with sklearn.config_context(array_api_dispatch=True):
        yield


@pytest.fixture(params=list(LIBRARIES))
def send(request):
    return LIBRARIES[request.param]()


def rows(n=300, q=1, K=3, dtype=np.float64):
    X, y, _ = make_mixture_of_experts(n, 3, K, n_targets=q, random_state=1)
    return X.astype(dtype), (4.0 + 10.0 * y).astype(dtype)


def regressor(**kwargs):
    return MixtureOfExpertsRegressor(3, **({"n_init": 1, "random_state": 0} | kwargs))


def home(array):
    return array_api.view(array)


@pytest.mark.parametrize(
    "q, sentence",
    [
        (1, {}),
        (1, {"experts": "constant"}),
        (1, {"fitter": GradientAscent()}),
        (1, {"expert_features": [0, 2], "gate_features": [1]}),
        (2, {}),
        (2, {"experts": LinearExperts("diag", tied=True)}),
        (2, {"experts": LinearExperts("spherical"), "fitter": EM(acceleration=None)}),
    ],
    ids=str,
)
def test_the_fit_and_its_answers_are_those_of_numpy(send, q, sentence):
    X, y = rows(q=q)
    weight = np.random.RandomState(0).uniform(0.5, 2.0, len(X))
    here = regressor(**sentence).fit(X, y, weight)
    there = regressor(**sentence).fit(send(X), send(y), send(weight))
    np.testing.assert_allclose(there.coef_, here.coef_, rtol=1e-4, atol=1e-4)
    assert there.lower_bound_ == pytest.approx(here.lower_bound_, rel=1e-8)
    there.theta_, there._scaling, there._direct = here.theta_, here._scaling, here._direct
    kind = type(send(X))
    for name in ("predict", "predict_gate", "predict_experts", "apply"):
        answer = getattr(there, name)(send(X))
        assert isinstance(answer, kind) and answer.device == send(X).device
        np.testing.assert_allclose(home(answer), getattr(here, name)(X), rtol=1e-9, atol=1e-9)
    for name in ("score_samples", "responsibilities"):
        answer = getattr(there, name)(send(X), send(y))
        np.testing.assert_allclose(home(answer), getattr(here, name)(X, y), rtol=1e-8, atol=1e-10)
    assert there.log_likelihood(send(X), send(y)) == pytest.approx(here.log_likelihood(X, y))
    assert there.score(send(X), send(y)) == pytest.approx(here.score(X, y))
    assert there.bic(send(X), send(y)) == pytest.approx(here.bic(X, y))
    # Who has learned there answers here, too.
    np.testing.assert_allclose(there.predict(X), here.predict(X))


def test_few_numbers_come_home(send, monkeypatch):
    X, y = rows(90_000)
    sizes, view = [], array_api.view

    def spy(array):
        sizes.append(int(np.prod(array.shape)))
        return view(array)

    monkeypatch.setattr(array_api, "view", spy)
    monkeypatch.setattr("skmoe.batches.sources.at_home", lambda array: view(array))
    there = regressor(n_init=1, max_iter=3, tol=1e-3).fit(send(X), send(y))
    there.predict(send(X)), there.score_samples(send(X), send(y))
    assert sizes and max(sizes) <= 3 * 4 * 4


def test_single_precision_stays(send):
    X, y = rows(dtype=np.float32)
    there = regressor().fit(send(X), send(y))
    assert there.coef_.dtype == np.float32
    for name in ("predict", "predict_gate", "predict_experts"):
        assert home(getattr(there, name)(send(X))).dtype == np.float32
    assert home(there.score_samples(send(X), send(y))).dtype == np.float32
    here = regressor().fit(X, y)
    np.testing.assert_allclose(home(there.predict(send(X))), here.predict(X), atol=0.05)


def test_whole_numbers_and_numpy_beside(send):
    X, y = rows()
    X = np.round(2 * X).astype(np.int64)
    here, there = regressor().fit(X, y), regressor().fit(send(X), y)
    assert there.lower_bound_ == pytest.approx(here.lower_bound_, rel=1e-8)
    assert home(there.score_samples(send(X), y)).dtype == np.float64


def test_points_far_away_are_answered(send):
    X, y = rows()
    there = regressor().fit(send(X), send(y))
    far = send(np.full((2, 3), 1e150))
    assert np.isfinite(home(there.predict(far))).all()
    np.testing.assert_allclose(home(there.predict_gate(far)).sum(axis=1), 1.0)


@pytest.mark.parametrize("experts", ["student_t", LinearExperts(l1_ratio=0.5)], ids=str)
def test_other_parts_look_at_the_rows_without_a_copy(experts):
    send = torch_arrays()
    X, y = rows()
    here = regressor(experts=experts, n_init=2).fit(X, y)
    there = regressor(experts=experts, n_init=2).fit(send(X), send(y))
    np.testing.assert_allclose(there.coef_, here.coef_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(home(there.predict(send(X))), here.predict(X), rtol=1e-6)
    mean, std = there.predict(send(X), return_std=True)
    assert type(mean) is type(std) is type(send(X))
    answer, expected = there.predict_distribution(send(X)), there.predict_distribution(X)
    np.testing.assert_allclose(home(answer.logpdf(send(y))), expected.logpdf(y))
    np.testing.assert_allclose(home(answer.interval(0.8)[1]), expected.interval(0.8)[1])
    tensor = send(X)
    assert np.shares_memory(array_api.view(tensor), array_api.view(tensor))


def test_classifiers_take_tensors_too():
    send = torch_arrays()
    X, y = rows()
    y = (y > np.median(y)).astype(int)
    here = MixtureOfExpertsClassifier(2, n_init=2, random_state=0).fit(X, y)
    there = MixtureOfExpertsClassifier(2, n_init=2, random_state=0).fit(send(X), send(y))
    np.testing.assert_allclose(home(there.predict_proba(send(X))), here.predict_proba(X))
    np.testing.assert_array_equal(home(there.predict(send(X))), here.predict(X))
    assert there.score(send(X), send(y)) == pytest.approx(here.score(X, y), abs=1e-6)


def test_bad_rows_are_refused_by_name(send):
    X, y = rows()
    bad = X.copy()
    bad[3, 1] = np.nan
    with pytest.raises(ValueError, match="X contains NaN"):
        regressor().fit(send(bad), send(y))
    there = regressor(n_init=1).fit(send(X), send(y))
    with pytest.raises(ValueError, match="X contains NaN"):
        there.predict(send(bad))
    with pytest.raises(ValueError, match="expecting 3 features"):
        there.predict(send(X[:, :2]))
    with pytest.raises(ValueError, match="y has shape"):
        there.score_samples(send(X), send(y[:-1]))
    with pytest.raises(ValueError, match="y has 299"):
        regressor().fit(send(X), send(y[:-1]))
    with pytest.raises(ValueError, match="sample_weight"):
        regressor().fit(send(X), send(y), send(np.append(-1.0, np.ones(len(X) - 1))))
    with pytest.raises(ValueError, match="2D"):
        there.predict(send(X[0]))


def test_arrays_elsewhere_are_refused_by_parts_that_need_numpy():
    send = strict_arrays("device1")
    X, y = rows()
    there = regressor(n_init=1).fit(send(X), send(y))
    distribution = there.predict_distribution(send(X))  # moved, as the library allows it
    assert distribution.mean().device == send(X).device


def test_without_dispatch_tensors_are_read_by_numpy():
    send = torch_arrays()
    X, y = rows()
    with sklearn.config_context(array_api_dispatch=False):
        there = regressor(n_init=2).fit(send(X), send(y))
        assert isinstance(there.predict(send(X)), np.ndarray)
