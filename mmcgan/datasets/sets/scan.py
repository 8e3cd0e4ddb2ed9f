"""Finding the images of a folder and what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from mmcgan.archives import is_folder, split_path
from mmcgan.datasets.decode import SUFFIXES
from mmcgan.datasets.sets.archive_scan import archive_folders, archive_images, folders_in
from mmcgan.datasets.sets.labels_file import Label, labels_file_in, numbered, read_labels
from mmcgan.datasets.sets.walk import LeftOut, Walk, is_image_file, is_visible_folder, joined
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


def scan_folder(root: str | Path | Sequence[str | Path], labelled: bool, skip: bool = False) -> FolderIndex:
    """List the images under ``root``; with labels, each direct subfolder is a class.

    Every file is listed once, whatever links lead to it (in two classes, once in each), and every folder is
    entered once. Hidden files and folders are left out, and files whose names do not end as an image's. Where
    ``root`` has ``labels.csv``, ``labels.json`` or StyleGAN2-ADA's ``dataset.json``, that says the labels.

    Args:
        root: the folder, a zip archive or a folder in one (``set.zip/train``), or several; classes of one
            name are one class.
        labelled: whether its folders are classes.
        skip: note folders that cannot be read and images of formats that are not in
            :attr:`FolderIndex.left_out`, instead of stopping.

    Raises:
        FileNotFoundError: ``root`` is not a folder.
        ValueError: no images, a folder that cannot be read or images of a format that is not; or with labels:
            images beside the class folders, an empty class folder, one class only, or folders that look like
            splits.
    """
    roots = [Path(one) for one in ([root] if isinstance(root, str | Path) else root)]
    _check_roots(roots)
    listings = [_listing(one, labelled, skip) for one in roots]
    paths = [path for listing in listings for path in listing.paths]
    left_out = joined([listing.left_out for listing in listings])
    if not labelled:
        return FolderIndex(paths, None, None, left_out)
    where = " and ".join(map(printable, roots))
    labels, classes = numbered([label for listing in listings for label in listing.labels], where)
    if len(classes) == 1:
        raise ValueError(_one_class_only(roots[0], classes[0], listings[0].file))
    if not any(listing.file for listing in listings) and {name.lower() for name in classes} <= SPLIT_NAMES:
        raise ValueError(
            f"{where}: its folders {', '.join(classes)} look like splits, not classes; give one of them, "
            f"such as {roots[0] / classes[0]}"
        )
    order = sorted(range(len(labels)), key=lambda row: labels[row])  # stable: by path within a class
    numbers = torch.tensor([labels[row] for row in order])
    return FolderIndex([paths[row] for row in order], numbers, classes, left_out)


def _check_roots(roots: Sequence[Path]) -> None:
    """Refuse folders that are not there, no folder, and one that is, or lies in, another."""
    if not roots:
        raise ValueError("no folder of images is given: root is an empty list")
    for root in roots:
        if not is_folder(root):
            raise FileNotFoundError(f"no such folder: {printable(root)}")
    real = [root.resolve() for root in roots]
    for first in range(len(roots)):
        for second in range(len(roots)):
            if first != second and real[second].is_relative_to(real[first]):
                raise ValueError(
                    f"{printable(roots[second])} is in {printable(roots[first])}: give one of them"
                )


@dataclass(frozen=True)
class Listing:
    """The images of one folder.

    Attributes:
        paths: one per image.
        left_out: what was found and not taken.
        labels: a class per image; () without.
        file: that says the classes; None where folders are.
    """

    paths: list[str]
    left_out: LeftOut
    labels: Sequence[Label] = ()
    file: Path | None = None


def _listing(root: Path, labelled: bool, skip: bool) -> Listing:
    on_fault = None if skip else _stop
    archived = split_path(root) is not None
    file = labels_file_in(root) if labelled else None
    if not labelled or file is not None:
        walk = Walk((), on_fault)
        paths, left_out = archive_images(root, on_fault) if archived else (walk.images(root), walk.left_out)
        if not paths:
            raise ValueError(_nothing_found(root, left_out))
        if file is None:
            return Listing(paths, left_out)
        return Listing(paths, left_out, read_labels(file, paths), file)
    if archived:
        found, loose, left_out = archive_folders(root, on_fault)
    else:
        found, loose, left_out = _class_folders(root, on_fault)
    _check_classes(root, found, loose, left_out)
    names = [name for name, paths in found.items() for _ in paths]
    return Listing([path for paths in found.values() for path in paths], left_out, names)


def _class_folders(
    root: Path, on_fault: Callable[[str], None] | None
) -> tuple[dict[str, list[str]], list[str], LeftOut]:
    """Return the images of each folder in ``root``, those beside the folders, and what was not taken."""
    entries = _entries(root)
    names = sorted(entry.name for entry in entries if is_visible_folder(entry))
    walk = Walk([root, *(root / name for name in names)], on_fault)
    found = {name: walk.images(root / name) for name in names}
    return found, [entry.name for entry in entries if is_image_file(entry)], walk.left_out


def _stop(message: str) -> None:
    raise ValueError(message)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except OSError as error:
        raise ValueError(f"{printable(folder)}: the folder cannot be read ({error.strerror})") from error


def _check_classes(root: Path, found: dict[str, list[str]], loose: list[str], left_out: LeftOut) -> None:
    if not any(found.values()):
        hint = (
            f" {len(loose)} images lie directly in it, without class folders: {NO_LABELS}, or move "
            "them into one folder per class"
            if loose
            else ""
        )
        raise ValueError(
            (f"{root}: no class folders with images." + hint) if loose else _nothing_found(root, left_out)
        )
    if loose:
        raise ValueError(
            f"{root}: {len(loose)} images lie beside the class folders (such as {min(loose)}); move them "
            f"into a class folder, or {NO_LABELS}"
        )
    empty = [name for name, paths in found.items() if not paths]
    if empty:
        shown = ", ".join(empty[:5]) + (", ..." if len(empty) > 5 else "")
        raise ValueError(f"{root}: class folders without images: {shown}; remove them or fill them")


def _folders_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in _entries(folder) if is_visible_folder(entry))


def _one_class_only(root: Path, name: str, file: Path | None) -> str:
    """Say which folder to give instead: often the class folders are one level further down."""
    if file is not None:
        return f"{printable(file)}: every image has the label {name}; set labelled=False"
    inner = root / name
    while True:
        below = folders_in(inner) if split_path(inner) is not None else _folders_in(inner)
        if len(below) != 1:
            break
        inner = inner / below[0]
    start = f"{root}: only one class folder, {name!r}; a conditional run needs at least two."
    if len(below) > 1:
        return f"{start} The class folders seem to be in {inner}: give that folder"
    return f"{start} Add class folders beside it, or {NO_LABELS} to go without labels"


def _nothing_found(root: Path, left_out: LeftOut) -> str:
    others = left_out.other_suffixes.most_common(3)
    found = ", ".join(f"{count} {suffix}" for suffix, count in others)
    reasons = f"; left out: {'; '.join(left_out.reasons[:3])}" if left_out.reasons else ""
    return (
        f"{printable(root)}: no images found (looked for {', '.join(SUFFIXES)}); it has "
        f"{found or 'no other files'}{reasons}"
    )
