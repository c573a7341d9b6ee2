"""The estimators of the neural half, as their users meet them."""

import pickle
from functools import partial

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, make_friedman1
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmoe import (
    MixtureDistribution,
    SparseMixtureOfExpertsClassifier,
    SparseMixtureOfExpertsRegressor,
)
from skmoe.estimators._rows import canonical_rows, sorted_rows
from skmoe.neural.routers import (
    SHORT_NAMES,
    Capacity,
    HashRouter,
    LinearScore,
    SoftRouter,
    SwitchLoss,
    TokenRouter,
    TopK,
    ZLoss,
    build_router,
)

# Short fits are not meant to converge, and few steps leave experts without rows.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Experts .* see no row"),
]

ROUTERS = {name: name for name in SHORT_NAMES} | {
    "hash-kmeans": HashRouter("kmeans"),
    "hash-category": HashRouter("category"),
    "soft-rows": SoftRouter("rows"),
    "tight": TokenRouter(LinearScore(), TopK(2), capacity=Capacity(0.5, "weight", "next")),
}
routers = pytest.mark.parametrize("router", ROUTERS.values(), ids=ROUTERS.keys())


def regressor(**changes):
    """A small regressor, quick to train."""
    options = {"n_experts": 4, "hidden": 8, "max_iter": 5, "random_state": 0}
    return SparseMixtureOfExpertsRegressor(**(options | changes))


def classifier(**changes):
    """A small classifier, quick to train."""
    options = {"n_experts": 4, "hidden": 8, "max_iter": 5, "random_state": 0}
    return SparseMixtureOfExpertsClassifier(**(options | changes))


def problem(n=400, seed=0):
    """Return rows and answers of Friedman's first problem."""
    return make_friedman1(n, noise=0.5, random_state=seed)


# ------------------------------------------------------------------------- scikit-learn


def checked(names):
    """Estimators of both kinds for some routers."""
    return [
        kind(router=name, n_experts=4, hidden=8)
        for name in names
        for kind in (SparseMixtureOfExpertsRegressor, SparseMixtureOfExpertsClassifier)
    ]


@parametrize_with_checks(
    [
        SparseMixtureOfExpertsRegressor(router="expert_choice", n_experts=4, hidden=8, max_iter=60),
        SparseMixtureOfExpertsClassifier(n_experts=4, hidden=8, max_iter=60),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize_with_checks(checked(SHORT_NAMES))
@pytest.mark.slow
def test_scikit_learn_checks_of_every_router(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [
        SparseMixtureOfExpertsRegressor(),
        SparseMixtureOfExpertsClassifier(),
        SparseMixtureOfExpertsRegressor(head="mixture", n_blocks=2, early_stopping=True),
        SparseMixtureOfExpertsRegressor(router="olmoe", numeric_embedding="periodic"),
    ]
)
@pytest.mark.slow
def test_scikit_learn_checks_as_is(estimator, check):
    check(estimator)


def test_grid_search_reaches_parts_of_a_router():
    X, y = problem(120)
    router = TokenRouter(LinearScore(), TopK(2), balance=[SwitchLoss(0.01), ZLoss(1e-3)])
    grid = GridSearchCV(
        regressor(router=router),
        {
            "router__select__k": [2, 3],
            "router__score__jitter": [0.0, 0.1],
            "router__balance__0__weight": [0.0, 0.5],
        },
        cv=2,
    )
    best = grid.fit(X, y).best_estimator_.router
    assert best.select.k == grid.best_params_["router__select__k"]
    assert best.balance[0].weight == grid.best_params_["router__balance__0__weight"]
    assert router.select.k == 2 and router.balance[0].weight == 0.01
    np.testing.assert_array_equal(
        np.count_nonzero(grid.best_estimator_.route(X)[0], axis=1), best.select.k
    )


def test_grid_search_over_short_names_and_instances():
    X, y = problem(120)
    routers = ["switch", HashRouter("quantile"), None]
    grid = GridSearchCV(regressor(), {"router": routers, "n_experts": [2, 4]}, cv=2).fit(X, y)
    assert len(grid.cv_results_["params"]) == 6 and np.isfinite(grid.best_score_)


@pytest.mark.parametrize(
    "router", ["top_k", *(build_router(name) for name in SHORT_NAMES)], ids=lambda r: str(r)[:40]
)
def test_parameters_of_routers_are_the_estimators(router):
    est = regressor(router=router)
    copy = clone(est)
    assert repr(copy) == repr(est) and str(copy.get_params()) == str(est.get_params())
    named = {name: v for name, v in est.get_params().items() if name.startswith("router__")}
    assert bool(named) == (not isinstance(router, str))
    assert copy.set_params(**named).get_params(deep=False).keys() == est.get_params(False).keys()
    if named:
        assert copy.router is not router
        with pytest.raises(ValueError, match="nonsense"):
            copy.set_params(router__nonsense=1)


def test_parts_of_the_balance_have_names():
    router = TokenRouter(balance=[SwitchLoss(0.1), ZLoss(0.2)])
    router.set_params(balance__1__weight=0.3, normalize="none")
    assert router.balance[1].weight == 0.3 and router.normalize == "none"
    router.set_params(balance__0=ZLoss(0.4))
    assert [type(part) for part in router.balance] == [ZLoss, ZLoss]
    with pytest.raises(ValueError, match="balance__2__weight"):
        router.set_params(balance__2__weight=0.1)


# ------------------------------------------------------------------------- row by row


@routers
def test_predictions_do_not_depend_on_batch_mates(router):
    X, y = problem()
    # More rows than are answered at a time.
    many = np.random.default_rng(1).uniform(size=(5000, X.shape[1]))
    est = regressor(router=router, n_experts=4, top_k=2, max_iter=3).fit(X, y)
    whole = est.predict(many)
    alone = np.concatenate([est.predict(many[i : i + 1]) for i in range(200)])
    np.testing.assert_allclose(alone, whole[:200], rtol=0, atol=1e-12 * np.abs(whole).max())
    order = np.random.default_rng(2).permutation(len(many))
    np.testing.assert_allclose(
        est.predict(many[order]), whole[order], rtol=0, atol=1e-12 * np.abs(whole).max()
    )


def test_threads_leave_the_last_bit_of_predictions_as_it_is():
    X, y = problem()
    est = regressor(hidden=16).fit(X, y)
    many = np.random.default_rng(1).standard_normal((25_000, X.shape[1]))
    ask = partial(est.network_.outputs, est._views(), est._session.state, many)
    combine, other = {}, {}
    for n_threads in (2, 3):
        np.testing.assert_array_equal(ask(combine, 1), ask(other, n_threads))
        np.testing.assert_array_equal(combine["block0"], other["block0"])


@routers
def test_the_same_seed_gives_the_same_model(router):
    X, y = problem(150)
    one, two = (regressor(router=router, max_iter=3, dropout=0.1).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(one.theta_, two.theta_)
    np.testing.assert_array_equal(one.predict(X), two.predict(X))
    other = regressor(router=router, max_iter=3, random_state=1).fit(X, y)
    assert np.abs(one.predict(X) - other.predict(X)).max() > 0


@routers
def test_routes_are_combine_weights(router):
    X, y = problem(150)
    est = regressor(router=router, top_k=2, n_blocks=2).fit(X, y)
    weights = est.route(X)
    assert [w.shape for w in weights] == [(150, 4)] * 2
    for w, load in zip(weights, est.expert_load_, strict=True):
        assert (w >= 0).all() and load.shape == (4,)
        np.testing.assert_allclose(np.mean(w > 0, axis=0), load)
    assert est.routing_entropy_.shape == est.dropped_fraction_.shape == (2,)


def test_number_of_experts_of_a_row():
    X, y = problem(150)
    for k in (1, 2, 3):
        w = regressor(router="top_k", top_k=k).fit(X, y).route(X)[0]
        np.testing.assert_array_equal(np.count_nonzero(w, axis=1), k)
        if k > 1:
            np.testing.assert_allclose(w.sum(axis=1), 1.0)
    est = regressor(router="dbrx", n_experts=None).fit(X, y)
    assert est.n_experts_ == 16
    np.testing.assert_array_equal(np.count_nonzero(est.route(X)[0], axis=1), 4)


# ------------------------------------------------------------------------- weights


@routers
def test_weights_equal_repetition_to_the_last_bit(router):
    X, y = problem(60)
    times = np.random.default_rng(3).integers(0, 4, 60)
    weighted = regressor(router=router).fit(X, y, sample_weight=times)
    order = np.random.default_rng(4).permutation(times.sum())
    X_rep, y_rep = (np.repeat(a, times, axis=0)[order] for a in (X, y))
    repeated = regressor(router=router).fit(X_rep, y_rep)
    np.testing.assert_array_equal(weighted.theta_, repeated.theta_)


def test_canonical_rows():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (200, 2)).astype(float)
    y = rng.integers(0, 2, (200, 1)).astype(float)
    w = rng.uniform(size=200)
    X_, y_, w_ = canonical_rows(X, y, w)
    assert w_.sum() == pytest.approx(w.sum())
    rows, counts = np.unique(np.hstack([X_, y_]), axis=0, return_counts=True)
    assert (counts == 1).all() and len(rows) == len(np.unique(np.hstack([X, y]), axis=0))
    for i in range(len(X_)):
        same = np.all(X == X_[i], axis=1) & (y[:, 0] == y_[i, 0])
        assert w_[i] == pytest.approx(w[same].sum())


def test_sorted_rows():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (200, 2)).astype(float)
    y = rng.integers(0, 2, (200, 1)).astype(float)
    w = rng.uniform(size=200)
    X_, y_, w_ = sorted_rows(X, y, w)
    found, given = np.hstack([X_, y_, w_[:, None]]), np.hstack([X, y, w[:, None]])
    np.testing.assert_array_equal(found, given[np.lexsort(given.T[::-1])])
    order = rng.permutation(200)
    for one, other in zip(sorted_rows(X[order], y[order], w[order]), (X_, y_, w_), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_of_classes():
    X, y = load_breast_cancer(return_X_y=True)
    weights = {0: 3.0, 1: 0.5}
    by_class = classifier(class_weight=weights).fit(X, y)
    by_row = classifier().fit(X, y, sample_weight=np.where(y == 0, 3.0, 0.5))
    np.testing.assert_allclose(by_class.predict_proba(X), by_row.predict_proba(X), rtol=1e-6)
    assert (by_class.predict(X) == 0).sum() > (classifier().fit(X, y).predict(X) == 0).sum()


# ------------------------------------------------------------------------- units


def test_units_do_not_matter():
    X, y = problem()
    plain = regressor().fit(X, y).predict(X)
    scale = 2.0 ** np.arange(-20, X.shape[1] - 20)
    est = regressor().fit(X * scale, 1024.0 * y)
    np.testing.assert_allclose(est.predict(X * scale), 1024.0 * plain, rtol=1e-6)


def test_standardization_can_be_switched_off():
    X, y = problem()
    est = regressor(standardize=False).fit(X, y)
    assert est.score(X, y) < regressor().fit(X, y).score(X, y)


def test_several_targets():
    X, y = problem()
    Y = np.column_stack([y, -3.0 * y + X[:, 0]])
    est = regressor(max_iter=60).fit(X, Y)
    assert est.predict(X).shape == (400, 2) and est.score(X, Y) > 0.6
    assert regressor().fit(X, Y[:, :1]).predict(X).shape == (400, 1)
    with pytest.raises(ValueError, match="targets"):
        est.set_params(warm_start=True).fit(X, y)


# ------------------------------------------------------------------------- heads


@pytest.mark.parametrize("head", ["gaussian", "mixture"])
def test_predictive_distributions(head):
    X, y = problem(600)
    est = regressor(head=head, max_iter=60).fit(X, y)
    answer = est.predict_distribution(X)
    assert isinstance(answer, MixtureDistribution)
    mean, std = est.predict(X, return_std=True)
    np.testing.assert_allclose(mean, est.predict(X), rtol=1e-9)
    np.testing.assert_allclose(std, answer.std())
    logs = est.score_samples(X, y)
    assert logs.mean() > norm.logpdf(y, y.mean(), y.std()).mean() + 0.3
    np.testing.assert_allclose(logs, answer.logpdf(y))
    low, high = answer.interval(0.8)
    assert 0.65 < np.mean((low < y) & (y < high)) < 0.95
    Y = np.column_stack([y, X[:, 0]])
    assert regressor(head=head).fit(X, Y).score_samples(X, Y).shape == (600,)


def test_a_mixture_head_finds_two_answers():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (1500, 1))
    y = np.where(rng.random(1500) < 0.5, 3.0, -3.0) + X[:, 0] + 0.1 * rng.standard_normal(1500)
    options = {"max_iter": 80, "learning_rate": "cosine", "learning_rate_init": 0.01}
    est = regressor(head="mixture", n_components=2, **options).fit(X, y)
    answer = est.predict_distribution(np.zeros((1, 1)))
    near, between = answer.pdf([3.0]), answer.pdf([0.0])
    assert near > 50 * between
    assert est.score_samples(X, y).mean() > -0.2
    single = regressor(head="gaussian", **options).fit(X, y)
    assert est.score_samples(X, y).mean() > single.score_samples(X, y).mean() + 1.0


def test_no_density_without_a_head():
    X, y = problem(80)
    est = regressor().fit(X, y)
    assert not hasattr(est, "predict_distribution")
    with pytest.raises(AttributeError):
        est.score_samples(X, y)


# ------------------------------------------------------------------------- training


def test_curves_and_history():
    X, y = problem()
    est = regressor(early_stopping=True, max_iter=7, n_blocks=2, tol=0.0).fit(X, y)
    assert len(est.loss_curve_) == len(est.validation_scores_) == est.n_iter_ == 7
    assert est.best_iter_ == 1 + int(np.argmax(est.validation_scores_))
    assert len(est.routing_history_) == 7
    entry = est.routing_history_[0]["block1"]
    names = {"load", "importance", "row_entropy", "marginal_entropy", "dropped", "unrouted", "dead"}
    assert set(entry) == names
    assert entry["load"].sum() == pytest.approx(2.0)
    assert 0 <= entry["row_entropy"] <= entry["marginal_entropy"] <= np.log(4) + 1e-6


def test_dropped_rows_are_counted():
    X, y = problem()
    est = regressor(router="switch", capacity_factor=0.5).fit(X, y)
    assert 0.4 < est.dropped_fraction_[0] < 0.9
    assert regressor(router="switch").fit(X, y).dropped_fraction_[0] == 0.0


def test_early_stopping_keeps_the_best_epoch():
    X, y = problem(150)
    est = regressor(early_stopping=True, max_iter=400, learning_rate_init=0.01, n_iter_no_change=5)
    est.fit(X, y)
    assert est.converged_ and est.n_iter_ < 400
    assert est.best_iter_ <= est.n_iter_ - 5 + 1
    shorter = clone(est).set_params(max_iter=est.best_iter_).fit(X, y)
    np.testing.assert_array_equal(shorter.theta_, est.theta_)


@pytest.mark.parametrize("make", [regressor, classifier])
def test_an_interrupt_keeps_the_best_parameters(make, monkeypatch):
    X, y = problem(150)
    y = (y > y.mean()).astype(int)
    est = make(max_iter=50, early_stopping=True)
    network = "skmoe.neural.network.Network.step"
    from skmoe.neural.network import Network

    step, calls = Network.step, [0]

    def interrupted(self, *args):
        calls[0] += 1
        if calls[0] == 33:
            raise KeyboardInterrupt
        return step(self, *args)

    monkeypatch.setattr(network, interrupted)
    with pytest.warns(UserWarning, match="interrupted"):
        est.fit(X, y)
    best = int(np.argmax(est.validation_scores_)) + 1
    assert est.best_iter_ == best and est.stop_reason_ == "interrupted"
    monkeypatch.setattr(network, step)
    same = make(max_iter=best, early_stopping=True).fit(X, y)
    np.testing.assert_array_equal(est.theta_, same.theta_)


def test_warm_starts_go_on():
    X, y = problem()
    est = regressor(warm_start=True, max_iter=10).fit(X, y)
    first = est.score(X, y)
    est.fit(X, y)
    assert len(est.loss_curve_) == 20 and est.score(X, y) > first


def test_partial_fit():
    X, y = problem(1000)
    est = regressor()
    for _ in range(30):
        for start in range(0, 1000, 250):
            est.partial_fit(X[start : start + 250], y[start : start + 250])
    assert est.score(X, y) > 0.6 and est.n_iter_ == 120
    X, y = load_iris(return_X_y=True)
    est = classifier(learning_rate_init=0.01)
    with pytest.raises(ValueError, match="class 1"):
        classifier().partial_fit(X[:50], y[:50]).partial_fit(X[50:100], y[50:100])
    for _ in range(40):
        est.partial_fit(X[:50], y[:50], classes=[0, 1, 2]).partial_fit(X[50:], y[50:])
    assert est.score(X, y) > 0.8


@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize(
    "learning_rate", ["constant", "adaptive", "invscaling", "cosine", "linear"]
)
def test_solvers_and_schedules(solver, learning_rate):
    X, y = problem()
    rate = {"sgd": 0.05}.get(solver, 0.01) * (10 if learning_rate == "invscaling" else 1)
    est = regressor(
        solver=solver,
        learning_rate=learning_rate,
        learning_rate_init=rate,
        max_iter=30,
        warmup_steps=20,
    )
    assert est.fit(X, y).score(X, y) > 0.5


def test_penalties_shrink_weights():
    X, y = problem()
    for solver in ("adam", "adamw"):
        sizes = [
            np.sum(regressor(solver=solver, alpha=alpha, max_iter=40).fit(X, y).theta_ ** 2)
            for alpha in (0.0, 10.0)
        ]
        assert sizes[1] < 0.8 * sizes[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"n_blocks": 3},
        {"n_blocks": 3, "mixture_every": 2},
        {"width": 12},
        {"numeric_embedding": "piecewise"},
        {"numeric_embedding": "periodic"},
        {"shared_expert": True},
        {"dropout": 0.1},
        {"activation": "gelu"},
        {"router": None},
        {"router": None, "n_blocks": 2},
        {"shuffle": False},
    ],
    ids=str,
)
def test_networks_of_every_make_learn(changes):
    X, y = problem(800)
    est = regressor(max_iter=40, learning_rate_init=0.005, **changes).fit(X, y)
    assert est.score(X, y) > 0.7
    again = pickle.loads(pickle.dumps(est))
    np.testing.assert_array_equal(again.predict(X), est.predict(X))


def test_dense_and_mixture_blocks_alternate():
    X, y = problem(100)
    est = regressor(n_blocks=4, mixture_every=2).fit(X, y)
    assert list(est.network_.mixtures) == ["block1", "block3"]
    assert len(est.route(X)) == 2


def test_default_balancing_leaves_no_expert_dead():
    X, y = problem(2000)
    est = SparseMixtureOfExpertsRegressor(8, 2, max_iter=30, random_state=0).fit(X, y)
    assert est.expert_load_[0].min() > 0.02
    assert [entry["block0"]["dead"] for entry in est.routing_history_][-1] == 0


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_first_stage_lasts_as_long_as_it_should(share):
    X, y = problem(400)
    est = regressor(router="eigen", first_stage=share, max_iter=10).fit(X, y)
    # While the constraint is on, every row adds one to the totals of the experts.
    totals = est._session.state["block0"]["totals"]
    assert totals.sum() == pytest.approx(min(10 * share, est.best_iter_) * len(X), rel=1e-3)
    if share:
        assert totals.max() < 1.3 * totals.mean()


def test_dead_experts_are_named():
    X, y = problem(200)
    with pytest.warns(UserWarning, match=r"Experts \[.*\] of block0 see no row"):
        lonely = TokenRouter(LinearScore(spread=30.0), TopK(1), "none")
        regressor(router=lonely, n_experts=64).fit(X, y)


def test_not_converged():
    X, y = problem(100)
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        regressor(max_iter=2).fit(X, y)


# ------------------------------------------------------------------------- upcycling


@pytest.mark.parametrize("router", ["top_k", "noisy_top_k", "gshard", "conditional", "deepseek"])
@pytest.mark.parametrize("hidden", [(16,), (12, 16)])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
def test_upcycled_perceptrons_answer_as_before(router, hidden, activation):
    X, y = problem(200)
    Y = np.column_stack([y, X[:, 0]])
    options = {"hidden_layer_sizes": hidden, "activation": activation, "max_iter": 30}
    for targets in (y, Y):
        dense = MLPRegressor(**options, random_state=0).fit(X, targets)
        est = SparseMixtureOfExpertsRegressor.upcycle(dense, 5, 2, router=router, max_iter=50)
        np.testing.assert_allclose(est.predict(X), dense.predict(X), rtol=1e-6)
    before = est.score(X, Y)
    assert est.fit(X, Y).score(X, Y) > before
    for X, y in (load_iris(return_X_y=True), load_breast_cancer(return_X_y=True)):
        dense = MLPClassifier(**options, random_state=0).fit(X, y)
        est = SparseMixtureOfExpertsClassifier.upcycle(dense, 5, 2, router=router, max_iter=2)
        np.testing.assert_allclose(est.predict_proba(X), dense.predict_proba(X), atol=1e-6)
        est.partial_fit(X, y)


@pytest.mark.parametrize("n_blocks", [1, 2])
@pytest.mark.parametrize("embedding", [None, "piecewise"])
def test_upcycled_nets_of_our_own_answer_as_before(n_blocks, embedding):
    X, y = problem(200)
    dense = regressor(router=None, n_blocks=n_blocks, numeric_embedding=embedding, head="gaussian")
    dense.fit(X, y)
    est = SparseMixtureOfExpertsRegressor.upcycle(dense, 4, 2)
    np.testing.assert_allclose(est.predict(X), dense.predict(X), rtol=1e-6)
    assert len(est.network_.mixtures) == n_blocks
    before = est.score_samples(X, y).mean()
    assert est.set_params(max_iter=30).fit(X, y).score_samples(X, y).mean() > before


@pytest.mark.parametrize("router", ["switch", "olmoe", "vision", "base", "expert_choice"])
def test_weights_that_do_not_add_up_are_rescaled(router):
    X, y = problem(200)
    dense = MLPRegressor(hidden_layer_sizes=(16,), max_iter=30, random_state=0).fit(X, y)
    est = SparseMixtureOfExpertsRegressor.upcycle(dense, 8, 2, router=router, random_state=0)
    np.testing.assert_allclose(est.predict(X), dense.predict(X), rtol=1e-6)


def test_what_cannot_be_upcycled():
    X, y = problem(100)
    dense = MLPRegressor(hidden_layer_sizes=(8,), max_iter=5).fit(X, y)
    upcycle = SparseMixtureOfExpertsRegressor.upcycle
    with pytest.raises(NotFittedError):
        upcycle(MLPRegressor())
    for router in ("soft", "reinforce", "hierarchical"):
        with pytest.raises(ValueError, match="cannot start from a dense network"):
            upcycle(dense, router=router)
    with pytest.raises(ValueError, match="shared_expert"):
        upcycle(dense, shared_expert=True)
    with pytest.raises(ValueError, match="X is None"):
        upcycle(dense, router="hash")
    upcycle(dense, router="hash", X=X).fit(X, y)
    with pytest.raises(ValueError, match="a mixture already"):
        upcycle(regressor().fit(X, y))


# ------------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    "changes, error, message",
    [
        ({"router": "moe"}, ValueError, "router='moe' is not known"),
        ({"router": 3}, TypeError, "router=3"),
        ({"top_k": 5}, ValueError, "top_k=5 must be at most n_experts=4"),
        ({"router": TokenRouter(select=TopK(5))}, ValueError, "select__k=5 exceeds n_experts=4"),
        ({"n_experts": 0}, ValueError, "n_experts=0"),
        ({"hidden": 1.5}, TypeError, "hidden=1.5"),
        ({"activation": "swish"}, ValueError, "activation='swish'"),
        ({"solver": "lbfgs"}, ValueError, "solver='lbfgs'"),
        ({"head": "poisson"}, ValueError, "head='poisson'"),
        ({"capacity_factor": -1.0}, ValueError, "capacity_factor=-1.0"),
        ({"capacity_order": "size"}, ValueError, "capacity_order='size'"),
        ({"overflow": "wrap", "capacity_factor": 1.0}, ValueError, "overflow='wrap'"),
        ({"dropout": 1.0}, ValueError, "dropout=1.0"),
        ({"batch_size": 0}, ValueError, "batch_size=0"),
        ({"learning_rate": "warm"}, ValueError, "learning_rate='warm'"),
        ({"numeric_embedding": "fourier"}, ValueError, "numeric_embedding='fourier'"),
        ({"validation_fraction": 1.0, "early_stopping": True}, ValueError, "validation_fraction"),
        ({"router": HashRouter("quantile", column=10)}, ValueError, "column=10"),
    ],
    ids=str,
)
def test_messages_name_the_argument(changes, error, message):
    X, y = problem(60)
    with pytest.raises(error, match=message.replace("(", r"\(")):
        regressor(**changes).fit(X, y)


def test_bad_rows():
    X, y = problem(60)
    with pytest.raises(ValueError, match="NaN"):
        regressor().fit(np.where(X > 0.99, np.nan, X), y)
    with pytest.raises(ValueError, match="(?i)sample.weight"):
        regressor().fit(X, y, sample_weight=np.zeros(60))
    with pytest.raises(ValueError, match="[Nn]egative"):
        regressor().fit(X, y, sample_weight=-np.ones(60))
    est = classifier().fit(X, y > y.mean())
    with pytest.raises(ValueError, match="features"):
        est.predict(X[:, :3])
