"""Finding the images of a folder and what is wrong with it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mmcgan.datasets.decode import SUFFIXES

SPLIT_NAMES = {"train", "training", "val", "valid", "validation", "test"}


@dataclass(frozen=True)
class FolderIndex:
    """The images of a folder, in sorted order.

    Attributes:
        paths: one per image, starting with the scanned folder's.
        labels: int64 (N,), or None without labels.
        classes: folder names, sorted; None without labels.
    """

    paths: list[str]
    labels: Tensor | None
    classes: tuple[str, ...] | None

    def class_counts(self) -> tuple[int, ...] | None:
        """Return the number of images of each class, None without labels."""
        if self.labels is None or self.classes is None:
            return None
        return tuple(torch.bincount(self.labels, minlength=len(self.classes)).tolist())


def scan_folder(root: str | Path, labelled: bool) -> FolderIndex:
    """List the images under ``root``; with labels, each direct subfolder is a class.

    Hidden files and folders are left out, as are files whose suffix is not an image's.

    Raises:
        FileNotFoundError: ``root`` is not a folder.
        ValueError: no images; or with labels: images beside the class folders, an empty class
            folder, one class only, or folders that look like splits.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"no such folder: {root}")
    if not labelled:
        paths = list(_walk(root))
        if not paths:
            raise ValueError(_nothing_found(root))
        return FolderIndex(paths, None, None)
    classes = sorted(entry.name for entry in os.scandir(root) if _is_visible_folder(entry))
    per_class = [list(_walk(root / name)) for name in classes]
    _check_classes(root, classes, [len(paths) for paths in per_class])
    labels = torch.tensor([label for label, paths in enumerate(per_class) for _ in paths])
    return FolderIndex([path for paths in per_class for path in paths], labels, tuple(classes))


def _is_visible_folder(entry: os.DirEntry) -> bool:
    return entry.is_dir() and not entry.name.startswith(".")


def _walk(folder: Path) -> Iterator[str]:
    """Yield the image files anywhere under ``folder``, sorted within each folder."""
    for current, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield os.path.join(current, name)


def _check_classes(root: Path, classes: list[str], counts: list[int]) -> None:
    loose = [entry.name for entry in os.scandir(root) if entry.name.lower().endswith(SUFFIXES)]
    if not any(counts):
        hint = (
            f" {len(loose)} images lie directly in it, without class folders: set labelled=False, or move "
            "them into one folder per class"
            if loose
            else ""
        )
        raise ValueError((f"{root}: no class folders with images." + hint) if loose else _nothing_found(root))
    if loose:
        raise ValueError(
            f"{root}: {len(loose)} images lie beside the class folders (such as {min(loose)}); move them "
            "into a class folder, or set labelled=False"
        )
    empty = [name for name, count in zip(classes, counts, strict=True) if not count]
    if empty:
        shown = ", ".join(empty[:5]) + (", ..." if len(empty) > 5 else "")
        raise ValueError(f"{root}: class folders without images: {shown}; remove them or fill them")
    if {name.lower() for name in classes} <= SPLIT_NAMES:
        raise ValueError(
            f"{root}: its folders {', '.join(classes)} look like splits, not classes; give one of them, "
            f"such as {root / classes[0]}"
        )
    if len(classes) == 1:
        raise ValueError(_one_class_only(root, classes[0]))


def _one_class_only(root: Path, name: str) -> str:
    """Say which folder to give instead: often the class folders are one level further down."""
    inner = root / name
    while True:
        below = sorted(entry.name for entry in os.scandir(inner) if _is_visible_folder(entry))
        if len(below) != 1:
            break
        inner = inner / below[0]
    start = f"{root}: only one class folder, {name!r}; a conditional run needs at least two."
    if len(below) > 1:
        return f"{start} The class folders seem to be in {inner}: give that folder"
    return f"{start} Add class folders beside it, or set labelled=False to train without labels"


def _nothing_found(root: Path) -> str:
    suffixes = Counter(Path(name).suffix.lower() for _, _, files in os.walk(root) for name in files)
    found = ", ".join(f"{count} {suffix or 'without suffix'}" for suffix, count in suffixes.most_common(3))
    return f"{root}: no images found (looked for {', '.join(SUFFIXES)}); it has {found or 'no files'}"
