"""Finding the images of a zip archive, as :mod:`mmcgan.datasets.sets.walk` finds those of a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from mmcgan.archives import open_archive, split_path
from mmcgan.datasets.sets.walk import LeftOut, is_image_name, place_of

Fault = Callable[[str], None] | None


def archive_images(root: str | Path, on_fault: Fault = None) -> tuple[list[str], LeftOut]:
    """Return the paths of images in an archive, or in a folder of one; and what was not taken.

    Args:
        root: the archive, or on to a folder in it.
        on_fault: called with what a format that is not read is; None notes it as left out.

    Raises:
        ValueError: not an archive that can be read.
    """
    found = split_path(root)
    assert found is not None
    archive = open_archive(found[0])
    left_out = LeftOut(list(archive.refused))
    start = f"{found[1]}/" if found[1] else ""

    def fault(message: str) -> None:
        if on_fault is not None:
            on_fault(message)
        left_out.fault(message)

    paths = []
    for name in archive.members:
        inside = name.removeprefix(start)
        parts = inside.split("/")
        # what macOS puts beside files
        hidden = any(part.startswith(".") for part in parts) or parts[0] == "__MACOSX"
        path = os.path.join(found[0], *name.split("/"))
        if name.startswith(start) and not hidden and is_image_name(parts[-1], left_out, fault, path):
            paths.append(path)
    return sorted(paths, key=place_of), left_out


def archive_folders(
    root: str | Path, on_fault: Fault = None
) -> tuple[dict[str, list[str]], list[str], LeftOut]:
    """Return the images of each folder in an archive, those beside the folders, and what was not taken.

    Raises:
        ValueError: see :func:`archive_images`.
    """
    paths, left_out = archive_images(root, on_fault)
    found: dict[str, list[str]] = {}
    loose = []
    for path in paths:
        first, *rest = os.path.relpath(path, root).split(os.sep)
        if rest:
            found.setdefault(first, []).append(path)
        else:
            loose.append(first)
    return dict(sorted(found.items())), loose, left_out


def folders_in(root: str | Path) -> list[str]:
    """Return the names of the folders in an archive, or in a folder of one, that have images."""
    return list(archive_folders(root, lambda message: None)[0])
