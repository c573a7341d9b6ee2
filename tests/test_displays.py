"""Pictures: what is drawn is what the mixture says, and what cannot be drawn is refused."""

import subprocess
import sys

import numpy as np
import pytest

from skmoe import (
    HierarchicalMixtureOfExpertsRegressor,
    MixtureOfExpertsClassifier,
    MixtureOfExpertsRegressor,
    SparseMixtureOfExpertsRegressor,
)
from skmoe.datasets import load_motorcycle
from skmoe.inspection import (
    ExpertsDisplay,
    GateDisplay,
    LoadDisplay,
    PredictiveDisplay,
    TrainingDisplay,
    TreeDisplay,
)
from skmoe.inspection.drawing import stroke

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
pyplot = pytest.importorskip("matplotlib.pyplot")

ALL = [ExpertsDisplay, GateDisplay, LoadDisplay, PredictiveDisplay, TrainingDisplay, TreeDisplay]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def motorcycle():
    X, y = load_motorcycle(return_X_y=True)
    return MixtureOfExpertsRegressor(3, n_init=2, random_state=0).fit(X, y), X, y


@pytest.fixture(scope="module")
def table():
    """Return a mixture of three columns, of which the gate needs the second one alone."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = np.where(X[:, 1] > 0, 2 * X[:, 0] + 1, -X[:, 0] - 1) + 0.1 * rng.normal(size=300)
    return MixtureOfExpertsRegressor(2, n_init=2, random_state=0).fit(X, y), X, y


@pytest.fixture(scope="module")
def sparse():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    est = SparseMixtureOfExpertsRegressor(
        4, 2, hidden=8, learning_rate="cosine", max_iter=6, random_state=0
    )
    return est.fit(X, X[:, 0] * X[:, 1])


def test_gate_lines_are_its_weights(motorcycle):
    est, X, _ = motorcycle
    _, ax = pyplot.subplots()
    display = GateDisplay.from_estimator(est, X, ax=ax)
    assert display.ax_ is ax and display.figure_ is ax.figure
    x = display.lines_[0].get_xdata()
    drawn = np.column_stack([line.get_ydata() for line in display.lines_])
    np.testing.assert_allclose(drawn, est.predict_gate(x[:, None]))
    assert (x[0], x[-1]) == (X.min(), X.max())
    assert ax.get_xlabel() == "x0" and len(ax.get_legend().get_texts()) == 3


def test_gate_dependence_is_an_average_over_rows(table):
    est, X, _ = table
    display = GateDisplay.from_estimator(est, X, features=1, grid_resolution=7)
    for value, drawn in zip(display.grids[0], display.weights, strict=True):
        varied = X.copy()
        varied[:, 1] = value
        np.testing.assert_allclose(drawn, est.predict_gate(varied).mean(axis=0))


def test_gate_surface_shows_the_most_weighted_expert(table):
    est, X, _ = table
    display = GateDisplay.from_estimator(
        est, X, features=[2, 1], grid_resolution=9, subsample=30, random_state=0
    )
    assert display.weights.shape == (9, 9, 2)
    colors = np.asarray(display.surface_.get_array())
    low, high = colors[0, 4], colors[-1, 4]
    assert np.abs(low - high).max() > 0.5
    assert {text.get_text() for text in display.ax_.texts} == {"expert 0", "expert 1"}
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("x2", "x1")


def test_gate_of_a_sparse_mixture_is_its_router(table):
    _, X, y = table
    est = SparseMixtureOfExpertsRegressor(
        4, 2, n_blocks=2, hidden=8, learning_rate="cosine", max_iter=3, random_state=0
    ).fit(X, y)
    last = GateDisplay.from_estimator(est, X, features=1, grid_resolution=5)
    first = GateDisplay.from_estimator(est, X, features=1, grid_resolution=5, layer=0)
    for layer, display in enumerate((first, last)):
        assert display.ax_.get_ylabel() == f"routing weight (layer {layer})"
        for value, drawn in zip(display.grids[0], display.weights, strict=True):
            varied = X.copy()
            varied[:, 1] = value
            np.testing.assert_allclose(drawn, est.route(varied)[layer].mean(axis=0))
    assert GateDisplay.from_estimator(est, X, features=[0, 2], grid_resolution=5).surface_


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_name_the_axes(table, library):
    frames = pytest.importorskip(library)
    _, X, y = table
    frame = frames.DataFrame(dict(zip("abc", X.T, strict=True)))
    est = MixtureOfExpertsRegressor(2, n_init=1, random_state=0).fit(frame, y)
    display = GateDisplay.from_estimator(est, frame, features="b", grid_resolution=5)
    assert display.ax_.get_xlabel() == "b"
    plain = GateDisplay.from_estimator(
        MixtureOfExpertsRegressor(2, n_init=1, random_state=0).fit(X, y),
        X,
        features=1,
        grid_resolution=5,
    )
    np.testing.assert_allclose(display.weights, plain.weights)
    PredictiveDisplay.from_estimator(est, frame, y, feature="a")
    assert ExpertsDisplay.from_estimator(est, frame, y, feature="c").feature_name == "c"


def test_experts_lines_and_the_colors_of_rows(motorcycle):
    est, X, y = motorcycle
    display = ExpertsDisplay.from_estimator(est, X, y)
    x = display.x[:, None]
    weight = est.predict_gate(x)
    for k, line in enumerate(display.lines_):
        seen = weight[:, k] >= 0.05
        assert np.isnan(line.get_ydata()[~seen]).all()
        np.testing.assert_allclose(line.get_ydata()[seen], est.predict_experts(x)[seen, k])
    colors = display.points_.get_facecolors()[:, :3]
    share = est.responsibilities(X, y)
    own = np.array([matplotlib.colors.to_rgb(line.get_color()) for line in display.lines_])
    np.testing.assert_allclose(colors, share @ own)


def test_lines_differ_in_more_than_hue():
    strokes = [stroke(k) for k in range(28)]
    assert len({str(each) for each in strokes}) == 28
    assert all(a["linestyle"] != b["linestyle"] for a, b in zip(strokes[1:], strokes, strict=False))


def test_experts_of_classes_show_probabilities(motorcycle):
    _, X, y = motorcycle
    labels = np.where(y > 0, "up", "down")
    est = MixtureOfExpertsClassifier(2, n_init=1, random_state=0).fit(X, labels)
    display = ExpertsDisplay.from_estimator(est, X, labels, target="up")
    drawn = display.answers
    assert drawn.shape == (300, 2) and (drawn >= 0).all() and (drawn <= 1).all()
    assert display.ax_.get_ylabel() == "probability of up"
    other = ExpertsDisplay.from_estimator(est, X, labels, target="down").answers
    np.testing.assert_allclose(drawn + other, 1.0)


def test_band_is_the_interval(motorcycle):
    est, X, y = motorcycle
    display = PredictiveDisplay.from_estimator(est, X, y, kind="interval", confidence=0.5)
    low, high = est.predict_distribution(display.x[:, None]).interval(0.5)
    ends = display.band_.get_paths()[0].vertices
    assert np.isclose(ends[:, 1].min(), low.min()) and np.isclose(ends[:, 1].max(), high.max())
    np.testing.assert_allclose(display.mean_line_.get_ydata(), est.predict(display.x[:, None]))
    np.testing.assert_array_equal(display.points_.get_offsets(), np.column_stack([X[:, 0], y]))


def test_density_is_that_of_the_answer(motorcycle):
    est, X, _ = motorcycle
    display = PredictiveDisplay.from_estimator(est, X, grid_resolution=5)
    cells = np.asarray(display.density_.get_array())
    edges = display._edges()
    middle = (edges[1:] + edges[:-1]) / 2
    pdf = est.predict_distribution(display.x[:, None]).pdf(middle[:, None])
    wide = 3  # where no expert is narrower than a cell
    np.testing.assert_allclose(cells[:, wide], pdf[:, wide] / pdf[:, wide].max(), atol=0.01)
    np.testing.assert_allclose(cells.max(axis=0), 1.0)


def test_density_of_counts_and_of_one_of_two_targets(motorcycle):
    _, X, y = motorcycle
    counts = np.random.default_rng(0).poisson(np.exp(0.05 * X[:, 0]))
    est = MixtureOfExpertsRegressor(2, experts="poisson", n_init=1, random_state=0).fit(X, counts)
    edges = PredictiveDisplay.from_estimator(est, X, counts)._edges()
    np.testing.assert_array_equal(edges % 1, 0.5)
    both = MixtureOfExpertsRegressor(2, n_init=1, random_state=0).fit(X, np.column_stack([y, -y]))
    display = PredictiveDisplay.from_estimator(both, X, target=1)
    mean = both.predict(display.x[:, None])[:, 1]
    np.testing.assert_allclose(display.mean_line_.get_ydata(), mean)


def test_other_features_stay_where_they_are_told(table):
    est, X, _ = table
    at = np.array([0.0, 2.0, 0.0])
    display = PredictiveDisplay.from_estimator(est, X, feature=0, at=at, kind="interval")
    rows = np.column_stack([display.x, np.full_like(display.x, 2.0), np.zeros_like(display.x)])
    np.testing.assert_allclose(display.mean_line_.get_ydata(), est.predict(rows))
    middle = PredictiveDisplay.from_estimator(est, X, feature=0, kind="interval")
    rows[:, 1:] = np.median(X, axis=0)[1:]
    np.testing.assert_allclose(middle.mean_line_.get_ydata(), est.predict(rows))


def test_tree_shows_shares(motorcycle):
    _, X, y = motorcycle
    est = HierarchicalMixtureOfExpertsRegressor(
        branching=[[1, 1], 1, 1], n_init=1, max_iter=30, random_state=0
    ).fit(X, y)
    display = TreeDisplay.from_estimator(est, feature_names=["ms"])
    shares = est.tree_.under @ est.leaf_weights_
    assert [text.get_text() for text in display.shares_] == [f"{s:.0%}" for s in shares]
    widths = [line.get_linewidth() for line in display.branches_]
    assert np.argsort(widths).tolist() == np.argsort(shares).tolist()
    assert len(display.leaves_) == 4 and display.nodes_[0].get_text() == "3 branches"
    assert "ms" in display.nodes_[1].get_text()


def test_training_side_by_side(motorcycle, sparse):
    est, X, y = motorcycle
    other = MixtureOfExpertsRegressor(2, n_init=1, random_state=0).fit(X, y)
    display = TrainingDisplay.from_estimators({"three": est, "two": other})
    np.testing.assert_array_equal(display.lines_[1].get_ydata(), other.lower_bounds_)
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["three", "two"]
    losses = TrainingDisplay.from_estimator(sparse, name="sparse", scale="gap")
    gap = losses.lines_[0].get_ydata()
    loss = np.array(sparse.loss_curve_)
    np.testing.assert_allclose(gap[loss > loss.min()], (loss - loss.min())[loss > loss.min()])
    with pytest.raises(ValueError, match="estimators keep"):
        TrainingDisplay.from_estimators({"a": est, "b": sparse})
    with pytest.raises(ValueError, match="estimators keep"):
        TrainingDisplay.from_estimators({})


def test_loads_are_those_of_the_history(sparse):
    display = LoadDisplay.from_estimator(sparse)
    loads = np.array([epoch["block0"]["load"] for epoch in sparse.routing_history_], dtype=float)
    drawn = np.column_stack([line.get_ydata() for line in display.lines_])
    np.testing.assert_allclose(drawn, loads / loads.sum(axis=1, keepdims=True))
    assert display.even_line_.get_ydata()[0] == 0.25
    image = LoadDisplay.from_estimator(sparse, kind="heatmap").image_
    np.testing.assert_allclose(image.get_array(), 4 * drawn.T)
    with pytest.raises(ValueError, match="layer='other'"):
        LoadDisplay.from_estimator(sparse, layer="other")


def test_from_predictions_sorts_rows(motorcycle):
    est, X, y = motorcycle
    order = np.random.default_rng(0).permutation(len(y))
    x, weights = X[order, 0], est.predict_gate(X)[order]
    display = GateDisplay.from_predictions(x, weights, feature_name="ms")
    np.testing.assert_array_equal(display.lines_[0].get_xdata(), np.sort(x))
    experts = ExpertsDisplay.from_predictions(x, est.predict_experts(X)[order], weights, y[order])
    assert np.all(np.diff(experts.x) >= 0)
    np.testing.assert_array_equal(experts.points_.get_offsets()[:, 1], y[order])
    answer = PredictiveDisplay.from_predictions(X[:, 0], est.predict_distribution(X), y)
    assert answer.ax_.get_xlabel() == "x"
    with pytest.raises(ValueError, match="x has the shape"):
        PredictiveDisplay.from_predictions(x, est.predict_distribution(X))
    with pytest.raises(ValueError, match="weights has the shape"):
        GateDisplay.from_predictions(x[:-1], weights)
    with pytest.raises(ValueError, match="answers and weights"):
        ExpertsDisplay.from_predictions(x, y, weights)


def test_what_cannot_be_drawn_is_refused(table, sparse):
    est, X, y = table
    with pytest.raises(ValueError, match="features=None must name one or two of X's 3 columns"):
        GateDisplay.from_estimator(est, X)
    with pytest.raises(ValueError, match="features=7 is not known"):
        GateDisplay.from_estimator(est, X, features=7)
    with pytest.raises(ValueError, match="must name one of X's 3 columns"):
        ExpertsDisplay.from_estimator(est, X, y)
    with pytest.raises(ValueError, match="target=3"):
        ExpertsDisplay.from_estimator(est, X, y, feature=0, target=3)
    with pytest.raises(ValueError, match="no method predict_experts.* GateDisplay draws which"):
        ExpertsDisplay.from_estimator(sparse, X, y, feature=0)
    with pytest.raises(ValueError, match="layer=1 must be below 1"):
        GateDisplay.from_estimator(sparse, X, features=0, layer=1)
    with pytest.raises(ValueError, match="layer=0 is for sparse mixtures"):
        GateDisplay.from_estimator(est, X, features=0, layer=0)
    with pytest.raises(ValueError, match="has recorded no loads"):
        LoadDisplay.from_estimator(est)
    with pytest.raises(ValueError, match="no tree of gates"):
        TreeDisplay.from_estimator(est)
    with pytest.raises(ValueError, match="kind='ridge'"):
        PredictiveDisplay.from_estimator(est, X, feature=0, kind="ridge")
    with pytest.raises(ValueError, match="confidence"):
        PredictiveDisplay.from_estimator(est, X, feature=0, confidence=1.0)
    with pytest.raises(ValueError, match="at has 2 columns"):
        PredictiveDisplay.from_estimator(est, X, feature=0, at=[0.0, 1.0])
    labels = (y > 0).astype(int)
    classes = MixtureOfExpertsClassifier(2, n_init=1, random_state=0).fit(X, labels)
    with pytest.raises(ValueError, match="is a classifier"):
        PredictiveDisplay.from_estimator(classes, X, feature=0)


@pytest.mark.parametrize("display", ALL)
def test_only_fitted_estimators_are_drawn(display):
    data = {
        ExpertsDisplay: ([[0.0]], [0.0]),
        GateDisplay: ([[0.0]],),
        PredictiveDisplay: ([[0.0]],),
    }
    with pytest.raises(ValueError, match="not fitted"):
        display.from_estimator(MixtureOfExpertsRegressor(), *data.get(display, ()))


def test_nothing_is_drawn_by_importing():
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, skmoe, skmoe.inspection, skmoe.estimators, skmoe.model_selection\n"
            "assert 'matplotlib' not in sys.modules",
        ],
        check=True,
    )


def test_matplotlib_is_imported_when_something_is_drawn():
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.modules['matplotlib'] = None\n"
            "import numpy as np\n"
            "from skmoe.inspection import GateDisplay\n"
            "display = GateDisplay((np.arange(3),), np.ones((3, 1)), ('x',))\n"
            "try: display.plot()\n"
            "except ImportError as error: print(error)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'pip install "skmoe[plot]"' in told.stdout
