"""The tabs, a module each: ``KEY``, ``TITLE``, ``can(loaded)`` and ``build(form)``."""
