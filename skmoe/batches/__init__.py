"""Where rows come from, and how they are handed to the parts, block by block."""

from skmoe.batches.prepared import Moments, Prepared
from skmoe.batches.rows import (
    Batches,
    Block,
    InMemory,
    cache_rows,
    map_blocks,
    threads_for_rows,
)
from skmoe.batches.scaling import Affine, Change, Scaling, Standardizer
from skmoe.batches.sources import ArraySource, DeviceSource, RowBlocks, Rows, Source, sample_of

__all__ = [
    "Affine",
    "ArraySource",
    "Batches",
    "Block",
    "Change",
    "DeviceSource",
    "InMemory",
    "Moments",
    "Prepared",
    "RowBlocks",
    "Rows",
    "Scaling",
    "Source",
    "Standardizer",
    "cache_rows",
    "map_blocks",
    "sample_of",
    "threads_for_rows",
]
