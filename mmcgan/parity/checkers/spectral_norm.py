"""Checkers: spectral_norm."""
