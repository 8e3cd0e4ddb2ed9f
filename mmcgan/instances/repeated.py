"""A table without the rows that nobody can find: of many equal images only the first ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmcgan.instances.ranking import Rows
from mmcgan.neighbours.repeats import first_equal, rank_among_equal


class KeptRows:
    """Some rows of a table, in its order.

    Args:
        table: (N, F).
        kept: int64 (D,), ascending.
    """

    def __init__(self, table: Rows, kept: Tensor) -> None:
        self.table = table
        self.kept = kept
        self.shape = (len(kept), *table.shape[1:])

    def rows(self, index: Tensor | slice) -> Tensor:
        """Return rows as float32 (n, F)."""
        return self.table.rows(self.kept[index])


@dataclass(frozen=True)
class Repeats:
    """Equal images that are too many to be found.

    Among equal images the lower index is nearer, and k of them stand before the (k + 1)-th and all later
    ones. Hence no image has a later one among its k nearest, and all later ones have the neighbours of the
    (k + 1)-th: without it, k equal images and better ones are there all the same.

    Attributes:
        kept: int64 (D,), ascending, the images that can be found.
        place: int64 (N,), which of them has the neighbours of each image.
    """

    kept: np.ndarray
    place: np.ndarray


def find_repeats(table: Rows, keys: list[Tensor], k: int) -> Repeats | None:
    """Return what to leave out of a search for k neighbours, None if no image occurs more than k + 1 times.

    Args:
        table: (N, F).
        keys: :func:`~mmcgan.neighbours.repeats.row_keys` of its rows, in parts.
        k: neighbours wanted.
    """
    leader = first_equal(table.rows, keys, int(table.shape[1]), k + 1)
    if leader is None:
        return None
    rank = rank_among_equal(leader)
    kept = (rank <= k).nonzero().flatten()
    place = torch.searchsorted(kept, torch.arange(len(leader)))
    last = torch.zeros_like(leader)
    last[leader[rank == k]] = place[rank == k]
    place = torch.where(rank > k, last[leader], place)
    return Repeats(kept.numpy(), place.numpy())
