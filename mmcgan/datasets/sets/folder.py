"""Folders of image files, decoded when asked for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from mmcgan.datasets.base import ImageDataset
from mmcgan.datasets.decode import ImageReader
from mmcgan.datasets.sets.scan import FolderIndex, scan_folder
from mmcgan.file_identity import contents_digest, files_digest
from mmcgan.parallel import ordered_map
from mmcgan.progress import progress_bar
from mmcgan.registry import DATASETS


class Reader(Protocol):
    """What reads one image file as uint8 (3, H, W)."""

    @property
    def image_size(self) -> int:
        """Height and width of what it returns; 0 for sizes that differ."""
        ...

    def __call__(self, path: str | Path) -> Tensor:
        """Read ``path``."""
        ...


class FileDataset(ImageDataset):
    """Image files, decoded in the DataLoader's workers, or all at once into memory.

    Args:
        index: the files, their labels and the class names.
        reader: decodes one file.
        in_memory: decode everything now and keep it as uint8.
        pipeline: mmcv transforms.

    Raises:
        BadImageError: with ``in_memory``, a file cannot be used.
    """

    def __init__(
        self, index: FolderIndex, reader: Reader, in_memory: bool, pipeline: Sequence[dict[str, Any]]
    ) -> None:
        super().__init__(reader.image_size, index.labels, index.classes, len(index.paths), pipeline)
        # One array instead of a million strings: forked workers share its memory.
        self.paths = np.array([os.fsencode(path) for path in index.paths])
        self.left_out = index.left_out
        self.reader = reader
        self.images = self._read_all() if in_memory else None

    def _read_all(self) -> Tensor:
        images = torch.empty(self.size, 3, self.image_size, self.image_size, dtype=torch.uint8)
        with progress_bar("Decoding", self.size) as advance:
            for i, image in enumerate(ordered_map(self._read, range(self.size))):
                images[i] = image
                advance()
        return images

    def _read(self, index: int) -> Tensor:
        return self.reader(self.path_of(index))

    def _fetch(self, index: Tensor) -> Tensor:
        if self.images is not None:
            return self.images.index_select(0, index)
        rows = index.tolist()
        if len(rows) < 2 or get_worker_info() is not None:  # a worker of a DataLoader has its core only
            return torch.stack([self._read(i) for i in rows])
        images = torch.empty(len(rows), 3, self.image_size, self.image_size, dtype=torch.uint8)
        for target, image in zip(images, ordered_map(self._read, rows), strict=True):
            target.copy_(image)
        return images

    def path_of(self, index: int) -> str:
        """Return the path of image ``index``."""
        return os.fsdecode(self.paths[index])

    def fingerprint(self) -> str:
        """Return a digest of names and contents of all files, the labels and how the files are read.

        See :func:`~mmcgan.file_identity.files_digest`: files that nobody touched are read once.
        """
        parts = (self.settings_digest(), self.reader, files_digest(self.paths.tolist()))
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def part_digest(self, rows: Sequence[int]) -> str:
        """Return a digest of the contents of some of the files, whatever they are called."""
        return contents_digest([self.path_of(row) for row in rows])

    def source_digest(self) -> str | None:
        """Return a digest of names and contents of all files and of the labels."""
        digest = hashlib.sha256(repr((self.classes, files_digest(self.paths.tolist()))).encode())
        if self.labels is not None:
            digest.update(self.labels.numpy().tobytes())
        return digest.hexdigest()


@DATASETS.register_module()
class ImageFolder(FileDataset):
    """A folder of images of one's own: ``root/class/.../image.png``, or any nesting without labels.

    Args:
        root: the folder whose subfolders are the classes.
        image_size: height and width of what comes out.
        labelled: whether the direct subfolders are classes; False takes every image, unlabelled.
        fit: ``crop_long_side``, ``resize_short_side`` or ``exact``; see
            :class:`~mmcgan.datasets.decode.ImageReader`.
        interpolation: ``bilinear``, ``bicubic``, ``lanczos`` or ``box``.
        in_memory: decode everything at the start and keep it (3 * image_size**2 bytes per image).
        pipeline: mmcv transforms.

    Raises:
        FileNotFoundError: ``root`` is not a folder.
        ValueError: no images, one class only, an empty class folder or a bad option.
        BadImageError: an unreadable image, when it is decoded.
    """

    disk_arguments = ("root",)

    def __init__(
        self,
        root: str,
        image_size: int,
        labelled: bool = True,
        fit: str = "crop_long_side",
        interpolation: str = "bilinear",
        in_memory: bool = False,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        reader = ImageReader(image_size, fit, interpolation)
        super().__init__(scan_folder(root, labelled), reader, in_memory, pipeline)

    @classmethod
    def facts(
        cls,
        root: str,
        image_size: int,
        labelled: bool = True,
        fit: str = "crop_long_side",
        interpolation: str = "bilinear",
        in_memory: bool = False,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> dict[str, Any]:
        """Return the class count, image size and images per class, from the directory listing."""
        ImageReader(image_size, fit, interpolation)  # checks the options
        if not labelled:
            return dict(num_classes=0, image_size=image_size)
        counts = scan_folder(root, labelled=True).class_counts() or ()
        return dict(num_classes=len(counts), image_size=image_size, class_counts=counts)
