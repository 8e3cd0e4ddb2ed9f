"""Claims of the papers, each with the trainings and the statistic that decide it.

:mod:`mmcgan.claims.claim` says what a claim is, :mod:`mmcgan.claims.papers` holds one file per claim,
:mod:`mmcgan.claims.runs` makes what is missing, :mod:`mmcgan.claims.verdict` decides over seeds,
:mod:`mmcgan.claims.page` writes the page.
"""
