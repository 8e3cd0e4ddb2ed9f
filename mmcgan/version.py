"""The one place the version is written, and the versions of other packages."""

from __future__ import annotations

from importlib import metadata

__version__ = "0.1.0"


def version_of(name: str) -> str | None:
    """Return the version of an installed distribution, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
