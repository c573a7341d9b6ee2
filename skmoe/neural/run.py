"""One pass through a network: training or not, noise, state, and what routers report."""

import math
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Buffers", "Run"]


class Buffers:
    """Blocks of memory that are used again in every step."""

    def __init__(self):
        self._blocks = {}

    def get(self, name, shape, dtype):
        """Return an uninitialized array; what it held under this name is overwritten."""
        size = math.prod(shape)
        block = self._blocks.get((name, dtype))
        if block is None or block.size < size:
            block = np.empty(max(size, 1), dtype)
            self._blocks[name, dtype] = block
        return block[:size].reshape(shape)


@dataclass
class Run:
    """What layers ask of the world while a block of rows passes through them.

    Attributes
    ----------
    training : bool
        Whether noise, capacity and balance are on.
    rng : numpy.random.Generator or None
        Where noise comes from in training.
    state : dict
        Layer name -> dict of arrays that are moved without a gradient.
    keys : dict
        Layer name -> experts (n,) that a hash router fixed for the rows.
    buffers : Buffers
    second_stage : bool
        Whether the first stage of a two-stage balance constraint is over.
    watch : bool
        Whether routers also measure entropies.
    row_loss : ndarray of shape (n,) or None
        The data loss of each row; known when ``backward`` is called.
    loss : float
        Sum of the auxiliary losses met so far.
    reports : dict
        Layer name -> what its router reported.
    combine : dict or None
        Where there is one: layer name -> combine weights (n, E).
    """

    training: bool = False
    rng: np.random.Generator | None = None
    state: dict = field(default_factory=dict)
    keys: dict = field(default_factory=dict)
    buffers: Buffers = field(default_factory=Buffers)
    second_stage: bool = False
    watch: bool = False
    row_loss: np.ndarray | None = None
    loss: float = 0.0
    reports: dict = field(default_factory=dict)
    combine: dict | None = None
