"""Checkers: regularizers."""
