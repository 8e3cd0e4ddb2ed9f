"""Checkers: optimizers."""
