"""Going on with an unfinished store after images were repaired, removed or added.

Every finished block of features notes which images it is of, by content. What still is of the same images is
copied into arrays of the new length; the rest is done again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.atomic import put_in_place, write_file
from mmcgan.instances.arrays import RowArray, write_rows


def differs_in_images_only(found: Mapping[str, Any], plan: Mapping[str, Any]) -> bool:
    """Return whether two plans differ in nothing but the images."""
    return found != plan and {**found, "dataset": None} == {**plan, "dataset": None}


def successor(folder: Path) -> Path:
    """Return the folder in which :func:`adopt` works."""
    return folder.with_name(folder.name + ".next")


def finish_adoption(folder: Path) -> None:
    """Put in place what :func:`adopt` had made when it was stopped just before."""
    if not folder.exists() and successor(folder).exists():
        put_in_place(successor(folder), folder)


def adopt(
    folder: Path,
    names: Sequence[str],
    blocks: Mapping[Path, range],
    part_digest: Callable[[range], str],
    start_anew: Callable[[Path], None],
) -> bool:
    """Replace an unfinished store by one of the images of now, with every block of features that still fits.

    Args:
        folder: the unfinished store.
        names: its arrays of features.
        blocks: marker of every block of features, relative to the folder, and its images of now.
        part_digest: content of these images.
        start_anew: makes an empty unfinished store of the images of now in a folder.

    Returns:
        False, and nothing is changed, if blocks are there and none fits: the store is of something else.
    """
    finished = {marker: (folder / marker).read_text() for marker in blocks if (folder / marker).is_file()}
    kept = [marker for marker, text in finished.items() if text and text == part_digest(blocks[marker])]
    if finished and not kept:
        return False
    new = successor(folder)
    shutil.rmtree(new, ignore_errors=True)
    start_anew(new)
    for marker in kept:
        rows = blocks[marker]
        for name in names:
            write_rows(new / name, rows.start, RowArray(folder / name).rows(slice(rows.start, rows.stop)))
        write_file(new / marker, finished[marker])
    outdated = folder.with_name(folder.name + ".old")
    shutil.rmtree(outdated, ignore_errors=True)
    put_in_place(folder, outdated)
    put_in_place(new, folder)
    shutil.rmtree(outdated)
    return True
