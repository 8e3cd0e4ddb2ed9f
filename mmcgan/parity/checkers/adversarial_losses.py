"""Checkers: adversarial_losses."""
