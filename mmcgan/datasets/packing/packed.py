"""The packed format: shards of uint8 images in memory-mapped files, labels, and what made them.

A packed folder holds ``metadata.json``, ``labels.npy`` (int64, absent without labels) and shards
``images-00000.npy``, ... of uint8 (n, 3, H, W). The metadata gives each file's SHA-256.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import is_main_process
from torch import Tensor

from mmcgan.array_files import INTEGERS, map_array, read_array
from mmcgan.checkpoints.hashing import file_hash
from mmcgan.datasets.base import ImageDataset
from mmcgan.datasets.given import Given
from mmcgan.file_identity import digest_of, files_digest
from mmcgan.progress import progress_bar
from mmcgan.registry import DATASETS
from mmcgan.text_files import content_of, decoded, parse_json, read_json

FORMAT = "mmcgan-packed-1"
#: how formats of ours begin
OURS = "mmcgan-"
METADATA = "metadata.json"
LABELS = "labels.npy"
BLOCK = 1 << 22


def read_metadata(root: str | Path, kind: str = FORMAT) -> dict[str, Any]:
    """Return the metadata of the packed folder ``root``.

    Args:
        root: the folder.
        kind: the format that it must have.

    Raises:
        FileNotFoundError: it is not a packed folder.
        ValueError: the metadata is damaged or of another format.
    """
    path = Path(root) / METADATA
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: {root} is not a packed data set. Make one with "
            "tools/pack_dataset.py CONFIG_OR_DIR OUT (an unfinished one is in OUT.partial: run it again)"
        )
    try:
        metadata: dict[str, Any] = read_json(path, "the metadata of a packed data set")
        if metadata.get("format") != kind:
            raise ValueError(f"{path}: not the metadata of a packed data set of format {kind!r}")
        with content_of(path, "the metadata of a packed data set"):
            _check_metadata(metadata)
    except ValueError as error:
        raise ValueError(f"damaged metadata: {error}; pack the data set again") from error
    return metadata


def packed_format(root: str | Path) -> str | None:
    """Return which format of ours the metadata of a folder say, None without any.

    Files of that name lie in many folders: one that is somebody else's says nothing about the images.

    Raises:
        ValueError: a file of ours is damaged.
    """
    path = Path(root) / METADATA
    if not path.is_file():
        return None
    content = path.read_bytes()
    try:
        metadata = parse_json(decoded(content, path), path, "the metadata of a packed data set")
    except ValueError as error:
        if OURS.encode() in content:
            raise ValueError(f"damaged metadata: {error}; pack the data set again") from error
        return None
    stated = metadata.get("format") if isinstance(metadata, dict) else None
    return stated if isinstance(stated, str) and stated.startswith(OURS) else None


MANY = 1 << 40  # pixels on a side, images in a shard: beyond what anybody has


def _check_metadata(metadata: Mapping[str, Any]) -> None:
    """Raise TypeError or LookupError if something is not as packing writes it."""
    labels = metadata["labels"]
    for entry in [*metadata["shards"], *([] if labels is None else [labels])]:
        if not isinstance(entry["bytes"], int) or Path(entry["file"]).name != entry["file"]:
            raise TypeError(f"{entry['file']!r} is no file of this folder")
        if not re.fullmatch("[0-9a-f]{64}", entry["sha256"]):
            raise TypeError(f"{entry['file']} has no checksum")
    for number in (metadata["image_size"], *(entry["images"] for entry in metadata["shards"])):
        if not isinstance(number, int) or not 0 < number < MANY:
            raise TypeError(f"a size is {number!r}")
    if not isinstance(metadata["classes"], list | None):
        raise TypeError("image_size or classes")
    if not isinstance(metadata["class_counts"], list | None):
        raise TypeError("class_counts")


@DATASETS.register_module()
class PackedDataset(ImageDataset):
    """A data set made by ``tools/pack_dataset.py``, read through memory maps.

    Args:
        root: the packed folder.
        verify: compare every file's SHA-256 with the metadata at the start (about a second per GB);
            sizes are always compared.
        pipeline: mmcv transforms.

    Raises:
        FileNotFoundError: ``root`` is not a packed folder, or a file of it is missing.
        ValueError: a file is truncated or damaged, or a label is out of range.
    """

    disk_arguments = ("root",)

    def __init__(self, root: str, verify: bool = True, pipeline: Sequence[dict[str, Any]] = ()) -> None:
        metadata = read_metadata(root)
        self.root, self._verified = Path(root), verify
        self._maps: dict[int, np.ndarray] = {}
        self.files = [entry["file"] for entry in metadata["shards"]]
        counts = [entry["images"] for entry in metadata["shards"]]
        self.ends = torch.tensor(counts, dtype=torch.int64).cumsum(0)
        check_files(self.root, metadata, verify and is_main_process())
        labels = None
        if metadata["labels"] is not None:
            labels = torch.from_numpy(read_array(self.root / LABELS, INTEGERS, dims=1).astype(np.int64))
        with content_of(self.root / METADATA, "the metadata of this packed data set"):
            super().__init__(metadata["image_size"], labels, metadata["classes"], sum(counts), pipeline)

    def _fetch(self, index: Tensor) -> Tensor:
        images = torch.empty(len(index), 3, self.image_size, self.image_size, dtype=torch.uint8)
        shard_of = torch.bucketize(index, self.ends, right=True)
        for shard in shard_of.unique().tolist():
            rows = (shard_of == shard).nonzero().flatten()
            first = int(self.ends[shard - 1]) if shard else 0
            images[rows] = torch.from_numpy(self._mapped(shard)[(index[rows] - first).numpy()])
        return images

    def _mapped(self, shard: int) -> np.ndarray:
        if shard not in self._maps:
            path = self.root / self.files[shard]
            found = map_array(path, "u", dims=4)
            if found.dtype != np.uint8 or found.shape[1:] != (3, self.image_size, self.image_size):
                raise ValueError(f"{path}: {found.dtype} {found.shape} are no images of this pack")
            self._maps[shard] = found
        return self._maps[shard]

    def __getstate__(self) -> dict[str, Any]:
        # Sending a memory map to a worker would send the whole shard.
        return {**self.__dict__, "_maps": {}}

    def fingerprint(self) -> str:
        """Return a digest of the metadata, which holds the checksum of every file.

        Raises:
            ValueError: a file is not the one that was packed.
        """
        if not self._verified:
            require_contents(self.root, read_metadata(self.root))
        return file_hash(self.root / METADATA)

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return what the metadata says of the classes and the size."""
        metadata = read_metadata(given.root)
        known = dict(num_classes=len(metadata["classes"] or ()), image_size=metadata["image_size"])
        if metadata["class_counts"] is not None:
            known["class_counts"] = tuple(metadata["class_counts"])
        return known


def require_contents(root: Path, metadata: dict[str, Any]) -> None:
    """Check that shards and labels are those that were packed; files that nobody touched are read once.

    Raises:
        ValueError: one has another content; names it.
    """
    entries = _entries(metadata)
    stated = digest_of(
        [os.fsencode(entry["file"]) for entry in entries],
        [bytes.fromhex(entry["sha256"]) for entry in entries],
    )
    if files_digest([str(root / entry["file"]) for entry in entries]) != stated:
        check_files(root, metadata, verify=True)


def _entries(metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [*metadata["shards"], *([metadata["labels"]] if metadata["labels"] else [])]


def check_files(root: Path, metadata: dict[str, Any], verify: bool) -> None:
    """Check that the files of a packed folder are there, of the right size and, with ``verify``, content.

    Raises:
        FileNotFoundError, ValueError: one is not.
    """
    entries = _entries(metadata)
    for entry in entries:
        path = root / entry["file"]
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing from the packed data set; pack it again")
        if path.stat().st_size != entry["bytes"]:
            raise ValueError(
                f"{path}: truncated or changed: it has {path.stat().st_size} bytes, the metadata says "
                f"{entry['bytes']}; pack the data set again"
            )
    if not verify:
        return
    with progress_bar("Verifying the packed data set", len(entries)) as advance:
        for entry in entries:
            path = root / entry["file"]
            if file_hash(path) != entry["sha256"]:
                raise ValueError(f"{path}: wrong checksum: the file is damaged; pack the data set again")
            advance()
