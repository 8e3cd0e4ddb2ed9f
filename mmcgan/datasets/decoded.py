"""Data sets whose images are decoded when they are asked for, wherever their bytes lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from mmcgan.datasets.base import ImageDataset
from mmcgan.datasets.decode import Source
from mmcgan.parallel import ordered_map
from mmcgan.progress import progress_bar


class Reader(Protocol):
    """What reads one image as uint8 (3, H, W)."""

    @property
    def image_size(self) -> int:
        """Height and width of what it returns; 0 for sizes that differ."""
        ...

    def __call__(self, path: Source) -> Tensor:
        """Read ``path``, or the bytes of a file."""
        ...


class DecodedDataset(ImageDataset):
    """Pictures in files, archives or tables. A subclass writes :meth:`source`.

    Args:
        reader: decodes one.
        size: number of images.
        labels: int64 (size,), None without.
        classes: one name per class.
        in_memory: decode everything now and keep it as uint8 (3 * image_size**2 bytes an image).
        pipeline: mmcv transforms.

    Raises:
        BadImageError: with ``in_memory``, a picture cannot be used.
    """

    def __init__(
        self,
        reader: Reader,
        size: int,
        labels: Tensor | None,
        classes: Sequence[str] | None,
        in_memory: bool = False,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        super().__init__(reader.image_size, labels, classes, size, pipeline)
        self.reader = reader
        self.images = self._read_all() if in_memory else None

    def source(self, index: int) -> Source:
        """Return image ``index`` as it is stored: the path of a file, or its bytes.

        Raises:
            BadImageError: there is none.
        """
        raise NotImplementedError

    def _read_all(self) -> Tensor:
        images = torch.empty(self.size, 3, self.image_size, self.image_size, dtype=torch.uint8)
        with progress_bar("Decoding", self.size) as advance:
            for i, image in enumerate(ordered_map(self._read, range(self.size))):
                images[i] = image
                advance()
        return images

    def _read(self, index: int) -> Tensor:
        return self.reader(self.source(index))

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
