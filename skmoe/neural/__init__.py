"""The sparse neural half: layers, routers, heads, optimizers and the training loop.

It shares the arithmetic and the predictive distribution with the classical half, and nothing else.
`skmoe.neural.layers`, `skmoe._math.optimizers` and `skmoe._math.schedules` know nothing of
routing.
"""

from skmoe.neural.network import Network, Plan, build_network

__all__ = ["Network", "Plan", "build_network"]
