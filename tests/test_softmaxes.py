"""The mixture of softmaxes: its definition, its slopes, its rank, and many classes."""

import pickle

import numpy as np
import pytest
from _neural import differences
from scipy.special import log_softmax, logsumexp
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmoe import MixtureOfSoftmaxesClassifier
from skmoe.datasets import load_genesis
from skmoe.neural.run import Run
from skmoe.neural.softmaxes import mixture_of_softmaxes

N, D, C, K, WIDTH = 9, 4, 7, 3, 2


@parametrize_with_checks(
    [
        MixtureOfSoftmaxesClassifier(
            2, width=4, hidden=h, learning_rate="cosine", max_iter=60, random_state=0
        )
        for h in (None, 8)
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def rows(n=300, seed=0):
    X, y = make_classification(
        n, n_features=6, n_informative=4, n_classes=4, n_clusters_per_class=1, random_state=seed
    )
    return X, np.array(["n", "e", "s", "w"])[y]


def classifier(n_experts=3, **kwargs):
    kwargs = {"width": 4, "learning_rate": "cosine", "max_iter": 40, "random_state": 0} | kwargs
    return MixtureOfSoftmaxesClassifier(n_experts, **kwargs)


def network(hidden=None, seed=0, spread=0.4, **kwargs):
    """A small network with numbers off their start, its layout, and rows."""
    net = mixture_of_softmaxes(D, C, (K, WIDTH), hidden=hidden, **kwargs)
    rng = np.random.default_rng(seed)
    theta = net.layout.init(rng) + spread * rng.standard_normal(net.layout.size)
    return net, theta, rng.standard_normal((N, D)), rng.integers(C, size=N)


# --------------------------------------------------------------------------------- the definition


@pytest.mark.parametrize("hidden", [None, 5])
def test_probabilities_are_those_of_the_definition(hidden):
    net, theta, X, y = network(hidden)
    views = net.layout.views(theta)
    logs, losses = net.outputs(views, {}, X), net.losses(views, X, y)
    for x, found, label, loss in zip(X, logs, y, losses, strict=True):
        h = x
        if hidden is not None:
            W = views["body"]["expand"]["W"]
            h = np.maximum(x @ W[:-1] + W[-1], 0.0)
        pi = np.exp(log_softmax(h @ views["gate"]["W"][:-1] + views["gate"]["W"][-1]))
        V = views["contexts"]["map"]["W"]
        a = np.tanh(h @ V[:-1] + V[-1]).reshape(K, WIDTH)
        p = sum(pi[k] * np.exp(log_softmax(a[k] @ views["output"]["W"])) for k in range(K))
        np.testing.assert_allclose(np.exp(found), p)
        assert loss == pytest.approx(-np.log(p[label]))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kwargs", [{}, {"hidden": 5, "activation": "gelu"}, {"dropout": 0.4}])
def test_slopes_are_finite_differences(kwargs, weighted):
    net, theta, X, y = network(**kwargs)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, N) if weighted else None

    def loss(vector, grad=None):
        grad = np.zeros_like(vector) if grad is None else grad
        run = Run(training=True, rng=np.random.default_rng(2))
        return net.step(net.layout.views(vector), net.layout.views(grad), (X, y, weight), run)

    grad = np.full(net.layout.size, np.nan)
    loss(theta, grad)
    numeric = differences(loss, theta)
    np.testing.assert_allclose(grad, numeric, rtol=0, atol=1e-7 * np.abs(numeric).max())
    assert np.abs(numeric).max() > 1e-2


def test_far_logits_stay_finite():
    net, theta, X, y = network(spread=0.0)
    views, grad = net.layout.views(theta), np.zeros(net.layout.size)
    views["output"]["W"][...] *= 1e4
    logs = net.outputs(views, {}, X)
    assert np.isfinite(logs).all() and logs.min() < -1000.0
    np.testing.assert_allclose(logsumexp(logs, axis=1), 0.0, atol=1e-9)
    picked = -logs[np.arange(N), y]
    np.testing.assert_allclose(net.losses(views, X, y), picked)
    loss = net.step(views, net.layout.views(grad), (X, y, None), Run(training=True))
    assert loss == pytest.approx(picked.mean()) and np.isfinite(grad).all()


def test_parts_add_up():
    X, y = rows()
    est = classifier().fit(X, y)
    gate, experts = est.predict_gate(X), est.predict_experts(X)
    np.testing.assert_allclose(gate.sum(axis=1), 1.0)
    np.testing.assert_allclose(experts.sum(axis=2), 1.0)
    np.testing.assert_allclose(np.einsum("nk,nkc->nc", gate, experts), est.predict_proba(X))
    np.testing.assert_array_equal(est.apply(X), gate.argmax(axis=1))
    assert est.output_.shape == (4, 4) and est.score(X, y) > 0.8
    np.testing.assert_allclose(
        est.score_samples(X, y),
        est.predict_log_proba(X)[np.arange(len(y)), np.searchsorted(est.classes_, y)],
    )


# ----------------------------------------------------------------------------------- the bottleneck


def next_words(n_contexts=40, n_words=12, n_next=4, seed=0):
    """After each context one of four words comes, seldom another one: log-probabilities."""
    rng = np.random.RandomState(seed)
    P = np.full((n_contexts, n_words), 0.02 / n_words)
    for row in P:
        row[rng.choice(n_words, n_next, replace=False)] += 0.98 / n_next
    return np.log(P)


def fitted_to(L, n_experts, width, seed):
    """Return the log-probabilities that a mixture learns from those of contexts and words."""
    n, m = L.shape
    est = classifier(
        n_experts,
        width=width,
        standardize=False,
        alpha=0.0,
        learning_rate_init=0.03,
        max_iter=600,
        batch_size=n * m,
        tol=1e-7,
        random_state=seed,
    )
    X, y = np.repeat(np.eye(n), m, axis=0), np.tile(np.arange(m), n)
    est.fit(X, y, sample_weight=np.exp(L).ravel())
    return est.predict_log_proba(np.eye(n))


@pytest.mark.parametrize("seed", range(3))
def test_one_softmax_is_a_bottleneck_where_four_are_not(seed):
    """A matrix of rank 12, of which one softmax of width 4 reaches rank 5."""
    L = next_words(seed=seed)
    assert np.linalg.matrix_rank(L) == 12
    one, four, wide = (fitted_to(L, *shape, seed) for shape in ((1, 4), (4, 4), (1, 12)))
    assert np.linalg.matrix_rank(one, tol=1e-8) <= 5
    assert np.linalg.matrix_rank(four, tol=1e-3) > 5
    # No matrix of rank 5 comes closer than the singular values that it leaves out.
    least = np.sqrt(np.square(np.linalg.svd(L, compute_uv=False)[5:]).sum())
    assert least > 10.0
    assert np.linalg.norm(one - L) >= least
    loss = [float(np.mean(np.sum(np.exp(L) * (L - M), axis=1))) for M in (one, four, wide)]
    assert loss[0] > 0.25 and loss[1] < 0.03 and loss[2] < 0.03, loss


# ------------------------------------------------------------------------------------ many classes


def test_ten_thousand_classes():
    """Every class is one of a hundred streets and one of a hundred numbers."""
    rng = np.random.RandomState(0)
    y = np.concatenate([np.arange(10_000), rng.randint(10_000, size=2_000)])
    X = np.column_stack([y // 100, y % 100]) / 50.0 + 0.02 * rng.standard_normal((len(y), 2))
    est = MixtureOfSoftmaxesClassifier(2, width=8, max_iter=2, learning_rate="cosine")
    est.set_params(random_state=0, learning_rate_init=0.02).fit(X, y)
    assert est.batch_size == "auto" and len(est.classes_) == 10_000
    assert est.loss_curve_[-1] < est.loss_curve_[0] < np.log(10_000) + 0.5
    some = X[:300]
    np.testing.assert_array_equal(est.predict(some), est.predict_proba(some).argmax(axis=1))
    np.testing.assert_allclose(est.predict_proba(some).sum(axis=1), 1.0)


def test_training_holds_a_few_blocks_of_logits():
    est = MixtureOfSoftmaxesClassifier(4)
    est.classes_ = np.arange(10_000)
    assert est._auto_batch_size(10**6) * 4 * 10_000 * 4 <= 2**26
    est.classes_ = np.arange(10)
    assert est._auto_batch_size(10**6) == 1024


# --------------------------------------------------------------------------- scikit-learn's manners


def test_units_do_not_matter():
    X, y = rows()
    one, other = classifier().fit(X, y), classifier().fit(1e6 * X + 3e6, y)
    np.testing.assert_allclose(other.predict_proba(1e6 * X + 3e6), one.predict_proba(X), atol=1e-3)


def test_integer_weights_are_repeated_rows():
    X, y = rows(120)
    times = np.random.RandomState(0).randint(0, 3, len(y))
    weighted = classifier(max_iter=10).fit(X, y, sample_weight=times)
    repeated = classifier(max_iter=10).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-6)


def test_seeds_pickles_and_clones():
    X, y = rows()
    est = classifier(hidden=5, early_stopping=True).fit(X, y)
    np.testing.assert_array_equal(clone(est).fit(X, y).predict_proba(X), est.predict_proba(X))
    again = pickle.loads(pickle.dumps(est))
    np.testing.assert_array_equal(again.predict_proba(X), est.predict_proba(X))
    assert max(est.validation_scores_) < 0.0
    float32 = clone(est).fit(X.astype(np.float32), y)
    assert np.mean(float32.predict(X) == est.predict(X)) > 0.95


def test_a_row_alone_gets_the_same_answer():
    X, y = rows()
    est = classifier(hidden=5).fit(X, y)
    whole = est.predict_log_proba(X)
    np.testing.assert_allclose([est.predict_log_proba(x[None])[0] for x in X], whole, rtol=1e-9)


def test_class_weights_count():
    X, y = rows()
    plain = classifier().fit(X, y)
    pulled = classifier(class_weight={"n": 50.0, "e": 1.0, "s": 1.0, "w": 1.0}).fit(X, y)
    assert (pulled.predict(X) == "n").mean() > (plain.predict(X) == "n").mean() + 0.02


def test_pieces_warm_starts_and_searches():
    X, y = rows()
    est = classifier(learning_rate="constant", learning_rate_init=0.03)
    for _ in range(30):
        est.partial_fit(X, y, classes=["e", "n", "s", "w"])
    assert est.score(X, y) > 0.8
    warm = classifier(max_iter=5, warm_start=True).fit(X, y)
    first = warm.loss_curve_[-1]
    assert warm.fit(X, y).loss_curve_[-1] < first
    piped = make_pipeline(StandardScaler(), classifier(max_iter=10))
    grid = {"mixtureofsoftmaxesclassifier__width": [1, 4]}
    assert GridSearchCV(piped, grid, cv=2).fit(X, y).best_score_ > 0.5


# ------------------------------------------------------------------------------------- bad inputs


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("n_experts", 0),
        ("n_experts", 2.5),
        ("width", 0),
        ("width", None),
        ("hidden", 0),
        ("hidden", "wide"),
        ("activation", "step"),
        ("dropout", 1.0),
        ("class_weight", "even"),
        ("solver", "lbfgs"),
        ("alpha", np.nan),
        ("batch_size", 0),
        ("learning_rate", "fast"),
        ("learning_rate_init", 0.0),
        ("max_iter", 0),
        ("random_state", "a"),
        ("tol", -1.0),
        ("beta_1", 1.0),
        ("validation_fraction", 1.5),
    ],
    ids=str,
)
def test_wrong_arguments_are_named(argument, value):
    est = classifier(early_stopping=True).set_params(**{argument: value})
    with pytest.raises((ValueError, TypeError), match=argument):
        est.fit(*rows(60))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_rows_that_cannot_be_used_are_refused(value):
    X, y = rows(60)
    est = classifier(max_iter=2).fit(X, y)
    bad = X.copy()
    bad[0, 0] = value
    for answer in (est.predict, est.predict_proba, est.predict_gate, est.predict_experts):
        with pytest.raises(ValueError, match=r"\bX\b"):
            answer(bad)
        with pytest.raises(ValueError, match="X has 2 features"):
            answer(X[:, :2])
    with pytest.raises(ValueError, match=r"\bX\b"):
        classifier().fit(bad, y)
    with pytest.raises(ValueError, match="sample_weight"):
        classifier().fit(X, y, sample_weight=np.full(len(y), value))
    with pytest.raises(ValueError, match="north"):
        est.score_samples(X, np.full(len(y), "north"))
    with pytest.raises(ValueError, match="inconsistent"):
        est.score_samples(X, y[:-1])


# ------------------------------------------------------------------------------------ the next word


def perplexity(seed, n_experts, width, min_count):
    """Return the perplexity of held-out stretches of Genesis, and the number of parameters."""
    X, y = load_genesis(n_context=1, min_count=min_count, return_X_y=True)
    stretch = np.arange(len(y)) // 40
    drawn = np.random.RandomState(seed).permutation(stretch[-1] + 1)
    held = np.isin(stretch, drawn[: len(drawn) // 5])
    est = classifier(
        n_experts,
        width=width,
        hidden=8,
        activation="tanh",
        learning_rate_init=0.02,
        max_iter=60,
        n_iter_no_change=60,
        random_state=seed,
    )
    est.fit(X[~held], y[~held])
    held &= np.isin(y, est.classes_)
    return np.exp(-est.score_samples(X[held], y[held]).mean()), est.n_parameters_


def compare(seeds, width, min_count):
    """Return perplexities (2, n_seeds) of one softmax and of eight with at most its parameters."""
    found = np.array(
        [[perplexity(s, *shape, min_count) for s in seeds] for shape in ((1, width), (8, 8))]
    )
    assert found[1, 0, 1] <= found[0, 0, 1]
    return found[:, :, 0]


def test_held_out_rows_are_like_those_to_come():
    # Few values of x and of y: most pairs come many times, and each may be held out or not.
    X, y = load_genesis(n_context=1, min_count=8, return_X_y=True)
    held = np.random.RandomState(0).uniform(size=len(y)) < 0.2
    est = classifier(4, width=8, early_stopping=True, max_iter=30, random_state=0)
    est.fit(X[~held], y[~held])
    to_come = est.score_samples(X[held], y[held]).mean()
    assert est.best_iter_ > 10
    assert max(est.validation_scores_) == pytest.approx(to_come, abs=0.15)


def test_a_mixture_predicts_the_next_word_better():
    one, eight = compare(range(2), 12, 8).mean(axis=1)
    assert eight < one < 30.0


@pytest.mark.slow
@pytest.mark.parametrize(("width", "min_count"), [(12, 8), (11, 5)])
def test_a_mixture_predicts_the_next_word_better_over_five_splits(width, min_count):
    one, eight = compare(range(5), width, min_count)
    assert eight.mean() < 0.985 * one.mean()
    assert (eight < one).sum() >= 4
