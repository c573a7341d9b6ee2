"""What the papers say of their routers, against counts, direct loops and exact solutions."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.stats import kstest, norm

from skmoe._math.normal import normal_pdf_and_cdf
from skmoe.neural.dispatch import Dispatch, table_of
from skmoe.neural.mixture import BlockShape, dense_weights
from skmoe.neural.parameters import Layout
from skmoe.neural.routers import (
    SHORT_NAMES,
    BiasUpdate,
    Capacity,
    ConditionalRouter,
    ExpertChoice,
    HashRouter,
    HierarchicalRouter,
    Importance,
    LinearScore,
    Load,
    NoisyScore,
    Quota,
    SoftRouter,
    SwitchLoss,
    TokenRouter,
    TopK,
    ZLoss,
    balanced_assignment,
    build_router,
)
from skmoe.neural.routers.balance import squared_variation
from skmoe.neural.routers.base import Choice, Scores
from skmoe.neural.routers.reports import report_of, summarize
from skmoe.neural.routers.scores import standard_normal
from skmoe.neural.routers.selection import top_k
from skmoe.neural.run import Run
from skmoe.neural.soft import SoftMixtureLayer

N, D, E = 400, 5, 6


def setting(router, n=N, d=D, n_experts=E, seed=0, spread=1.0):
    """Return rows, parameters off zero, and the state of a router."""
    rng = np.random.default_rng(seed)
    layout = Layout(router.specs(d, n_experts))
    theta = layout.init(rng) + spread * rng.standard_normal(layout.size)
    h = rng.standard_normal((n, d))
    return h, layout.views(theta), router.initial_state(n_experts)


def route(router, setting, training=True, seed=1):
    """Return the routing and the run of one pass."""
    h, theta, state = setting
    run = Run(training=training, rng=np.random.default_rng(seed))
    return router.forward(theta, state, h, run, "m"), run


def scores_of(logits, kind="softmax"):
    """Return Scores of given logits."""
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Scores(logits, p, kind, logits)


def test_normal_distribution_in_both_precisions():
    z = np.concatenate([np.linspace(-9, 9, 2001), [np.inf, -np.inf, 0.0]])
    for dtype, tolerance in ((np.float64, 1e-15), (np.float32, 3e-7)):
        pdf, cdf = normal_pdf_and_cdf(z.astype(dtype))
        assert pdf.dtype == cdf.dtype == dtype
        np.testing.assert_allclose(pdf, norm.pdf(z), rtol=0, atol=tolerance)
        np.testing.assert_allclose(cdf, norm.cdf(z), rtol=0, atol=tolerance)


# ------------------------------------------------------------------------- noisy top k


def test_noisy_gate_is_a_softmax_over_the_k_largest():
    router = build_router("noisy_top_k", 3)
    h, theta, state = case = setting(router)
    routing, _ = route(router, case, training=False)
    logits = h @ theta["W"] + theta["b"]
    for i in range(N):
        kept = np.argsort(-logits[i])[:3]
        assert set(routing.experts[i]) == set(kept)
        expected = np.exp(logits[i, routing.experts[i]])
        np.testing.assert_allclose(routing.weight[i], expected / expected.sum(), rtol=1e-12)


def test_noise_has_the_learned_deviation():
    score = NoisyScore()
    layout = Layout(score.specs(D, E))
    rng = np.random.default_rng(0)
    theta = layout.views(rng.standard_normal(layout.size))
    h = np.repeat(rng.standard_normal((1, D)), 40_000, axis=0)
    scores = score.forward(theta, h, Run(training=True, rng=rng))
    sigma = np.log1p(np.exp(h[0] @ theta["N"] + theta["c"])) + 0.01
    np.testing.assert_allclose(scores.logits.std(axis=0), sigma, rtol=0.03)
    np.testing.assert_allclose(scores.sigma[0], sigma, rtol=1e-12)


def test_noise_is_normal_in_both_precisions():
    for dtype in (np.float32, np.float64):
        like = np.empty((25_001, 4), dtype=dtype, order="F")
        draws = standard_normal(np.random.default_rng(0), like)
        assert draws.dtype == dtype and draws.flags.f_contiguous
        assert kstest(draws.ravel(), norm.cdf).pvalue > 0.01
        # Neither neighbors nor pairs know of each other.
        flat = draws.ravel(order="F").astype(np.float64)
        for lag in (1, 2, len(flat) // 2):
            for power in (1, 2):
                moved = flat**power
                assert abs(np.corrcoef(moved[:-lag], moved[lag:])[0, 1]) < 0.012 * (
                    len(flat) / (len(flat) - lag)
                )


@pytest.mark.parametrize("k", [1, 2, 4])
def test_load_is_the_probability_of_being_chosen_again(k):
    """P(x, i): the noise of i is drawn again, that of the others stays (Shazeer, equation 8)."""
    router = TokenRouter(NoisyScore(), TopK(k), "none")
    h, theta, _ = setting(router, n=7)
    scores = router.score_.forward(theta, h, Run(training=True, rng=np.random.default_rng(3)))
    choice = Choice(top_k(scores.logits, k))
    smooth = Load.smooth(scores, choice).probability
    rng, draws = np.random.default_rng(4), 20_000
    for i in range(E):
        fresh = scores.clean[:, i] + scores.sigma[:, i] * rng.standard_normal((draws, len(h)))
        others = np.sort(np.delete(scores.logits, i, axis=1), axis=1)[:, -k]
        counted = (fresh > others).mean(axis=0)
        np.testing.assert_allclose(smooth[:, i], counted, atol=0.02)
        exact = norm.cdf((scores.clean[:, i] - others) / scores.sigma[:, i])
        np.testing.assert_allclose(smooth[:, i], exact, rtol=1e-9, atol=1e-12)


def test_load_agrees_with_counts_over_many_draws():
    router = TokenRouter(NoisyScore(), TopK(2), "none")
    h, theta, _ = setting(router, n=50, spread=0.5)
    rng = np.random.default_rng(5)
    loads, counts = np.zeros(E), np.zeros(E)
    for _ in range(400):
        scores = router.score_.forward(theta, h, Run(training=True, rng=rng))
        choice = Choice(top_k(scores.logits, 2))
        loads += Load.smooth(scores, choice).probability.sum(axis=0)
        counts += np.bincount(choice.experts.ravel(), minlength=E)
    np.testing.assert_allclose(loads, counts, rtol=0.03)
    assert loads.std() > 0.1 * loads.mean()


def test_squared_variation_divides_by_the_population():
    amounts = np.array([1.0, 2.0, 6.0])
    assert squared_variation(amounts)[0] == pytest.approx(amounts.var() / 9.0)


def test_losses_of_the_noisy_gate():
    balance = [Importance(0.3), Load(0.7)]
    router = TokenRouter(NoisyScore(), TopK(2), balance=balance)
    case = setting(router)
    routing, run = route(router, case)
    scores, choice = routing.cache[:2]
    importance = np.zeros(E)
    for i in range(N):
        importance[routing.experts[i]] += routing.weight[i]
    load = Load.smooth(scores, choice).probability.sum(axis=0)
    expected = 0.3 * importance.var() / importance.mean() ** 2
    expected += 0.7 * load.var() / load.mean() ** 2
    assert run.loss == pytest.approx(expected, rel=1e-9)


def test_noise_and_losses_are_off_at_predict():
    router = build_router("noisy_top_k")
    case = setting(router)
    first, run = route(router, case, training=False, seed=1)
    second, _ = route(router, case, training=False, seed=2)
    np.testing.assert_array_equal(first.weight, second.weight)
    assert run.loss == 0.0


# ------------------------------------------------------------------------- balance losses


def test_switch_loss_is_one_at_balance_and_e_when_collapsed():
    even = np.zeros((E * 20, E))
    choice = Choice(np.tile(np.arange(E), 20)[:, None])
    loss, _ = SwitchLoss(1.0).loss(scores_of(even), choice, None, {})
    assert loss == pytest.approx(1.0)
    collapsed = np.zeros((50, E))
    collapsed[:, 2] = 50.0
    loss, _ = SwitchLoss(1.0).loss(scores_of(collapsed), Choice(np.full((50, 1), 2)), None, {})
    assert loss == pytest.approx(E)


@pytest.mark.parametrize("choices", ["first", "all"])
def test_switch_loss_counts_before_capacity(choices):
    balance = [SwitchLoss(1.0, choices)]
    free = TokenRouter(LinearScore(), TopK(2), balance=balance)
    tight = TokenRouter(LinearScore(), TopK(2), capacity=Capacity(0.3), balance=balance)
    moved = TokenRouter(
        LinearScore(), TopK(2), capacity=Capacity(1.0, "weight", "next"), balance=balance
    )
    case = setting(free)
    losses = [route(router, case)[1].loss for router in (free, tight, moved)]
    assert losses[0] > 1.05
    assert losses[1] == losses[2] == losses[0]


def test_z_loss():
    logits = np.random.default_rng(0).standard_normal((30, E))
    loss, _ = ZLoss(0.5).loss(scores_of(logits), None, None, {})
    assert loss == pytest.approx(0.5 * np.mean(np.log(np.exp(logits).sum(axis=1)) ** 2))


def test_bias_moves_against_the_load_and_weighs_nothing():
    router = build_router("deepseek", 2)
    h, theta, state = case = setting(router)
    state["bias"][...] = np.linspace(-0.5, 0.5, E)
    before = state["bias"].copy()
    routing, run = route(router, case)
    s = 1 / (1 + np.exp(-(h @ theta["W"] + theta["b"])))
    expected = np.argsort(-(s + before), axis=1)[:, :2]
    np.testing.assert_array_equal(routing.experts, expected)
    chosen = np.take_along_axis(s, expected, axis=1)
    np.testing.assert_allclose(routing.weight, chosen / chosen.sum(axis=1, keepdims=True))
    load = np.bincount(expected.ravel(), minlength=E)
    np.testing.assert_allclose(state["bias"] - before, 0.001 * np.sign(load.mean() - load))
    assert run.loss == 0.0
    for _ in range(3000):
        route(router, case)
    load = route(router, case)[0].report["load"]
    assert load.max() < 1.15 * load.mean()


def test_biases_stay_as_they_are_when_predicting():
    router = TokenRouter(LinearScore(), TopK(2), balance=[BiasUpdate(1.0)])
    case = setting(router)
    route(router, case, training=False)
    assert not case[2]["bias"].any()


# ------------------------------------------------------------------------- switch, gshard, vision


def test_switch_weighs_by_the_probability_itself():
    router = build_router("switch", 1)
    h, theta, _ = case = setting(router)
    routing, _ = route(router, case, training=False)
    logits = h @ theta["W"] + theta["b"]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_array_equal(routing.experts[:, 0], p.argmax(axis=1))
    np.testing.assert_allclose(routing.weight[:, 0], p.max(axis=1))


def test_one_normalized_weight_is_an_error():
    with pytest.raises(ValueError, match="normalize='sum' with k=1"):
        TokenRouter(LinearScore(), TopK(1), "sum").check()


def test_gshard_keeps_the_second_choice_with_probability_two_g2():
    router = build_router("gshard", 2)
    case = setting(router, n=40, spread=0.6)
    kept, draws = np.zeros((40, 2)), 3000
    rng = np.random.default_rng(8)
    for _ in range(draws):
        run = Run(training=True, rng=rng)
        routing = router.forward(case[1], case[2], case[0], run, "m")
        kept += routing.weight > 0
    full, _ = route(router, case, training=False)
    assert (kept[:, 0] == draws).all()
    expected = np.minimum(1.0, 2.0 * full.weight[:, 1])
    np.testing.assert_allclose(kept[:, 1] / draws, expected, atol=0.04)
    assert np.ptp(expected) > 0.5
    np.testing.assert_allclose(full.weight.sum(axis=1), 1.0)


def test_gshard_normalizes_before_it_drops():
    router = build_router("gshard", 2, Capacity(0.5))
    case = setting(router)
    routing, _ = route(router, case)
    whole, _ = route(router, case, training=False)
    np.testing.assert_array_equal(routing.experts, whole.experts)
    placed = routing.kept
    np.testing.assert_allclose(routing.weight[placed], whole.weight[placed])
    assert 0.2 < placed.mean() < 0.8


def test_vision_serves_the_heaviest_rows_first():
    router = build_router("vision", 1, Capacity(0.5))
    case = setting(router)
    routing, _ = route(router, case)
    full = routing.cache[2]
    for e in range(E):
        mine = routing.experts[:, 0] == e
        kept = mine & routing.kept[:, 0]
        if kept.sum() < mine.sum():
            assert full[kept].min() >= full[mine & ~kept].max()


# ------------------------------------------------------------------------- capacity


@pytest.mark.parametrize("order", ["arrival", "weight"])
@pytest.mark.parametrize("overflow", ["drop", "next"])
@pytest.mark.parametrize("factor", [0.4, 1.0, 1.25, 3.0])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_capacity_is_never_exceeded_and_no_row_is_lost(order, overflow, factor, k):
    capacity = Capacity(factor, order, overflow)
    router = TokenRouter(LinearScore(), TopK(k), "none", capacity=capacity)
    routing, _ = route(router, setting(router))
    size = int(np.ceil(factor * k * N / E))
    load = np.zeros(E, dtype=int)
    for i in range(N):
        placed = routing.experts[i][routing.kept[i]]
        assert len(set(placed)) == len(placed)
        load[placed] += 1
    assert load.max() <= size
    np.testing.assert_array_equal(load, routing.report["load"])
    summary = summarize(routing.report)
    assert routing.report["taken"] == load.sum()
    assert summary["dropped"] == pytest.approx(1.0 - load.sum() / (N * k))
    assert summary["unrouted"] == pytest.approx(np.mean(~routing.kept.any(axis=1)))
    if overflow == "next" and factor >= 1.25:
        assert routing.kept.all()
    if factor == 3.0:
        assert routing.kept.all()
    if factor == 0.4:
        assert load.sum() <= 0.41 * N * k


def test_first_choices_take_places_before_any_second():
    logits = np.zeros((6, 3))
    logits[:3] = [0, 2, 1]
    logits[3:] = [2, 1, 0]
    scores = scores_of(logits)
    choice = Choice(top_k(logits, 2))
    Capacity(1.0).place(choice, scores.affinity, 2)
    # C = 4 for six rows, two choices, three experts: expert 1 has three first choices.
    np.testing.assert_array_equal(choice.kept[:, 0], True)
    np.testing.assert_array_equal(choice.kept[:, 1], [1, 1, 1, 1, 0, 0])


def test_overflow_to_the_next_choice_by_a_direct_loop():
    rng = np.random.default_rng(2)
    logits = rng.standard_normal((60, 5)) + [2.0, 0, 0, 0, 0]
    scores, choice = scores_of(logits), Choice(top_k(logits, 1))
    Capacity(1.0, "arrival", "next").place(choice, scores.affinity, 1)
    load = np.bincount(logits.argmax(axis=1), minlength=5)
    assert load.max() > 12
    placed = np.minimum(load, 12)
    first = logits.argmax(axis=1)
    late = [i for i in range(60) if np.sum(first[:i] == first[i]) >= 12]
    turn = {i: 1 for i in late}
    expert = first.copy()
    while late:
        waiting = []
        for i in late:
            e = np.argsort(-logits[i])[turn[i]]
            turn[i] += 1
            if placed[e] < 12:
                placed[e] += 1
                expert[i] = e
            else:
                waiting.append(i)
        late = waiting
    np.testing.assert_array_equal(choice.experts[:, 0], expert)
    assert choice.kept.all()


# ------------------------------------------------------------------------- hash


@pytest.mark.parametrize("kind", ["hyperplanes", "quantile", "category", "kmeans"])
@pytest.mark.parametrize("balanced", [False, True])
def test_hash_is_a_function_of_the_row(kind, balanced):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 3))
    X[:, 0] = rng.integers(0, 40, 600)
    router = HashRouter(kind, balanced=balanced)
    state = router.prepare(X, 5, rng)
    keys = router.keys(state, X)
    assert keys.min() >= 0 and keys.max() <= 4
    alone = [router.keys(state, X[i : i + 1])[0] for i in range(50)]
    np.testing.assert_array_equal(alone, keys[:50])
    again = HashRouter(kind, balanced=balanced).prepare(X, 5, np.random.default_rng(9))
    np.testing.assert_array_equal(router.keys(again, X), keys)
    counts = np.bincount(keys, minlength=5)
    assert (counts > 0).all()
    if balanced:
        assert counts.max() < 1.35 * counts.mean()


def test_hash_is_the_same_in_every_process():
    code = (
        "import numpy as np; from skmoe.neural.routers import HashRouter;"
        "X = np.random.default_rng(0).standard_normal((200, 3)).round(1);"
        "r = [HashRouter(k) for k in ('hyperplanes', 'category', 'kmeans')];"
        "print([int(np.dot(a.keys(a.prepare(X, 7, None), X), np.arange(200))) for a in r])"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "4242")
    ]
    answers = {process.communicate()[0] for process in running}
    assert all(process.returncode == 0 for process in running)
    assert len(answers) == 1


# ------------------------------------------------------------------------- soft


@pytest.mark.parametrize("tokens", ["chunks", "rows"])
def test_soft_slots_are_convex_combinations(tokens):
    shape = BlockShape(n_experts=3, n_in=8, n_out=8, hidden=4)
    layer = SoftRouter(tokens, n_slots=2).layer("m", shape)
    layout = Layout(layer.specs())
    rng = np.random.default_rng(0)
    theta = layout.views(rng.standard_normal(layout.size))
    x = rng.standard_normal((30, 8))
    run = Run(training=True, rng=rng, state={"m": layer.initial_state()})
    _, cache = layer.forward(theta, x, run)
    C, D_ = cache[3], cache[4]
    for share, axis in ((C, 2), (D_, 1)):
        assert (share >= 0).all()
        np.testing.assert_allclose(share.sum(axis=axis), 1.0)
    tokens_ = cache[1]
    slots = np.einsum("mts,mtc->msc", D_, tokens_)
    low, high = tokens_.min(axis=1)[:, None], tokens_.max(axis=1)[:, None]
    assert (slots >= low - 1e-9).all() and (slots <= high + 1e-9).all()
    Phi = theta["Phi"] / np.linalg.norm(theta["Phi"], axis=0)
    unit = tokens_ / np.linalg.norm(tokens_, axis=2, keepdims=True)
    scores = np.exp(theta["scale"] * unit @ Phi)
    np.testing.assert_allclose(D_, scores / scores.sum(axis=1, keepdims=True), rtol=1e-9)
    np.testing.assert_allclose(C, scores / scores.sum(axis=2, keepdims=True), rtol=1e-9)


def test_soft_rows_are_answered_from_frozen_slots():
    shape = BlockShape(n_experts=3, n_in=4, n_out=4, hidden=4)
    layer = SoftMixtureLayer("m", shape, None, 1, 0.9)
    layout = Layout(layer.specs())
    rng = np.random.default_rng(0)
    theta = layout.views(rng.standard_normal(layout.size))
    state = {"m": layer.initial_state()}
    for _ in range(3):
        layer.forward(theta, rng.standard_normal((20, 4)), Run(training=True, rng=rng, state=state))
    x = rng.standard_normal((20, 4))
    whole, _ = layer.forward(theta, x, Run(state=state))
    alone, _ = layer.forward(theta, x[:1], Run(state=state))
    np.testing.assert_allclose(alone[0], whole[0], rtol=1e-12)


# ------------------------------------------------------------------------- base


@pytest.mark.parametrize("n, n_experts", [(1024, 16), (1000, 16), (301, 7), (40, 50), (64, 1)])
@pytest.mark.parametrize("kind", ["plain", "skewed", "low rank", "flat"])
def test_assignment_is_balanced_and_next_to_the_optimum(n, n_experts, kind):
    rng = np.random.default_rng(n)
    scores = rng.standard_normal((n, n_experts))
    if kind == "skewed":
        scores = 0.3 * scores + 2.0 * rng.standard_normal(n_experts)
    if kind == "low rank":
        scores = scores[:, :1] * rng.standard_normal(n_experts) + 0.01 * scores
    if kind == "flat":
        scores = np.ones((n, n_experts))
    found = balanced_assignment(scores.astype(np.float32))
    size = -(-n // n_experts)
    assert np.bincount(found, minlength=n_experts).max() <= size
    best = linear_sum_assignment(np.repeat(scores, size, axis=1), maximize=True)[1] // size
    lines = np.arange(n)
    optimum = scores[lines, best].sum()
    assert optimum - scores[lines, found].sum() <= 0.005 * abs(optimum)


def test_base_fills_up_with_the_row_itself():
    router = build_router("base", 1)
    layer = router.layer("m", BlockShape(n_experts=4, n_in=D, n_out=D, hidden=3))
    layout = Layout(layer.specs())
    rng = np.random.default_rng(0)
    theta = layout.views(rng.standard_normal(layout.size))
    x = rng.standard_normal((10, D))
    y, _ = layer.forward(theta, x, Run(state={"m": {}}))
    logits = x @ theta["router"]["W"] + theta["router"]["b"]
    for i in range(10):
        e = logits[i].argmax()
        s = 1 / (1 + np.exp(-logits[i, e]))
        W, V = theta["experts"]["W"][e], theta["experts"]["V"][e]
        f = np.maximum(x[i] @ W[:-1] + W[-1], 0) @ V[:-1] + V[-1]
        np.testing.assert_allclose(y[i], s * f + (1 - s) * x[i], rtol=1e-10)


# ------------------------------------------------------------------------- expert choice


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_expert_choice_fills_every_expert(factor):
    router = TokenRouter(LinearScore(), ExpertChoice(factor), "none")
    h, theta, state = case = setting(router)
    routing, _ = route(router, case)
    size = int(np.ceil(factor * N / E))
    np.testing.assert_array_equal(routing.report["load"], size)
    p = routing.cache[0].affinity
    for e in range(E):
        rows = np.flatnonzero(((routing.experts == e) & routing.kept).any(axis=1))
        assert set(rows) == set(np.argsort(-p[:, e])[:size])
        np.testing.assert_allclose(state["thresholds"][e], np.sort(p[:, e])[-size])
    np.testing.assert_allclose(
        routing.weight[routing.kept],
        np.take_along_axis(p, routing.experts, axis=1)[routing.kept],
    )
    ahead, _ = route(router, case, training=False)
    np.testing.assert_array_equal(ahead.report["load"], size)


# ------------------------------------------------------------------------- two levels


def kept_softmax(logits, k):
    """Return the k largest columns, and their softmax (one: its probability among all)."""
    top = np.argsort(-logits)[:k]
    p = np.exp(logits) / np.exp(logits).sum()
    return top, p[top] / (p[top].sum() if k > 1 else 1.0)


@pytest.mark.parametrize("top_groups, k", [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_hierarchical_weights_are_products_of_two_gates(top_groups, k):
    router = HierarchicalRouter(2, top_groups, k)
    h, theta, _ = case = setting(router, n=60)
    found = dense_weights(route(router, case, training=False)[0], E)
    outer = h @ theta["primary"]["W"] + theta["primary"]["b"]
    inner = (h @ theta["secondary"]["W"] + theta["secondary"]["b"]).reshape(60, 2, 3)
    expected = np.zeros((60, 2, 3))
    for n in range(60):
        for i, g in zip(*kept_softmax(outer[n], top_groups), strict=True):
            top, weight = kept_softmax(inner[n, i], k)
            expected[n, i, top] = g * weight
    np.testing.assert_allclose(found, expected.reshape(60, E), rtol=1e-9)


def probability_of_choice(clean, noisy, sigma, k):
    """Return Phi((clean_i - k-th largest of the other noisy scores) / sigma_i), (n, E)."""
    found = np.empty_like(clean)
    for i in range(clean.shape[1]):
        others = np.sort(np.delete(noisy, i, axis=1), axis=1)[:, -k]
        found[:, i] = norm.cdf((clean[:, i] - others) / sigma[:, i])
    return found


def test_hierarchical_load_is_that_of_the_appendix():
    """Load_ij = Load_i Load(X_i)_j / |X_i| (Shazeer, equation 14), and its loss is CV^2."""
    router = HierarchicalRouter(3, 2, 1, importance=0.0, load=0.7)
    h, theta, _ = case = setting(router, spread=0.5)
    _, run = route(router, case)
    again, score = Run(training=True, rng=np.random.default_rng(1)), NoisyScore()
    outer = score.forward(theta["primary"], h, again)
    inner = score.forward(theta["secondary"], h, again)
    loads = np.zeros((3, 2))
    chosen = np.argsort(-outer.logits, axis=1)[:, :2]
    p = probability_of_choice(outer.clean, outer.logits, outer.sigma, 2).sum(axis=0)
    for i in range(3):
        own, block = (chosen == i).any(axis=1), slice(2 * i, 2 * i + 2)
        parts = [A[own, block] for A in (inner.clean, inner.logits, inner.sigma)]
        loads[i] = p[i] * probability_of_choice(*parts, 1).mean(axis=0)
    assert run.loss == pytest.approx(0.7 * loads.var() / loads.mean() ** 2, rel=1e-9)


# ------------------------------------------------------------------------- 2013, 2015, 2022


def test_quota_lets_an_expert_sit_out():
    router = TokenRouter(LinearScore(), Quota(0.1), "sum")
    h, theta, state = case = setting(router)
    state["totals"][...] = [100, 10, 10, 10, 10, 10]
    routing, _ = route(router, case)
    logits = h @ theta["W"] + theta["b"]
    p = np.exp(logits)
    p[:, 0] = 0.0
    np.testing.assert_allclose(routing.weight, p / p.sum(axis=1, keepdims=True), rtol=1e-9)
    gained = state["totals"] - [100, 10, 10, 10, 10, 10]
    np.testing.assert_allclose(gained, routing.weight.sum(axis=0), atol=1e-9)
    state["totals"][...] = [100, 10, 10, 10, 10, 10]
    run = Run(training=True, rng=np.random.default_rng(0), second_stage=True)
    second = router.forward(theta, state, h, run, "m")
    assert (second.weight[:, 0] > 0).all()
    np.testing.assert_array_equal(state["totals"], [100, 10, 10, 10, 10, 10])
    for _ in range(200):
        route(router, case)
    assert state["totals"].max() < 1.25 * state["totals"].mean()


def test_sampled_gates_have_their_probabilities():
    router = build_router("reinforce", 2)
    case = setting(router, n=30, spread=0.5)
    opened = np.zeros((30, E))
    rng = np.random.default_rng(1)
    for _ in range(3000):
        routing = router.forward(case[1], case[2], case[0], Run(training=True, rng=rng), "m")
        rows, columns = np.nonzero(routing.kept)
        opened[rows, routing.experts[rows, columns]] += 1
    p = 1 / (1 + np.exp(-(case[0] @ case[1]["W"] + case[1]["b"])))
    np.testing.assert_allclose(opened / 3000, p, atol=0.05)
    ahead, _ = route(router, case, training=False)
    wide = np.zeros((30, E))
    np.add.at(wide, (np.arange(30)[:, None], ahead.experts), ahead.weight)
    expected = p > 0.5
    expected[np.arange(30), p.argmax(axis=1)] = True
    np.testing.assert_array_equal(wide, expected)


def test_conditional_budget_and_blend():
    router = ConditionalRouter(build_router("top_k", 2), weight=0.5, budget=0.8)
    plain = build_router("top_k", 2)
    shape = BlockShape(n_experts=4, n_in=D, n_out=D, hidden=3, skip=False)
    layer, bare = router.layer("m", shape), plain.layer("m", shape)
    layout = Layout(layer.specs())
    rng = np.random.default_rng(0)
    theta = layout.views(rng.standard_normal(layout.size))
    x = rng.standard_normal((40, D))
    state = {"m": router.initial_state(4)}
    run, other = (Run(training=True, rng=rng, state=state) for _ in range(2))
    y, _ = layer.forward(theta, x, run)
    moe, _ = bare.forward(theta, x, other)
    gate, ffn = theta["beside"]["gate"]["W"], theta["beside"]["ffn"]
    g = 1 / (1 + np.exp(-(x @ gate[:-1] + gate[-1])))
    hidden = np.maximum(x @ ffn["expand"]["W"][:-1] + ffn["expand"]["W"][-1], 0)
    dense = hidden @ ffn["contract"]["W"][:-1] + ffn["contract"]["W"][-1]
    np.testing.assert_allclose(y, (1 - g) * dense + g * moe, rtol=1e-9)
    assert run.loss - other.loss == pytest.approx(0.5 * abs(g.mean() - 0.8))


@pytest.mark.parametrize(
    "name, n_experts, k, total",
    [("mixtral", 8, 2, 1), ("dbrx", 16, 4, 1), ("glam", 64, 2, 1), ("olmoe", 64, 8, None)],
)
def test_presets_of_large_models(name, n_experts, k, total):
    preset = SHORT_NAMES[name]
    assert (preset.n_experts, preset.top_k) == (n_experts, k)
    router = build_router(name)
    h, theta, _ = case = setting(router, n_experts=n_experts, spread=0.3)
    routing, _ = route(router, case, training=False)
    assert routing.experts.shape == (N, k)
    logits = h @ theta["W"] + theta["b"]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    chosen = -np.sort(-p, axis=1)[:, :k]
    if total:
        chosen = chosen / chosen.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(routing.weight, chosen, rtol=1e-9)


@pytest.mark.parametrize(
    "name, constants",
    [
        (
            "switch",
            {"score__jitter": 0.01, "balance__0__weight": 0.01, "balance__1__weight": 1e-3},
        ),
        ("gshard", {"select__k": 2, "select__random_second": True}),
        ("olmoe", {"balance__0__weight": 0.01, "balance__1__weight": 1e-3}),
        ("deepseek", {"balance__0__rate": 0.001, "score__activation": "sigmoid"}),
        ("conditional", {"weight": 0.1, "budget": 0.8}),
        ("vision", {"normalize": "none"}),
    ],
)
def test_constants_of_the_papers(name, constants):
    params = build_router(name).get_params()
    assert {key: params[key] for key in constants} == constants


# ------------------------------------------------------------------------- dispatch


@pytest.mark.parametrize("n_experts", [1, 3, 8, 40, 300])
@pytest.mark.parametrize("n, k", [(1, 1), (5, 1), (97, 2), (500, 3)])
@pytest.mark.parametrize("share", [None, 0.6, 0.0])
def test_dispatch_brings_rows_to_experts_and_back(n_experts, n, k, share):
    rng = np.random.default_rng(n)
    k = min(k, n_experts)
    experts = np.array([rng.choice(n_experts, k, replace=False) for _ in range(n)])
    kept = None if share is None else rng.random((n, k)) < share
    weight = rng.random((n, k))
    placed = np.ones((n, k), bool) if kept is None else kept
    weight = np.where(placed, weight, 0.0)
    dispatch = Dispatch(experts, kept, n_experts)
    A, gain = rng.standard_normal((n, 4)), rng.standard_normal(n_experts)
    slots = dispatch.gather(A, np.empty((dispatch.n_slots, 4)))
    for block, factor in zip(dispatch.stacked(slots), dispatch.of(gain), strict=True):
        block *= factor
    total = dispatch.combine(slots, weight, np.empty((n, 4)))
    expected = A * np.sum(weight * gain[experts], axis=1)[:, None]
    np.testing.assert_allclose(total, expected, atol=1e-12)
    np.testing.assert_array_equal(
        dispatch.counts, np.bincount(experts[placed], minlength=n_experts)
    )
    back = dispatch.to_choices(dispatch.to_slots(weight))
    np.testing.assert_array_equal(back, weight)
    used = dispatch.to_slots(np.where(placed, 1.0, 0.0))
    assert used.sum() == placed.sum()


def test_table_of_pairs():
    rows, experts = np.array([2, 0, 2, 2]), np.array([1, 5, 3, 0])
    table, valid = table_of(rows, experts, 4)
    assert table.shape == (4, 3)
    np.testing.assert_array_equal(valid.sum(axis=1), [1, 0, 3, 0])
    np.testing.assert_array_equal(table[2], [1, 3, 0])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("k", [1, 2, 6, 7, 20])
def test_top_k_against_a_sort(k, ties, order):
    keys = 1e3 * np.random.default_rng(0).standard_normal((50, 20))
    keys = np.array(keys // 200.0 if ties else keys, order=order)
    found, before = top_k(keys, k), keys.copy()
    expected = np.argsort(-keys, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(
        np.take_along_axis(keys, found, axis=1), np.take_along_axis(keys, expected, axis=1)
    )
    assert all(len(set(row)) == k for row in found.tolist())
    if not ties:
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(keys, before)


@pytest.mark.parametrize("choices, columns", [("first", 1), ("all", 2)])
def test_switch_loss_counts_first_choices_or_all(choices, columns):
    logits = np.random.default_rng(0).standard_normal((30, E)) + np.arange(E)
    scores, choice = scores_of(logits), Choice(top_k(logits, 2))
    loss, _ = SwitchLoss(0.3, choices).loss(scores, choice, None, {})
    named = np.argsort(-logits, axis=1)[:, :columns]
    share = np.bincount(named.ravel(), minlength=E) / named.size
    assert loss == pytest.approx(0.3 * E * share @ scores.affinity.mean(axis=0), rel=1e-12)


def test_report():
    choice = Choice(np.array([[0, 1], [0, 2], [2, 0]]))
    kept = np.array([[True, True], [False, False], [True, False]])
    weight = np.where(kept, 0.5, 0.0)
    p = np.full((3, 4), 0.25)
    report = report_of(choice, weight, kept, Scores(p, p, "softmax", p), 4, watch=True)
    summary = summarize(report)
    np.testing.assert_allclose(summary["load"], np.array([1, 1, 1, 0]) / 3)
    assert summary["dead"] == 1
    assert summary["dropped"] == pytest.approx(0.5)
    assert summary["unrouted"] == pytest.approx(1 / 3)
    assert summary["row_entropy"] == pytest.approx(np.log(4))
    assert summary["marginal_entropy"] == pytest.approx(np.log(4))
