"""Folders of image files, decoded when asked for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmcgan.datasets.base import ImageDataset
from mmcgan.datasets.decode import ImageReader
from mmcgan.datasets.sets.scan import FolderIndex, scan_folder
from mmcgan.progress import progress_bar
from mmcgan.registry import DATASETS


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
        self, index: FolderIndex, reader: ImageReader, in_memory: bool, pipeline: Sequence[dict]
    ) -> None:
        super().__init__(reader.image_size, index.labels, index.classes, len(index.paths), pipeline)
        # One array instead of a million strings: forked workers share its memory.
        self.paths = np.array([os.fsencode(path) for path in index.paths])
        self.reader = reader
        self.images = self._read_all() if in_memory else None

    def _read_all(self) -> Tensor:
        images = torch.empty(self.size, 3, self.image_size, self.image_size, dtype=torch.uint8)
        with ThreadPoolExecutor(os.cpu_count()) as pool, progress_bar("Decoding", self.size) as advance:
            for i, image in enumerate(pool.map(self._read, range(self.size))):
                images[i] = image
                advance()
        return images

    def _read(self, index: int) -> Tensor:
        return self.reader(self.path_of(index))

    def _fetch(self, index: Tensor) -> Tensor:
        if self.images is not None:
            return self.images.index_select(0, index)
        return torch.stack([self._read(i) for i in index.tolist()])

    def path_of(self, index: int) -> str:
        """Return the path of image ``index``."""
        return os.fsdecode(self.paths[index])

    def fingerprint(self) -> str:
        """Return a digest of the paths, the labels and how the files are read."""
        digest = hashlib.sha256(f"{super().fingerprint()} {self.reader}".encode())
        digest.update(self.paths.tobytes())
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
        pipeline: Sequence[dict] = (),
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
        pipeline: Sequence[dict] = (),
    ) -> dict[str, Any]:
        """Return the class count, image size and images per class, from the directory listing."""
        ImageReader(image_size, fit, interpolation)  # checks the options
        if not labelled:
            return dict(num_classes=0, image_size=image_size)
        counts = scan_folder(root, labelled=True).class_counts() or ()
        return dict(num_classes=len(counts), image_size=image_size, class_counts=counts)
