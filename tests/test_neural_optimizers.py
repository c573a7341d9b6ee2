"""Optimizers, schedules, embeddings and the flat buffer, which know nothing of routing."""

import numpy as np
import pytest

from skmoe._math.optimizers import adam, adamw, sgd
from skmoe._math.schedules import SCHEDULES, warmed_up
from skmoe.neural.embeddings import PiecewiseLinear, quantile_edges
from skmoe.neural.layers import FeedForward
from skmoe.neural.parameters import Layout
from skmoe.neural.run import Run


def steps(optimizer, theta, gradients, rate=0.05, in_place=False):
    """Follow given gradients."""
    state = optimizer.init(theta)
    for gradient in gradients:
        theta, state = optimizer.update(theta, gradient, state, rate, in_place=in_place)
    return theta


def problem(n=70_000, seed=0):
    """Return parameters, more than are worked on at a time, and gradients."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal(n), rng.standard_normal((5, n)) * rng.uniform(0, 9, n)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_adam_by_its_formula(decay):
    theta, gradients = problem()
    decays = np.arange(len(theta)) % 3 > 0
    b1, b2, eps, rate = 0.8, 0.95, 1e-2, 0.05
    optimizer = adamw(decay, decays, b1, b2, eps) if decay else adam(b1, b2, eps)
    found = steps(optimizer, theta, gradients, rate)
    m = v = np.zeros(len(theta))
    expected = theta.copy()
    for t, g in enumerate(gradients, 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        shrunk = rate * decay * np.where(decays, expected, 0.0)
        step = rate * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
        expected = expected - step - shrunk
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("optimizer", [adam(), adamw(0.1), sgd()], ids=["adam", "adamw", "sgd"])
def test_a_pull_is_part_of_the_gradient(optimizer):
    theta, gradients = problem()
    pull = np.random.default_rng(1).random(len(theta))
    given = gradients[0].copy()
    found, _ = optimizer.update(theta, given, optimizer.init(theta), 0.1, pull=pull)
    np.testing.assert_array_equal(given, gradients[0])
    whole = gradients[0] + pull * theta
    expected, _ = optimizer.update(theta, whole, optimizer.init(theta), 0.1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_by_its_formula(nesterov):
    theta, gradients = problem(50)
    found = steps(sgd(0.7, nesterov), theta, gradients)
    velocity, expected = np.zeros(50), theta.copy()
    for g in gradients:
        velocity = 0.7 * velocity - 0.05 * g
        expected += 0.7 * velocity - 0.05 * g if nesterov else velocity
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("optimizer", [adam(), adamw(0.1), sgd()], ids=["adam", "adamw", "sgd"])
def test_updates_are_pure_unless_in_place(optimizer):
    theta, gradients = problem(100)
    state = optimizer.init(theta)
    before = {name: np.copy(value) for name, value in state.items()}
    same, gradient = theta.copy(), gradients[0].copy()
    optimizer.update(theta, gradient, state, 0.1)
    np.testing.assert_array_equal(theta, same)
    np.testing.assert_array_equal(gradient, gradients[0])
    for name, value in before.items():
        np.testing.assert_array_equal(state[name], value)
    pure = steps(optimizer, theta, gradients)
    np.testing.assert_array_equal(steps(optimizer, theta, gradients, in_place=True), pure)
    np.testing.assert_array_equal(theta, pure)
    single = steps(optimizer, same.astype(np.float32), gradients.astype(np.float32))
    assert single.dtype == np.float32


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_start_at_one_and_never_rise(name):
    factors = [SCHEDULES[name](step / 100, step + 1) for step in range(101)]
    assert factors[0] == pytest.approx(1.0)
    assert (np.diff(factors) <= 0).all() and min(factors) >= 0
    warm = warmed_up(SCHEDULES[name], 10)
    rising = [warm(step / 1000, step) / SCHEDULES[name](step / 1000, step) for step in range(1, 11)]
    np.testing.assert_allclose(rising, np.arange(1, 11) / 10)


def test_layers_and_optimizers_make_a_network_of_their_own():
    rng = np.random.default_rng(0)
    net = FeedForward(2, 16, 1, "tanh")
    layout, optimizer = Layout(net.specs()), adam()
    theta, grad = layout.init(rng), np.zeros(layout.size)
    state, views = optimizer.init(theta), layout.views(theta)
    X = rng.uniform(-2, 2, (200, 2))
    y = np.sin(X[:, :1]) * X[:, 1:]
    for _ in range(600):
        out, cache = net.forward(views, X, Run(training=True))
        dy = (out - y) / len(X)
        net.backward(views, cache, dy, layout.views(grad), Run(training=True), need_input=False)
        optimizer.update(theta, grad, state, 0.02, in_place=True)
    assert np.mean((net.forward(views, X, Run())[0] - y) ** 2) < 0.01 * y.var()


def test_decay_spares_biases():
    layout = Layout(FeedForward(3, 4, 2).specs())
    mask = layout.views(layout.decays())
    for layer in ("expand", "contract"):
        assert mask[layer]["W"][:-1].all() and not mask[layer]["W"][-1].any()


def test_piecewise_linear_columns_by_a_direct_loop():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 2))
    X[:, 1] = np.round(X[:, 1])
    edges = quantile_edges(X, 5)
    assert (np.diff(edges, axis=1) > 0).all()
    x = rng.uniform(-6, 6, (40, 2))
    found = PiecewiseLinear(edges).forward({}, x, None)[0].reshape(40, 2, 5)
    for i in range(40):
        for j in range(2):
            for t in range(5):
                e = (x[i, j] - edges[j, t]) / (edges[j, t + 1] - edges[j, t])
                e = max(e, 0.0) if t > 0 else e
                e = min(e, 1.0) if t < 4 else e
                assert found[i, j, t] == pytest.approx(e)
