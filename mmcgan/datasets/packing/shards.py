"""Tar shards of encoded images, read at any place: for sets larger than a disk or a node."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmcgan.array_files import INTEGERS, read_array
from mmcgan.checkpoints.hashing import contents_hash, file_hash, text_hash
from mmcgan.class_names import absent_classes
from mmcgan.datasets.decode import SUFFIXES, BadImageError, ImageReader, most_bytes
from mmcgan.datasets.decoded import DecodedDataset
from mmcgan.datasets.given import Given
from mmcgan.datasets.packing.packed import (
    LABELS,
    METADATA,
    check_files,
    packed_format,
    read_metadata,
    require_contents,
)
from mmcgan.datasets.packing.tar_index import SHARDS_FORMAT, TarIndex, index_of
from mmcgan.file_identity import files_digest
from mmcgan.image_files import EncodedImage
from mmcgan.parallel import ordered_map
from mmcgan.progress import progress_bar
from mmcgan.registry import DATASETS
from mmcgan.text_files import content_of, printable

PLACES = "places.npy"
OPEN_FILES = 64


@DATASETS.register_module()
class ShardDataset(DecodedDataset):
    """A folder of tar shards, as ``mmcgan pack-dataset --to shards`` or the library ``webdataset`` writes.

    Any image is read by its place, so that the order, and where a resumed run goes on, do not depend on
    readers, workers or ranks. Read them with ``sampler=dict(type="ShardShuffle")``, which lets a process read
    few shards at a time; see docs/shards.md.

    Args:
        root: the folder of ``.tar`` files. Without the metadata that packing writes, the headers of all
            shards are read at the start.
        image_size: height and width of what comes out.
        labelled: whether images have classes.
        fit, interpolation: see :class:`~mmcgan.datasets.decode.ImageReader`.
        pipeline: mmcv transforms.

    Attributes:
        shard_sizes: how many images each shard has.

    Raises:
        FileNotFoundError: there are no shards, or one is missing.
        ValueError: a shard that cannot be used, no classes, or classes that leave numbers out.
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
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        reader = ImageReader(image_size, fit, interpolation)
        self.root = Path(root)
        described = packed_format(self.root) is not None
        found = _described(self.root) if described else _scanned(self.root)
        self.files, self.sizes, self.places, labels, names = found
        self.shard_sizes = self.sizes
        self.ends = np.cumsum(self.sizes)
        self._described = described
        size = int(self.ends[-1])
        if labelled and labels is None:
            raise ValueError(f"ShardDataset: {printable(root)} has no classes (.cls); set labelled=False")
        with content_of(root, "a folder of shards"):
            numbers = torch.from_numpy(labels) if labelled and labels is not None else None
            super().__init__(reader, size, numbers, names, False, pipeline)

    def source(self, index: int) -> EncodedImage:
        """Return the bytes of image ``index``.

        Raises:
            BadImageError: the shard is not as long, or the image larger than any is.
        """
        shard = int(np.searchsorted(self.ends, index, side="right"))
        offset, length = (int(value) for value in self.places[index])
        path = self.root / self.files[shard]
        name = f"{printable(path)}: image {index - int(self.ends[shard]) + self.sizes[shard]}"
        if not 0 <= length <= most_bytes() or offset < 0:
            raise BadImageError(f"{name}: has {length:,} bytes, {most_bytes():,} are allowed")
        try:
            content = _opened(str(path), os.getpid()).read(length, offset)
        except OSError as error:
            raise BadImageError(f"{name}: cannot be read ({error.strerror})") from error
        if len(content) != length:
            raise BadImageError(f"{name}: the shard ends within it")
        return EncodedImage(name, content)

    def fingerprint(self) -> str:
        """Return a digest of the shards, the labels and how images are read."""
        return text_hash(repr((self.settings_digest(), self.reader, self._shards())))

    def source_digest(self) -> str:
        """Return a digest of the shards and the labels."""
        return text_hash(repr((self.classes, self._shards())), self.labels)

    def part_digest(self, rows: Sequence[int]) -> str:
        """Return a digest of some stored images."""
        return contents_hash(self.source(row).content for row in rows)

    def _shards(self) -> str:
        """Return a digest of the metadata, which has each shard's checksum, else of all shards.

        Raises:
            ValueError: a shard is not the one that was packed.
        """
        if self._described:
            require_contents(self.root, read_metadata(self.root, SHARDS_FORMAT))
            return file_hash(self.root / METADATA)
        return files_digest([str(self.root / name) for name in self.files])

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the class count, image size and images per class, from the metadata or the headers."""
        known = cls(given.root, given.image_size, given.labelled, given.fit, given.interpolation).metainfo
        return {name: known[name] for name in ("num_classes", "image_size", "class_counts")}


def has_shards(root: str | Path) -> bool:
    """Return whether a folder is one of tar shards: packed as such, or with ``.tar`` files and no images."""
    folder = Path(root)
    if not folder.is_dir():
        return False
    stated = packed_format(folder)
    if stated is not None:
        return stated == SHARDS_FORMAT
    entries = [entry for entry in os.scandir(folder) if entry.name[0] != "."]
    endings = {"/" if entry.is_dir() else os.path.splitext(entry.name)[1].lower() for entry in entries}
    return ".tar" in endings and not endings & {"/", *SUFFIXES}


Found = tuple[list[str], list[int], np.ndarray, np.ndarray | None, Sequence[str] | None]


def _described(root: Path) -> Found:
    """Return the shards' names, their numbers of images, places, labels and class names, as packing noted."""
    metadata = read_metadata(root, SHARDS_FORMAT)
    check_files(root, metadata, verify=False)
    counts = [entry["images"] for entry in metadata["shards"]]
    places = read_array(root / PLACES, INTEGERS, dims=2).astype(np.int64)
    if places.shape != (sum(counts), 2):
        raise ValueError(
            f"{printable(root / PLACES)}: {places.shape} are not the places of {sum(counts)} images"
        )
    labels = None
    if metadata["labels"] is not None:
        labels = read_array(root / LABELS, INTEGERS, dims=1).astype(np.int64)
    return [entry["file"] for entry in metadata["shards"]], counts, places, labels, metadata["classes"]


def _scanned(root: Path) -> Found:
    """Return the same of shards of others, by their headers."""
    files = sorted(path.name for path in root.glob("*.tar") if path.is_file() and path.name[0] != ".")
    if not files:
        raise FileNotFoundError(f"ShardDataset: the folder {printable(root)} has no .tar files")
    parts: list[TarIndex] = []
    with progress_bar("Looking at shards", len(files)) as advance:
        for part in ordered_map(index_of, [root / name for name in files]):
            parts.append(part)
            advance()
    counts = [len(part.offsets) for part in parts]
    for name, count, part in zip(files, counts, parts, strict=True):
        if not count:
            raise ValueError(f"{printable(root / name)}: has no images")
        if (part.labels is None) != (parts[0].labels is None):
            raise ValueError(f"{printable(root)}: {name} has classes and {files[0]} none, or the reverse")
    places = np.concatenate([np.stack([part.offsets, part.sizes], 1) for part in parts])
    given = [part.labels for part in parts if part.labels is not None]
    labels = np.concatenate(given) if given else None
    if labels is None:
        return files, counts, places, None, None
    empty = absent_classes(labels.tolist(), printable(root))
    if empty:
        raise ValueError(f"{printable(root)}: no image has class {empty[0]}; number classes from 0 on")
    return files, counts, places, labels, tuple(str(number) for number in range(int(labels.max()) + 1))


class _File:
    """A file that is open to be read at any place; closed with the last reference.

    Reading is a method, for it then holds a reference: threads that ask for a new file at once each open
    it and the cache keeps one; the others' must stay open until they have read.
    """

    descriptor: int | None = None  # until the file is open

    def __init__(self, path: str) -> None:
        self.descriptor = os.open(path, os.O_RDONLY)

    def read(self, length: int, offset: int) -> bytes:
        """Return up to ``length`` bytes from ``offset`` on."""
        assert self.descriptor is not None
        return os.pread(self.descriptor, length, offset)

    def __del__(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)


@lru_cache(maxsize=OPEN_FILES)
def _opened(path: str, process: int) -> _File:
    return _File(path)
