"""Checkers: sampling."""
