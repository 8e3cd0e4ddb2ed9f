"""Checkers: omni_loss."""
