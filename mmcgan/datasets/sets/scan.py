"""Finding the images of a folder and what is wrong with it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from mmcgan.datasets.decode import SUFFIXES
from mmcgan.datasets.sets.labels_file import LABELS_FILE, read_labels
from mmcgan.datasets.sets.walk import LeftOut, Walk, is_image_file, is_visible_folder
from mmcgan.text_files import printable

#: what to do, wherever the folder was named
NO_LABELS = "set labelled=False (on the command line --unlabelled, or leave --labelled out)"
SPLIT_NAMES = {"train", "training", "val", "valid", "validation", "test"}


@dataclass(frozen=True)
class FolderIndex:
    """The images of a folder, in sorted order.

    Attributes:
        paths: one per image, starting with the scanned folder's.
        labels: int64 (N,), or None without labels.
        classes: folder names, sorted; None without labels.
        left_out: what was found and not taken.
    """

    paths: list[str]
    labels: Tensor | None
    classes: tuple[str, ...] | None
    left_out: LeftOut = field(default_factory=LeftOut)

    def class_counts(self) -> tuple[int, ...] | None:
        """Return the number of images of each class, None without labels."""
        if self.labels is None or self.classes is None:
            return None
        return tuple(torch.bincount(self.labels, minlength=len(self.classes)).tolist())


def scan_folder(root: str | Path, labelled: bool, skip: bool = False) -> FolderIndex:
    """List the images under ``root``; with labels, each direct subfolder is a class.

    Every file is listed once, whatever links lead to it (in two classes, once in each), and every folder is
    entered once. Hidden files and folders are left out, and files whose names do not end as an image's. Where
    ``root`` has a ``dataset.json`` of StyleGAN2-ADA, that says the labels.

    Args:
        root: the folder.
        labelled: whether its folders are classes.
        skip: note folders that cannot be read and images of formats that are not in
            :attr:`FolderIndex.left_out`, instead of stopping.

    Raises:
        FileNotFoundError: ``root`` is not a folder.
        ValueError: no images, a folder that cannot be read or images of a format that is not; or with labels:
            images beside the class folders, an empty class folder, one class only, or folders that look like
            splits.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"no such folder: {printable(root)}")
    if labelled and (root / LABELS_FILE).is_file():
        return labelled_by_file(root, scan_folder(root, False, skip))
    names = sorted(entry.name for entry in _entries(root) if is_visible_folder(entry)) if labelled else []
    folders = [root / name for name in names] if labelled else [root]
    walk = Walk([root, *folders] if labelled else (), None if skip else _stop)
    per_class = [walk.images(folder) for folder in folders]
    if not labelled:
        if not per_class[0]:
            raise ValueError(_nothing_found(root, walk))
        return FolderIndex(per_class[0], None, None, walk.left_out)
    _check_classes(root, names, [len(paths) for paths in per_class], walk)
    labels = torch.tensor([label for label, paths in enumerate(per_class) for _ in paths])
    paths = [path for listed in per_class for path in listed]
    return FolderIndex(paths, labels, tuple(names), walk.left_out)


def labelled_by_file(root: Path, index: FolderIndex) -> FolderIndex:
    """Return the images of ``root`` with the labels that its ``dataset.json`` has, by class and then by name.

    Raises:
        ValueError: the file cannot be read, or does not have one label for each image and images of each
            label.
    """
    labels, classes = read_labels(root, index.paths)
    order = sorted(range(len(labels)), key=lambda row: labels[row])  # stable: by path within a class
    paths = [index.paths[row] for row in order]
    return FolderIndex(paths, torch.tensor([labels[row] for row in order]), classes, index.left_out)


def _stop(message: str) -> None:
    raise ValueError(message)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except OSError as error:
        raise ValueError(f"{printable(folder)}: the folder cannot be read ({error.strerror})") from error


def _check_classes(root: Path, classes: list[str], counts: list[int], walk: Walk) -> None:
    loose = [entry.name for entry in _entries(root) if is_image_file(entry)]
    if not any(counts):
        hint = (
            f" {len(loose)} images lie directly in it, without class folders: {NO_LABELS}, or move "
            "them into one folder per class"
            if loose
            else ""
        )
        raise ValueError(
            (f"{root}: no class folders with images." + hint) if loose else _nothing_found(root, walk)
        )
    if loose:
        raise ValueError(
            f"{root}: {len(loose)} images lie beside the class folders (such as {min(loose)}); move them "
            f"into a class folder, or {NO_LABELS}"
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
        below = sorted(entry.name for entry in _entries(inner) if is_visible_folder(entry))
        if len(below) != 1:
            break
        inner = inner / below[0]
    start = f"{root}: only one class folder, {name!r}; a conditional run needs at least two."
    if len(below) > 1:
        return f"{start} The class folders seem to be in {inner}: give that folder"
    return f"{start} Add class folders beside it, or {NO_LABELS} to go without labels"


def _nothing_found(root: Path, walk: Walk) -> str:
    others = walk.left_out.other_suffixes.most_common(3)
    found = ", ".join(f"{count} {suffix}" for suffix, count in others)
    reasons = f"; left out: {'; '.join(walk.left_out.reasons[:3])}" if walk.left_out.reasons else ""
    return (
        f"{printable(root)}: no images found (looked for {', '.join(SUFFIXES)}); it has "
        f"{found or 'no other files'}{reasons}"
    )
