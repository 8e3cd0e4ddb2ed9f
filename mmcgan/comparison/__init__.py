"""Pages about runs: :mod:`.report` is one run's own, :mod:`.page` has several side by side.

:mod:`.runs` reads what work folders say, :mod:`.starts` what each start of a run has written down for it.
"""
