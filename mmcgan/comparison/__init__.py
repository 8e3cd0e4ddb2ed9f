"""Runs side by side: :mod:`mmcgan.comparison.runs` reads them, :mod:`mmcgan.comparison.page` shows them."""
