"""Checkers: networks."""
