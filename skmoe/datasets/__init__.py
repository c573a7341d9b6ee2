"""Data to try the package on: three classics, a text, and draws from a mixture that is known."""

from skmoe.datasets._load import load_ethanol, load_motorcycle, load_vowels
from skmoe.datasets._make import make_mixture_of_experts
from skmoe.datasets._text import load_genesis

__all__ = [
    "load_ethanol",
    "load_genesis",
    "load_motorcycle",
    "load_vowels",
    "make_mixture_of_experts",
]
