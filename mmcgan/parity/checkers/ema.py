"""Checkers: ema."""
