"""Images to compare, from a folder of files or a packed data set, without a config."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import torch

from mmcgan.datasets.base import ImageDataset, check_image_size
from mmcgan.datasets.counts import ImageCounts
from mmcgan.datasets.decode import BadImageError, ImageReader
from mmcgan.datasets.decode import image_size as size_of
from mmcgan.datasets.packing.packed import PackedDataset, packed_format
from mmcgan.datasets.packing.shards import ShardDataset, has_shards
from mmcgan.datasets.sets.folder import FileDataset
from mmcgan.datasets.sets.scan import FolderIndex, scan_folder
from mmcgan.evaluation.any_size import AnySizeFiles, AnySizeReader
from mmcgan.parallel import ordered_map
from mmcgan.progress import progress_bar
from mmcgan.text_files import printable

ON_ERROR = ("stop", "skip")
SHOWN = 5
Found = TypeVar("Found")


@dataclass(frozen=True)
class ImageSource:
    """Images that are there to be compared.

    Attributes:
        dataset: those that can be used.
        found: how many image files there are, those that cannot be used included.
        left_out: one line for each image, folder or link that was left out: which, and why.
        other_files: how many files are no images, by the ending of their names.
    """

    dataset: Any
    found: int
    left_out: list[str] = field(default_factory=list)
    other_files: dict[str, int] = field(default_factory=dict)

    def counts(self) -> dict[str, Any]:
        """Return found, read and left out, with the reasons, as JSON types."""
        return ImageCounts(self.found, len(self.dataset), self.left_out, self.other_files).to_json()


def open_images(
    root: str | Path,
    *,
    labelled: bool = False,
    image_size: int | None = None,
    any_size: bool = False,
    on_error: str = "stop",
) -> ImageSource:
    """Return the images in ``root``, and what was left out of them.

    Args:
        root: a folder of images, or one made by ``mmcgan pack-dataset``, of arrays or of tar shards.
        labelled: the direct subfolders are classes (a packed set says itself).
        image_size: crop to the centre square and resize (Pillow, bilinear) to this; None takes images as
            they are, and all must then be squares of one size, because an extractor resizes them next.
        any_size: take images as they are, of any sizes and shapes, without ``image_size``.
        on_error: ``stop`` raises at an unreadable image, or a folder that cannot be read, when it is met;
            ``skip`` decodes all images once before and leaves these out. A good image of another size is
            never left out.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: no images, an unknown ``on_error``, or a bad size.
        BadImageError: images that are not squares of one size; with ``stop``, when an unreadable image is
            read; with ``skip``, if none can be used.
    """
    if on_error not in ON_ERROR:
        raise ValueError(f"on_error={on_error!r}: choose one of {', '.join(ON_ERROR)}")
    if image_size is not None:
        check_image_size(image_size, "images to compare")
    if image_size is not None and any_size:
        raise ValueError(f"image_size={image_size} with any_size: images are resized to one size, or none is")
    root = Path(root)
    if packed_format(root) is not None or has_shards(root):
        packed = _packed(root, labelled, image_size, any_size)
        return ImageSource(packed, len(packed))
    skip = on_error == "skip"
    index = scan_folder(root, labelled, skip)
    found = len(index.paths)
    faults = list(index.left_out.reasons)
    if any_size:
        return _any_size(root, index, skip)
    if image_size is None:
        index, size, unreadable = _native_size(root, index, skip)
        faults += unreadable
    reader = ImageReader(image_size or size, "crop_long_side" if image_size is not None else "exact")
    if skip:
        index, unreadable = readable(index, reader)
        faults += unreadable
    if not index.paths:
        raise BadImageError(f"{printable(root)}: none of {found} images can be used; the first: {faults[0]}")
    others = dict(index.left_out.other_suffixes)
    return ImageSource(
        FileDataset(index, reader, False, ()), found + index.left_out.unread_images, faults, others
    )


def _any_size(root: Path, index: FolderIndex, skip: bool) -> ImageSource:
    """Return images as they are.

    Raises:
        BadImageError: without ``skip``, an image whose header cannot be read; or if none can be used.
    """
    found = len(index.paths) + index.left_out.unread_images
    if skip:
        index, faults = readable(index, AnySizeReader())
    rows, sizes, unreadable = _try(index.paths, size_of, "Looking at the sizes of images")
    if unreadable and not skip:
        raise BadImageError(unreadable[0])
    faults = [*index.left_out.reasons, *(faults if skip else [])]
    if not rows:
        raise BadImageError(f"{printable(root)}: none of {found} images can be used; the first: {faults[0]}")
    files = AnySizeFiles(_chosen(index, rows), sizes)
    return ImageSource(files, found, faults, dict(index.left_out.other_suffixes))


def _packed(root: Path, labelled: bool, image_size: int | None, any_size: bool) -> ImageDataset:
    """Return a packed set; one of arrays says itself whether it has classes, and has one size.

    Raises:
        ValueError: another size, or any size, is asked of what does not have it.
    """
    if has_shards(root):
        if any_size:
            raise ValueError(f"{root}: tar shards are read at one size; give an image size in place of any")
        if image_size is not None:
            return ShardDataset(str(root), image_size, labelled)
        side = size_of(ShardDataset(str(root), 1, False).source(0))[0]
        return ShardDataset(str(root), side, labelled, fit="exact")
    dataset = PackedDataset(str(root))
    if image_size not in (None, dataset.image_size):
        raise ValueError(
            f"{root}: packed images of {dataset.image_size} pixels cannot be read at {image_size}; pack them "
            "anew"
        )
    return dataset


def _native_size(root: Path, index: FolderIndex, skip: bool) -> tuple[FolderIndex, int, list[str]]:
    """Return the images whose headers can be read, their common side, and what is wrong with the others.

    Without ``skip`` none is left out: an unreadable image is an error where it is read.

    Raises:
        BadImageError: images that are not squares of one size; says how many of each there are.
    """
    rows, sizes, faults = _try(index.paths, size_of, "Looking at the sizes of images")
    if not rows:
        raise BadImageError(f"{faults[0]}, as are all {len(index.paths)} images of {printable(root)}")
    counts = Counter(sizes)
    common, _ = counts.most_common(1)[0]
    if len(counts) > 1 or common[0] != common[1]:
        example = next((row for row, size in zip(rows, sizes, strict=True) if size != common), rows[0])
        shown = ", ".join(f"{count} of {w}x{h}" for (w, h), count in counts.most_common(SHOWN))
        width, height = sizes[rows.index(example)]
        wanted = "give an image size (--image-size), to which images are then cropped and resized"
        wanted = (
            f"expected {common[0]}x{common[1]} like most; all must be squares of one size, or {wanted}"
            if len(counts) > 1
            else f"not square; {wanted}"
        )
        raise BadImageError(
            f"{printable(index.paths[example])}: the image is {width}x{height} (width x height), {wanted}; "
            f"{printable(root)} has {shown}{', ...' if len(counts) > SHOWN else ''}"
        )
    return (_chosen(index, rows), common[0], faults) if skip else (index, common[0], [])


def readable(index: FolderIndex, reader: Callable[[str], Any]) -> tuple[FolderIndex, list[str]]:
    """Return the index without images that ``reader`` cannot read, and a message for each of those."""

    def check(path: str) -> None:
        reader(path)

    rows, _, faults = _try(index.paths, check, "Checking images")
    return _chosen(index, rows), faults


def _try(
    paths: Sequence[str], look: Callable[[str], Found], what: str
) -> tuple[list[int], list[Found], list[str]]:
    """Return which paths ``look`` can use, what it returned for them, and a message for each other one."""

    def attempt(path: str) -> tuple[bool, Any]:
        try:
            return True, look(path)
        except BadImageError as error:
            return False, str(error)

    rows: list[int] = []
    found: list[Found] = []
    faults: list[str] = []
    with progress_bar(what, len(paths)) as advance:
        for row, (good, value) in enumerate(ordered_map(attempt, paths, ahead=8)):
            if good:
                rows.append(row)
                found.append(value)
            else:
                faults.append(value)
            advance()
    return rows, found, faults


def _chosen(index: FolderIndex, rows: Sequence[int]) -> FolderIndex:
    labels = None if index.labels is None else index.labels[torch.tensor(rows, dtype=torch.int64)]
    return replace(index, paths=[index.paths[row] for row in rows], labels=labels)
