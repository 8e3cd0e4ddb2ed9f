"""Small tools over blocks of a large matrix: cut it, find its smallest and its true elements."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor


def blocks(count: int, size: int) -> Iterator[slice]:
    """Cut ``range(count)`` into consecutive slices of at most ``size``."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def smallest(values: Tensor, count: int, group: int = 8) -> tuple[Tensor, Tensor]:
    """Return the ``count`` smallest values of each row, ascending, and their columns.

    The smallest ``count`` elements lie in the ``count`` groups with the smallest minima, so only a
    part of the row is ever sorted.
    """
    values = values.contiguous()  # a transposed block is slow to look through
    width = values.shape[1] // group
    if width < 2 * count:
        return values.topk(min(count, values.shape[1]), dim=1, largest=False)
    minima = values[:, : width * group].unflatten(1, (group, width)).amin(dim=1)
    best = minima.topk(count, dim=1, largest=False, sorted=False).indices
    offsets = torch.arange(group, device=values.device) * width
    columns = (best[:, :, None] + offsets).flatten(1)
    rest = torch.arange(width * group, values.shape[1], device=values.device)
    columns = torch.cat([columns, rest.expand(len(values), -1)], dim=1)
    found, position = values.gather(1, columns).topk(count, dim=1, largest=False)
    return found, columns.gather(1, position)


def sparse_pairs(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return rows and columns of the true elements of ``mask`` (n, m), which are few, row by row."""
    if mask.shape[1] % 8 or not mask.is_contiguous():
        rows, columns = mask.nonzero(as_tuple=True)
        return rows, columns
    rows, packs = mask.view(torch.int64).nonzero(as_tuple=True)  # eight elements at a look
    columns = packs[:, None] * 8 + torch.arange(8, device=mask.device)
    chosen = mask[rows[:, None], columns]
    return rows[:, None].expand_as(columns)[chosen], columns[chosen]


def first_of_rows(
    row: Tensor, column: Tensor, value: Tensor, shape: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Return the ``shape[1]`` smallest values of each of ``shape[0]`` rows and their columns.

    Args:
        row, column: int64 (P,), ascending by row, then by column.
        value: (P,).
        shape: rows and how many values of each.

    Returns:
        Values, infinity where a row has fewer, ascending, and columns; equal values by ascending column.
    """
    order = value.argsort(stable=True)
    order = order[row[order].argsort(stable=True)]
    row, column, value = row[order], column[order], value[order]
    count = torch.bincount(row, minlength=shape[0])
    place = torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[row]
    kept = place < shape[1]
    values = value.new_full(shape, torch.inf)
    columns = column.new_zeros(shape)
    values[row[kept], place[kept]] = value[kept]
    columns[row[kept], place[kept]] = column[kept]
    return values, columns
