"""Folders of image files, decoded when asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmcgan.checkpoints.hashing import text_hash
from mmcgan.datasets.decode import ImageReader
from mmcgan.datasets.decoded import DecodedDataset, Reader
from mmcgan.datasets.given import Given
from mmcgan.datasets.sets.scan import FolderIndex, scan_folder
from mmcgan.file_identity import contents_digest, files_digest
from mmcgan.origin import require_inside
from mmcgan.registry import DATASETS


class FileDataset(DecodedDataset):
    """Image files, decoded in the DataLoader's workers, or all at once into memory.

    Args:
        index: the files, their labels and the class names.
        reader: decodes one file.
        in_memory: decode everything now and keep it as uint8.
        pipeline: mmcv transforms.

    Raises:
        BadImageError: with ``in_memory``, a file cannot be used.
        RefusedConfigError: built for the config of a stranger's file, an image outside that file's folder.
    """

    def __init__(
        self, index: FolderIndex, reader: Reader, in_memory: bool, pipeline: Sequence[dict[str, Any]]
    ) -> None:
        require_inside(index.paths)
        # One array instead of a million strings: forked workers share its memory.
        self.paths = np.array([os.fsencode(path) for path in index.paths])
        self.left_out = index.left_out
        super().__init__(reader, len(index.paths), index.labels, index.classes, in_memory, pipeline)

    def source(self, index: int) -> str:
        """Return the path of image ``index``."""
        return self.path_of(index)

    def path_of(self, index: int) -> str:
        """Return the path of image ``index``."""
        return os.fsdecode(self.paths[index])

    def fingerprint(self) -> str:
        """Return a digest of names and contents of all files, the labels and how the files are read.

        See :func:`~mmcgan.file_identity.files_digest`: files that nobody touched are read once.
        """
        parts = (self.settings_digest(), self.reader, files_digest(self.paths.tolist()))
        return text_hash(repr(parts))

    def part_digest(self, rows: Sequence[int]) -> str:
        """Return a digest of the contents of some of the files, whatever they are called."""
        return contents_digest([self.path_of(row) for row in rows])

    def source_digest(self) -> str | None:
        """Return a digest of names and contents of all files and of the labels."""
        return text_hash(repr((self.classes, files_digest(self.paths.tolist()))), self.labels)


@DATASETS.register_module()
class ImageFolder(FileDataset):
    """A folder of images of one's own: ``root/class/.../image.png``, or any nesting without labels.

    Where it has ``labels.csv``, ``labels.json`` or StyleGAN2-ADA's ``dataset.json``, that says the classes:
    :func:`~mmcgan.datasets.sets.labels_file.read_labels`. A zip archive is read in place, as a folder.

    Args:
        root: the folder whose subfolders are the classes, a zip archive or a folder in one
            (``set.zip/train``), or several of these; classes of one name are one class.
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
        root: str | Sequence[str],
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
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the class count, image size and images per class, from the directory listing."""
        ImageReader(given.image_size, given.fit, given.interpolation)  # checks the options
        if not given.labelled:
            return dict(num_classes=0, image_size=given.image_size)
        counts = scan_folder(given.root, labelled=True).class_counts() or ()
        return dict(num_classes=len(counts), image_size=given.image_size, class_counts=counts)
