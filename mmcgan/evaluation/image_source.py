"""Images to compare, from a folder of files or a packed data set, without a config."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from mmcgan.datasets.decode import BadImageError, ImageReader
from mmcgan.datasets.packing.packed import METADATA, PackedDataset
from mmcgan.datasets.sets.folder import FileDataset
from mmcgan.datasets.sets.scan import FolderIndex, scan_folder
from mmcgan.image_files import open_image
from mmcgan.progress import progress_bar

ON_ERROR = ("stop", "skip")


def open_images(
    root: str | Path, *, labelled: bool = False, image_size: int | None = None, on_error: str = "stop"
) -> tuple[Any, list[str]]:
    """Return a data set of the images in ``root`` and a message for each image left out.

    Args:
        root: a folder of images, or one made by ``tools/pack_dataset.py``.
        labelled: the direct subfolders are classes (a packed set says itself).
        image_size: crop to the centre square and resize (Pillow, bilinear) to this; None takes images as
            they are, and all must then be squares of one size, because an extractor resizes them next.
        on_error: ``stop`` raises at an unreadable image when it is met; ``skip`` decodes all images once
            before and leaves unreadable ones out.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: no images, an unknown ``on_error``, or images that are not squares of one size.
        BadImageError: with ``stop``, when an image is read; with ``skip``, if none can be used.
    """
    if on_error not in ON_ERROR:
        raise ValueError(f"on_error={on_error!r}: choose one of {', '.join(ON_ERROR)}")
    root = Path(root)
    if (root / METADATA).is_file():
        return _packed(root, image_size), []
    index = scan_folder(root, labelled)
    size = image_size or _native_size(index.paths)
    reader = ImageReader(size, "crop_long_side" if image_size else "exact")
    if on_error == "stop":
        return FileDataset(index, reader, False, ()), []
    kept, faults = readable(index, reader)
    if not kept.paths:
        raise BadImageError(f"{root}: none of {len(index.paths)} images can be used; the first: {faults[0]}")
    return FileDataset(kept, reader, False, ()), faults


def _packed(root: Path, image_size: int | None) -> PackedDataset:
    dataset = PackedDataset(str(root))
    if image_size not in (None, dataset.image_size):
        raise ValueError(
            f"{root}: packed images of {dataset.image_size} pixels cannot be read at {image_size}; pack them "
            "anew"
        )
    return dataset


def _native_size(paths: list[str]) -> int:
    """Return the side of the first image that can be opened."""
    for path in paths:
        try:
            with open_image(path) as image:
                width, height = image.size
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            continue
        if width != height:
            raise ValueError(
                f"{path}: the image is {width}x{height}, not square; give an image size, to which images are "
                "then cropped and resized"
            )
        return width
    raise BadImageError(f"{paths[0]}: unreadable image, as are all {len(paths)}")


def readable(index: FolderIndex, reader: ImageReader) -> tuple[FolderIndex, list[str]]:
    """Return the index without images that ``reader`` cannot read, and a message for each of those."""

    def fault_of(path: str) -> str | None:
        try:
            reader(path)
        except BadImageError as error:
            return str(error)
        return None

    faults: list[str | None] = []
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        progress_bar("Checking images", len(index.paths)) as advance,
    ):
        for fault in pool.map(fault_of, index.paths):
            faults.append(fault)
            advance()
    rows = [row for row, fault in enumerate(faults) if fault is None]
    labels = None if index.labels is None else index.labels[torch.tensor(rows, dtype=torch.int64)]
    kept = replace(index, paths=[index.paths[row] for row in rows], labels=labels)
    return kept, [fault for fault in faults if fault is not None]
