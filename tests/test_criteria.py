"""Criteria pool the experts' evidence and share the rows out."""

import pickle

import numpy as np
import pytest
from scipy.special import logsumexp, softmax
from sklearn.base import clone

from skmoe.criteria import Classification, LogLikelihood

CRITERIA = [LogLikelihood(), Classification()]
criteria = pytest.mark.parametrize("criterion", CRITERIA, ids=["likelihood", "classification"])


def joint_of(seed=0, scale=4.0, dtype=np.float64):
    return (scale * np.random.RandomState(seed).standard_normal((200, 5))).astype(dtype)


def test_log_likelihood_pools_by_log_sum_exp():
    joint = joint_of()
    pooled, share = LogLikelihood().pool_and_share(joint.copy())
    np.testing.assert_allclose(pooled, logsumexp(joint, axis=1), rtol=1e-12)
    np.testing.assert_allclose(share, softmax(joint, axis=1), rtol=1e-12, atol=1e-300)


def test_classification_pools_by_the_best():
    joint = joint_of()
    pooled, share = Classification().pool_and_share(joint.copy())
    np.testing.assert_array_equal(pooled, joint.max(axis=1))
    np.testing.assert_array_equal(share, np.eye(5)[joint.argmax(axis=1)])


@criteria
def test_the_share_is_the_slope_of_the_pool(criterion):
    joint, step = joint_of(scale=2.0), 1e-6
    share = criterion.pool_and_share(joint.copy())[1]
    for k in range(joint.shape[1]):
        shift = np.zeros_like(joint)
        shift[:, k] = step
        up = criterion.pool_and_share(joint + shift)[0]
        down = criterion.pool_and_share(joint - shift)[0]
        np.testing.assert_allclose((up - down) / (2 * step), share[:, k], atol=1e-6)


@criteria
def test_pool_is_a_bound_that_the_share_attains(criterion):
    """The pool is the greatest of sum_k h_k (joint_k - smooth * log h_k) over shares h."""
    joint = joint_of()
    pooled, share = criterion.pool_and_share(joint.copy())

    def value(h):
        entropy = -np.sum(h * np.log(np.maximum(h, 1e-300)), axis=1) if criterion.smooth else 0.0
        return np.sum(h * joint, axis=1) + entropy

    np.testing.assert_allclose(value(share), pooled, rtol=1e-9, atol=1e-12)
    rng = np.random.RandomState(1)
    for _ in range(10):
        other = rng.dirichlet(np.ones(5), size=len(joint))
        assert (value(other) <= pooled + 1e-12).all()


@criteria
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_shares_sum_to_one_at_any_height(criterion, dtype):
    joint = joint_of(scale=1.0, dtype=dtype)
    for height in (0.0, -1e6, 1e6, -1e30):
        with np.errstate(all="raise", under="ignore"):
            pooled, share = criterion.pool_and_share(joint + dtype(height))
        assert pooled.shape == (200,) and share.shape == joint.shape
        assert pooled.dtype == share.dtype == dtype
        assert np.isfinite(pooled).all()
        np.testing.assert_allclose(share.sum(axis=1), 1.0, rtol=1e-6)


@criteria
def test_impossible_experts_get_nothing(criterion):
    joint = joint_of()
    joint[:, 2] = -np.inf
    pooled, share = criterion.pool_and_share(joint)
    assert np.isfinite(pooled).all() and (share[:, 2] == 0).all()


@criteria
def test_predictive_weights_sum_to_one(criterion):
    gate = softmax(joint_of(), axis=1)
    weights = criterion.predictive_weights(gate.copy())
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(weights.argmax(axis=1), gate.argmax(axis=1))
    if criterion.smooth:
        np.testing.assert_allclose(weights, gate)
    else:
        assert set(np.unique(weights)) == {0.0, 1.0}


@criteria
def test_ties_go_to_one_expert_only(criterion):
    share = criterion.pool_and_share(np.zeros((4, 3)))[1]
    np.testing.assert_allclose(share.sum(axis=1), 1.0)


@criteria
def test_pickles_and_clones(criterion):
    joint = joint_of()
    for other in (clone(criterion), pickle.loads(pickle.dumps(criterion))):
        np.testing.assert_array_equal(
            other.pool_and_share(joint.copy())[1], criterion.pool_and_share(joint.copy())[1]
        )
