"""What a data set is packed into: arrays of pixels, or tar shards of encoded images."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from mmcgan.checkpoints.atomic import atomic_write
from mmcgan.checkpoints.hashing import file_hash
from mmcgan.datasets.decode import BadImageError, bytes_of
from mmcgan.datasets.packing.packable import Packable
from mmcgan.datasets.packing.packed import FORMAT
from mmcgan.datasets.packing.tar_index import SHARDS_FORMAT, index_of
from mmcgan.pictures import encode_png

SHARD_BYTES = 1 << 28
#: encoded images in a tar shard: of ImageNet some 450 MB
TAR_IMAGES = 4096


class Form(Protocol):
    """How shards are written."""

    format: str
    suffix: str

    def settings(self) -> str:
        """Return what else decides the content of shards; a pack goes on with the same alone."""
        ...

    def per_shard(self, image_size: int) -> int:
        """Return how many images a shard holds by default."""
        ...

    def read(self, dataset: Packable, index: int) -> Any:
        """Return what a shard has of an image.

        Raises:
            BadImageError: it cannot be used.
        """
        ...

    def write(self, path: Path, items: Sequence[Any], rows: Sequence[int], dataset: Packable) -> None:
        """Write a shard of ``items``, which are the images at ``rows``."""
        ...


class Arrays:
    """Decoded images, uint8 (n, 3, H, W) in a ``.npy`` file each: the fastest to read."""

    format = FORMAT
    suffix = ".npy"

    def settings(self) -> str:
        """Return nothing."""
        return ""

    def per_shard(self, image_size: int) -> int:
        """Return how many images make 256 MB."""
        return max(1, SHARD_BYTES // (3 * image_size**2))

    def read(self, dataset: Packable, index: int) -> Tensor:
        """Return the pixels."""
        image: Tensor = dataset[index]["image"]
        return image

    def write(self, path: Path, items: Sequence[Tensor], rows: Sequence[int], dataset: Packable) -> None:
        """Write the pixels."""
        images = np.empty((len(items), 3, dataset.image_size, dataset.image_size), dtype=np.uint8)
        for place, item in enumerate(items):
            images[place] = item.numpy()
        save_array(path, images)


class TarShards:
    """Encoded images in tar files, as the library ``webdataset`` writes and reads them.

    Args:
        as_stored: take files as they are, at their own sizes; otherwise images are as the data set gives
            them, stored without loss as PNG.
    """

    format = SHARDS_FORMAT
    suffix = ".tar"

    def __init__(self, as_stored: bool) -> None:
        self.as_stored = as_stored

    def settings(self) -> str:
        """Return whether files are taken as they are."""
        return repr(vars(self))

    def per_shard(self, image_size: int) -> int:
        """Return 4,096."""
        return TAR_IMAGES

    def read(self, dataset: Packable, index: int) -> tuple[str, bytes]:
        """Return the ending of a name and the bytes of a file."""
        if self.as_stored and dataset.source is not None:
            return bytes_of(dataset.source(index))
        return ".png", bytes(encode_png(dataset[index]["image"].permute(1, 2, 0).contiguous().numpy()))

    def write(
        self, path: Path, items: Sequence[tuple[str, bytes]], rows: Sequence[int], dataset: Packable
    ) -> None:
        """Write ``000000042.jpg`` and, of labelled sets, ``000000042.cls`` for each image."""

        def fill(stream: Any) -> None:
            with tarfile.open(fileobj=stream, mode="w|", format=tarfile.USTAR_FORMAT) as shard:
                for row, (ending, content) in zip(rows, items, strict=True):
                    _add(shard, f"{row:09d}{ending}", content)
                    if dataset.labels is not None:
                        _add(shard, f"{row:09d}.cls", str(int(dataset.labels[row])).encode())

        atomic_write(path, fill)
        if items and len(index_of(path).offsets) != len(items):
            raise BadImageError(f"{path}: not all images can be found in the shard that was written")


def _add(shard: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    shard.addfile(entry, io.BytesIO(content))


def save_array(path: Path, array: np.ndarray) -> None:
    """Save an array as ``.npy``."""
    atomic_write(path, lambda stream: np.save(stream, array, allow_pickle=False))


def entry_of(path: Path) -> dict[str, Any]:
    """Return a file's name, length and checksum, for the metadata."""
    return dict(file=path.name, bytes=path.stat().st_size, sha256=file_hash(path))
