"""Sparse upcycling: a trained dense network becomes a mixture of copies of its hidden layer."""

import numpy as np

from skmoe.neural.layers import Activated, Linear, Sequential
from skmoe.neural.mixture import BlockShape
from skmoe.neural.network import Network, build_network

__all__ = ["upcycle_blocks", "upcycle_perceptron"]


def upcycle_perceptron(coefs, intercepts, activation, router, n_experts, head, rng):
    """Return a network and its parameters from those of a multilayer perceptron.

    Parameters
    ----------
    coefs : list of ndarray of shape (n_in, n_out)
        Weights of the layers; of two at least.
    intercepts : list of ndarray of shape (n_out,)
    activation : str
    router : skmoe.neural.routers.Router
    n_experts : int
    head : skmoe.neural.heads.Head
    rng : numpy.random.Generator
        For the router's first scores.

    Notes
    -----
    Every expert is a copy of the last hidden layer with the output layer; earlier hidden layers
    stay as they are. With weights that add up to one the first output is the dense network's.

    References
    ----------
    Komatsuzaki et al. (2022), Sparse upcycling, section 2.
    """
    affine = [np.vstack([W, b]) for W, b in zip(coefs, intercepts, strict=True)]
    layers, n_hidden = {}, len(affine) - 2
    for i, W in enumerate(affine[:n_hidden]):
        layers[f"hidden{i}"] = Linear(len(W) - 1, W.shape[1])
        layers[f"bend{i}"] = Activated(activation)
    shape = BlockShape(
        n_experts=n_experts,
        n_in=len(affine[-2]) - 1,
        n_out=affine[-1].shape[1],
        hidden=affine[-2].shape[1],
        activation=activation,
        skip=False,
    )
    layers["block0"] = router.layer("block0", shape)
    network = Network(Sequential(**layers), {"block0": layers["block0"]}, head)
    theta = network.init(rng)
    views = network.layout.views(theta)
    for i, W in enumerate(affine[:n_hidden]):
        views[f"hidden{i}"]["W"][...] = W
    _fill_block(views["block0"], affine[-2], affine[-1])
    return network, theta


def upcycle_blocks(plan, dense, dense_theta, rng):
    """Return a network of mixture blocks and its parameters from a dense network of blocks.

    Parameters
    ----------
    plan : skmoe.neural.network.Plan
        Of the new network: that of the dense one, with a router and experts.
    dense : skmoe.neural.network.Network
    dense_theta : ndarray of shape (size,)
        Its parameters.
    rng : numpy.random.Generator
        For the routers' first scores.
    """
    if plan.router.interpolates:
        raise ValueError(
            f"router={plan.router!r} fills up with the row itself what its weights leave, which "
            "the residual blocks of the dense network do not."
        )
    width = dense.n_features
    network = build_network(plan, dense.head, np.zeros((2, width)))
    if "embed" in dense.body.layers:
        network.body.layers["embed"] = dense.body.layers["embed"]
    theta = network.init(rng)
    old, new = dense.layout.views(dense_theta), network.layout.views(theta)
    for name, arrays in old.items():
        if name not in network.mixtures:
            _copy(arrays, new[name])
            continue
        _fill_block(new[name], arrays["expand"]["W"], arrays["contract"]["W"])
        if "norm" in arrays:
            _copy(arrays["norm"], new[name]["norm"])
    return network, theta


def _fill_block(block, expand, contract):
    """Let every expert, and the dense one of a conditional block, be a copy of two layers."""
    block["experts"]["W"][...] = expand
    block["experts"]["V"][...] = contract
    if "beside" in block:
        block["beside"]["ffn"]["expand"]["W"][...] = expand
        block["beside"]["ffn"]["contract"]["W"][...] = contract


def _copy(source, target):
    for name, value in source.items():
        if isinstance(value, dict):
            _copy(value, target[name])
        else:
            target[name][...] = value
