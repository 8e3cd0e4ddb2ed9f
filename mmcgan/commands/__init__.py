"""The commands of ``mmcgan``, a module each: ``declare(parser)`` and ``run(arguments)``.

Nothing heavy is imported before ``run``; :mod:`mmcgan.cli` lists them.
"""
