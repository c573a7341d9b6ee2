"""Starts: several directions, short runs on a subsample, exchanges, one long run from the best."""

from skmoe.starts.search import best_start, is_sound

__all__ = ["best_start", "is_sound"]
