"""Weights of rows, frames, and what fit must not touch."""

import numpy as np
import pytest
from _problems import (
    NAMES,
    assert_same_answers,
    frame_library,
    problem,
    regressor,
    sentences,
    targets,
)

from skmoe.estimators._rows import joined, parted

# Problems of a few rows have no use for every expert; test_bad_input.py reads what is said then.
pytestmark = pytest.mark.filterwarnings("ignore:Experts .* may be too many")


@sentences
@targets
def test_integer_weights_equal_repetition(sentence, q):
    X, y = problem(200, q)
    times = np.random.RandomState(1).randint(0, 4, size=len(X))
    weighted = regressor(**sentence).fit(X, y, sample_weight=times)
    repeated = regressor(**sentence).fit(np.repeat(X, times, axis=0), np.repeat(y, times, axis=0))
    assert_same_answers(weighted, repeated, X, y, rtol=1e-3)
    per_row = times.sum()
    assert abs(weighted.lower_bound_ - repeated.lower_bound_) < 1e-6 * per_row
    unweighted = regressor(**sentence).fit(X, y)
    assert np.abs(unweighted.predict(X) - weighted.predict(X)).max() > 1e-2


def test_integer_weights_equal_repetition_beyond_the_subsample():
    X, y = problem(1500)
    times = np.random.RandomState(1).randint(1, 5, size=len(X))
    weighted = regressor().fit(X, y, sample_weight=times)
    repeated = regressor().fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    assert_same_answers(weighted, repeated, X, y, rtol=1e-3)
    both = [
        weighted.log_likelihood(X, y, sample_weight=times),
        repeated.log_likelihood(np.repeat(X, times, axis=0), np.repeat(y, times)),
    ]
    assert both[0] == pytest.approx(both[1], rel=1e-6)


def test_the_unit_of_the_weights_matters_to_the_penalty_alone():
    X, y = problem()
    free = {"gate__alpha": 0.0, "experts__alpha": 0.0}
    small, large = (
        regressor().set_params(**free).fit(X, y, sample_weight=np.full(len(X), w))
        for w in (1.0, 7.5)
    )
    assert_same_answers(small, large, X, y, rtol=1e-4)


def test_fit_does_not_touch_what_it_is_given():
    X, y = problem()
    weight = np.random.RandomState(0).uniform(0.5, 1.5, size=len(X))
    arrays = (np.asfortranarray(X), y, weight)
    copies = [A.copy() for A in arrays]
    est = regressor().fit(*arrays)
    est.predict(arrays[0]), est.score_samples(arrays[0], y), est.responsibilities(arrays[0], y)
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
        assert array.flags.writeable


@pytest.mark.parametrize("frames", ["pandas", "polars"])
@targets
def test_frames_give_feature_names(frames, q):
    library = frame_library(frames)
    X, y = problem(q=q)
    table = library.DataFrame(dict(zip(NAMES, X.T, strict=True)))
    answer = library.Series(y) if q == 1 else library.DataFrame({"a": y[:, 0], "b": y[:, 1]})
    est = regressor().fit(table, answer)
    assert list(est.feature_names_in_) == NAMES and est.n_features_in_ == 3
    plain = regressor().fit(X, y)
    assert not hasattr(plain, "feature_names_in_")
    # The layout of the memory differs, and so does the rounding of sums.
    np.testing.assert_allclose(est.predict(table), plain.predict(X), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        est.score_samples(table, answer), plain.score_samples(X, y), rtol=1e-5, atol=1e-5
    )
    assert est.sample(table, random_state=0).shape == y.shape
    renamed = library.DataFrame(dict(zip(["a", "b", "c"], X.T, strict=True)))
    with pytest.raises(ValueError, match="feature names"):
        est.predict(renamed)


def test_rows_that_share_their_x_are_dealt_out_part_by_part():
    X = np.array([[0.0], [0.0], [1.0], [2.0]])
    number, share = parted(X, np.array([3.0, 1000.0, 5.0, 0.25]))
    rows, times = np.unique(number, return_counts=True)
    assert rows.tolist() == [0, 1, 2, 3] and times.tolist() == [3, 100, 1, 1]
    assert np.isclose(share, [1 / 3] * 3 + [0.01] * 100 + [1.0, 1.0]).all()
    rows, there = joined(number[1:54], share[1:54])
    assert rows.tolist() == [0, 1] and np.allclose(there, [2 / 3, 0.51])
