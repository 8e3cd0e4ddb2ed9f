"""Figures: from extractor outputs or pixels to numbers."""
