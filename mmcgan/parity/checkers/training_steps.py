"""Checkers: training_steps."""
