"""Gaussian noise around a bank of K experts with q outputs: spherical, diagonal or full.

Each model holds L covariances: one for each expert (L = K), or one that all share (L = 1, "tied").
What must be positive is stored as a logarithm, so every flat vector is a valid noise model.
"""

from skmoe.noise.contract import Noise
from skmoe.noise.diagonal import DiagonalNoise
from skmoe.noise.full import FullNoise
from skmoe.noise.spherical import SphericalNoise

__all__ = ["DiagonalNoise", "FullNoise", "Noise", "SphericalNoise"]
