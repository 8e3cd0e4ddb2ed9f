"""Where the user's cache of mmcgan is."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER_VARIABLE = "MMCGAN_CACHE"


def cache_folder() -> Path:
    """Return ``$MMCGAN_CACHE``, else ``mmcgan`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if own := os.environ.get(FOLDER_VARIABLE):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).expanduser() if base else Path.home() / ".cache") / "mmcgan"
