"""Images of any sizes and shapes, which the extractor resizes one size at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from mmcgan.datasets.base import GANDataset
from mmcgan.datasets.decode import Source, read_rgb
from mmcgan.datasets.sets.folder import FileDataset
from mmcgan.datasets.sets.scan import FolderIndex
from mmcgan.parallel import ordered_map


@dataclass(frozen=True)
class AnySizeReader:
    """Reads image files as uint8 (3, H, W), upright and as large as they are.

    Attributes:
        image_size: 0, for sizes that differ.
    """

    image_size: ClassVar[int] = 0

    def __call__(self, path: Source) -> Tensor:
        """Read ``path``.

        Raises:
            BadImageError: the file is unreadable, truncated or of an unusable kind.
        """
        return torch.from_numpy(np.array(read_rgb(path))).permute(2, 0, 1).contiguous()


class AnySizeFiles(FileDataset):
    """Image files of any sizes, those of one size one after the other.

    Args:
        index: the files.
        sizes: width and height of each, upright.
    """

    def __init__(self, index: FolderIndex, sizes: Sequence[tuple[int, int]]) -> None:
        order = sorted(range(len(sizes)), key=lambda row: sizes[row])  # stable: by path within a size
        labels = None if index.labels is None else index.labels[torch.tensor(order)]
        index = replace(index, paths=[index.paths[row] for row in order], labels=labels)
        super().__init__(index, AnySizeReader(), False, ())
        self.sizes = [sizes[row] for row in order]

    def _fetch(self, index: Tensor) -> Tensor:
        return torch.stack(list(ordered_map(self._read, index.tolist())))

    def batches(self, rows: Sequence[int], batch_size: int) -> Iterator[list[int]]:
        """Yield ``rows`` in their order, at most ``batch_size`` at a time and of one size."""
        for _, group in groupby(rows, key=lambda row: self.sizes[row]):
            same = list(group)
            yield from (same[start : start + batch_size] for start in range(0, len(same), batch_size))


def batches_of(dataset: GANDataset, rows: Sequence[int], batch_size: int) -> list[Sequence[int]]:
    """Return the rows of a data set in batches, as its ``batches`` cuts them."""
    return list(dataset.batches(rows, batch_size))
