"""Every layer, router, loss and head against differences, in float64 with the noise frozen."""

import numpy as np
import pytest
from _neural import Frozen, differences, rows

from skmoe.neural.embeddings import Periodic, PiecewiseLinear, quantile_edges
from skmoe.neural.heads import CrossEntropy, GaussianHead, MixtureHead, SquaredError
from skmoe.neural.layers import (
    Activated,
    Dropout,
    FeedForward,
    LayerNorm,
    Linear,
    Residual,
    Sequential,
)
from skmoe.neural.mixture import BlockShape
from skmoe.neural.routers import (
    SHORT_NAMES,
    All,
    BiasUpdate,
    Capacity,
    CosineScore,
    HashRouter,
    HierarchicalRouter,
    Importance,
    LinearScore,
    Load,
    MLPScore,
    NoisyScore,
    Sample,
    SoftRouter,
    SwitchLoss,
    TokenRouter,
    TopK,
    ZLoss,
    build_router,
)

LAYERS = {
    "linear": Linear(4, 3),
    "layer_norm": LayerNorm(4),
    "dropout": Dropout(0.4),
    "residual": Residual(FeedForward(4, 6, 4, "tanh")),
    "feed_forward": FeedForward(4, 6, 2, "relu", dropout=0.3),
    "periodic": Periodic(4, 3),
    "piecewise": PiecewiseLinear(quantile_edges(rows(50), 4)),
    "sequential": Sequential(a=Linear(4, 5), b=LayerNorm(5), c=Activated("gelu"), d=Linear(5, 2)),
} | {name: Activated(name) for name in ("identity", "relu", "gelu", "tanh", "logistic")}


@pytest.mark.parametrize("name", LAYERS)
def test_dense_layers(name):
    Frozen(LAYERS[name], rows()).check()


def mixture(router, d=4, n_experts=5, **changes):
    """Return the mixture layer of a router on rows, ready to be differentiated."""
    options = {"hidden": 2, "activation": "tanh", "norm": False, "skip": True, "shared": False}
    options |= {"n_out": d} | changes
    layer = router.layer("m", BlockShape(n_experts=n_experts, n_in=d, **options))
    x = rows(d=d)
    state, keys = layer.initial_state(), {}
    if hasattr(layer, "router"):
        state |= layer.router.prepare(x, n_experts, np.random.default_rng(0))
        found = layer.router.keys(state, x)
        keys = {} if found is None else {"m": found}
    return Frozen(layer, x, {"m": state}, keys)


ROUTERS = {name: build_router(name, preset.top_k) for name, preset in SHORT_NAMES.items()}
ROUTERS["olmoe"] = build_router("olmoe", 4)
ROUTERS["reinforce"] = TokenRouter(
    LinearScore(activation="sigmoid"), Sample(sparsity=0.3, variance=0.2), "none"
)
ROUTERS |= {
    "noisy-k1": build_router("noisy_top_k", 1),
    "noisy-k3": build_router("noisy_top_k", 3),
    "noisy-all": build_router("noisy_top_k", 5),
    "no-bias": TokenRouter(LinearScore(bias=False), TopK(2)),
    "mlp": TokenRouter(MLPScore(6), TopK(2)),
    "cosine-without-origin": TokenRouter(CosineScore(origin=False), TopK(2)),
    "cosine-losses": TokenRouter(
        CosineScore(), TopK(2), balance=[Importance(0.5), SwitchLoss(0.5, "all"), ZLoss(0.1)]
    ),
    "sigmoid-losses": TokenRouter(
        LinearScore(activation="sigmoid"),
        TopK(2),
        balance=[SwitchLoss(3.0), ZLoss(0.5), Importance(0.7, "affinities"), BiasUpdate(0.1)],
    ),
    "heavy-noise": TokenRouter(NoisyScore(), TopK(2), balance=[Importance(3.0), Load(3.0)]),
    "fixed-noise": TokenRouter(
        NoisyScore(learned=False, bias=False), TopK(2), "none", balance=[Load(3.0)]
    ),
    "drop": TokenRouter(LinearScore(), TopK(2), capacity=Capacity(0.6)),
    "drop-unnormalized": TokenRouter(
        LinearScore(), TopK(2), "none", scale=2.0, capacity=Capacity(0.6, "weight")
    ),
    "next": TokenRouter(
        LinearScore(), TopK(2), capacity=Capacity(0.8, "weight", "next"), balance=[Importance(0.5)]
    ),
    "gshard-drop": build_router("gshard", 2, Capacity(0.7)),
    "soft-rows": SoftRouter("rows", n_slots=2),
    "dense-normalized": TokenRouter(CosineScore(), All(), "sum"),
    "kmeans": HashRouter("kmeans"),
}


@pytest.mark.parametrize("name", ROUTERS)
def test_mixture_layers(name):
    n_experts = 6 if name == "hierarchical" else 5
    mixture(ROUTERS[name], n_experts=n_experts).check()


@pytest.mark.parametrize(
    "router",
    [HierarchicalRouter(2, 2, 2), HierarchicalRouter(3, 2, 1), HierarchicalRouter(3, 1, 2, 2, 3)],
    ids=lambda router: f"{router.n_groups}-{router.top_groups}-{router.top_k}",
)
def test_hierarchical_gates(router):
    mixture(router, n_experts=6).check()


SHAPES = {
    "norm": {"norm": True},
    "norm-shared": {"norm": True, "shared": True},
    "shared": {"shared": True},
    "no-skip": {"skip": False},
    "other-width": {"n_out": 2},
    "shallow": {"hidden": None, "n_out": 3, "skip": False},
    "gelu": {"activation": "gelu"},
    "relu": {"activation": "relu"},
    "many": {"n_experts": 24},
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("router", ["top_k", "conditional", "base", "soft"])
def test_shapes_of_blocks(router, name):
    changes = SHAPES[name]
    if router == "soft" and (changes.get("n_out") or not changes.get("hidden", 1)):
        pytest.skip("a soft mixture is as wide as its input")
    mixture(build_router(router), **changes).check()


def test_soft_mixture_of_an_odd_width():
    mixture(SoftRouter(n_tokens=3), d=7).check()


def test_straight_through_follows_the_probabilities():
    """Its gradient is that of the blend with probabilities in the place of sampled gates."""
    score = LinearScore(activation="sigmoid")
    sampled = mixture(TokenRouter(score, Sample("straight_through", 0.0, 0.0), "none"))
    grad, _ = sampled.gradients()
    views = sampled.layout.views(grad.copy())["router"]["W"]
    run = sampled.run()
    theta = sampled.layout.views(sampled.theta)
    x = sampled.x
    p = 1 / (1 + np.exp(-(x @ theta["router"]["W"] + theta["router"]["b"])))
    every = mixture(TokenRouter(LinearScore(), All(), "none")).layer
    answers = np.stack([expert(theta["experts"], every, x, e) for e in range(5)], axis=2)
    dp = np.einsum("nq,nqe->ne", sampled.slope, answers)
    np.testing.assert_allclose(views, x.T @ (dp * p * (1 - p)), rtol=1e-9)
    assert run.loss == 0.0


def expert(theta, layer, x, e):
    """Return what expert e answers to rows x."""
    hidden = np.tanh(x @ theta["W"][e, :-1] + theta["W"][e, -1])
    return hidden @ theta["V"][e, :-1] + theta["V"][e, -1]


def test_reinforce_moves_along_the_score_function():
    """Beside the path through the experts: mean of (loss - baseline) d log pi(u) / d theta."""
    select = Sample(sparsity=0.0, variance=0.0)
    case = mixture(TokenRouter(LinearScore(activation="sigmoid"), select, "none"))
    case.objective(case.theta, case.x)
    cost = np.random.default_rng(5).uniform(1.0, 3.0, len(case.x))
    views, grad = case.layout.views(case.theta), np.zeros(case.layout.size)
    run = case.run()
    run.state["m"]["baseline"][...] = 1.7
    _, cache = case.layer.forward(views, case.x, run)
    run.row_loss = cost
    case.layer.backward(views, cache, case.slope * 0.0, case.layout.views(grad), run)
    gates = np.random.default_rng(case.seed + 1).random((len(case.x), 5))

    def surrogate(vector):
        router = case.layout.views(vector)["router"]
        p = 1 / (1 + np.exp(-(case.x @ router["W"] + router["b"])))
        start = case.layout.views(case.theta)["router"]
        u = gates < 1 / (1 + np.exp(-(case.x @ start["W"] + start["b"])))
        log_pi = np.where(u, np.log(p), np.log1p(-p)).sum(axis=1)
        return np.mean((cost - 1.7) * log_pi)

    expected = differences(surrogate, case.theta)
    np.testing.assert_allclose(grad, expected, rtol=0, atol=1e-6 * np.abs(expected).max())
    assert run.state["m"]["baseline"][0] == pytest.approx(0.99 * 1.7 + 0.01 * cost.mean())


HEADS = {
    "squared": (SquaredError(3), None),
    "gaussian": (GaussianHead(2), None),
    "mixture": (MixtureHead(2, 3), None),
    "mixture-one": (MixtureHead(1, 1), None),
    "cross_entropy": (CrossEntropy(4), 4),
}


@pytest.mark.parametrize("name", HEADS)
def test_heads(name):
    head, n_classes = HEADS[name]
    rng = np.random.default_rng(0)
    out = rng.standard_normal((11, head.n_out))
    y = rng.integers(n_classes, size=11) if n_classes else rng.standard_normal((11, head.n_targets))
    losses, gradient = head.loss(out, y)
    assert losses.shape == (11,)
    for i in range(11):
        expected = differences(lambda v, i=i: head.loss(v[None], y[i : i + 1])[0][0], out[i])
        np.testing.assert_allclose(gradient[i], expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("head", [GaussianHead(2), MixtureHead(2, 3)], ids=["gaussian", "mixture"])
def test_density_heads_agree_with_the_distribution(head):
    rng = np.random.default_rng(1)
    out, y = rng.standard_normal((9, head.n_out)), rng.standard_normal((9, 2))
    answer = head.distribution(out, np.array([1.0, -2.0]), np.array([3.0, 0.5]), False)
    logs = answer.logpdf(y * [3.0, 0.5] + [1.0, -2.0])
    np.testing.assert_allclose(logs, -head.loss(out, y)[0] - np.log(1.5), rtol=1e-10)
    np.testing.assert_allclose(answer.mean(), head.mean(out) * [3.0, 0.5] + [1.0, -2.0])
