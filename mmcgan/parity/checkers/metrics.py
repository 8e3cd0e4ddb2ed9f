"""Checkers: metrics."""
