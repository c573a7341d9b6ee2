"""Arithmetic that the parts share: weighted Grams, log-space helpers, safe solves."""
