"""A fitted mixture on one page, and in a notebook."""

import numpy as np
import pytest

from skmoe import (
    HierarchicalMixtureOfExpertsRegressor,
    MixtureOfExpertsClassifier,
    MixtureOfExpertsRegressor,
)
from skmoe.datasets import load_motorcycle, make_mixture_of_experts
from skmoe.inspection import CoefficientTable


@pytest.fixture(scope="module")
def fitted():
    X, y, _ = make_mixture_of_experts(400, 2, 2, random_state=0)
    return MixtureOfExpertsRegressor(2, n_init=2, random_state=0).fit(X, y), X, y


def test_header_holds_the_figures(fitted):
    est, X, y = fitted
    text = str(est.summary(X, y))
    head, body = text.split("=\n")[1:3]
    for name, value in [
        ("Log-likelihood", est.log_likelihood(X, y)),
        ("AIC", est.aic(X, y)),
        ("BIC", est.bic(X, y)),
        ("Rows", 400),
        ("Parameters", est.n_parameters_),
    ]:
        line = next(each for each in head.splitlines() if name in each)
        assert float(line.split()[-1]) == pytest.approx(value, abs=0.005)
    table = str(CoefficientTable.from_estimator(est, X, y)).splitlines()
    assert all(line in body for line in table[:-1])
    assert text.endswith(table[-1])


def test_kind_is_handed_on(fitted):
    est, X, y = fitted
    summary = est.summary(X, y, kind="sandwich", confidence=0.8)
    assert (summary.table.kind, summary.table.confidence) == ("sandwich", 0.8)
    assert "sandwich" in str(summary)
    with pytest.raises(ValueError, match="kind='jackknife'"):
        est.summary(X, y, kind="jackknife")


def test_summary_with_an_offset():
    rng = np.random.default_rng(0)
    X, offset = rng.normal(size=(200, 1)), rng.normal(size=200)
    y = rng.poisson(np.exp(offset + X[:, 0]))
    est = MixtureOfExpertsRegressor(1, experts="poisson").fit(X, y, offset=offset)
    assert f"{est.log_likelihood(X, y, offset=offset):.2f}" in str(est.summary(X, y, offset=offset))


def test_notebooks_see_experts_and_gate(fitted):
    est, _, _ = fitted
    html = est._repr_html_()
    assert est._repr_mimebundle_()["text/html"].endswith("</div>")
    for value in [*est.coef_.ravel(), *est.gate_intercept_]:
        assert f"<td>{value:.4g}</td>" in html
    assert "<b>Experts</b>" in html and "<b>Gate</b>" in html


def test_notebooks_see_unfitted_and_awkward_mixtures():
    assert "<b>Experts</b>" not in MixtureOfExpertsRegressor()._repr_html_()
    X, y = load_motorcycle(return_X_y=True)
    tree = HierarchicalMixtureOfExpertsRegressor(depth=1, n_init=1, random_state=0).fit(X, y)
    assert "branch 0" in tree._repr_html_()
    labels = np.where(y > 0, "<up>", "down")
    classes = MixtureOfExpertsClassifier(2, n_init=1, random_state=0).fit(X, labels)
    assert "&lt;up&gt;" in classes._repr_html_()  # else the page would break
    wide = MixtureOfExpertsRegressor(1).fit(np.random.default_rng(0).normal(size=(40, 20)), y[:40])
    assert "The first of them" in wide._repr_html_()
