"""Exact nearest neighbours by Euclidean distance: bounds first, float64 differences where in doubt."""
