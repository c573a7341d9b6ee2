"""Starts: several directions, short runs on a subsample, exchanges, one long run from the best."""

from skmoe.starts.growth import Plan, grown, likeliest
from skmoe.starts.runs import count_sound, settle
from skmoe.starts.search import best_start

__all__ = ["Plan", "best_start", "count_sound", "grown", "likeliest", "settle"]
