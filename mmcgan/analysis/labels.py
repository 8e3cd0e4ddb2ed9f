"""Orders of labels for pictures that show classes side by side."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

COPIES = 8


def label_blocks(classes: Tensor, copies: int = COPIES) -> Tensor:
    """Return ``classes`` (K,), each ``copies`` times, one after the other: int64 (K * copies,)."""
    return classes.repeat_interleave(copies)


def ascending_labels(num_classes: int, copies: int = COPIES) -> Tensor:
    """Return every class ``copies`` times, one after the other: int64 (num_classes * copies,).

    Raises:
        ValueError: a number below 1.
    """
    _check(num_classes, copies)
    return label_blocks(torch.arange(num_classes), copies)


def some_ascending_labels(
    num_classes: int, number: int, generator: Generator, copies: int = COPIES
) -> Tensor:
    """Return ``number`` different random classes, each ``copies`` times: int64 (number * copies,).

    Raises:
        ValueError: a number below 1, or more classes asked for than there are.
    """
    _check(num_classes, copies)
    if not 1 <= number <= num_classes:
        raise ValueError(f"number of classes must lie in 1..{num_classes}, got {number}")
    chosen = torch.randperm(num_classes, generator=generator, device=generator.device)[:number]
    return label_blocks(chosen, copies)


def _check(num_classes: int, copies: int) -> None:
    if num_classes < 1 or copies < 1:
        raise ValueError(f"num_classes and copies must be at least 1, got {num_classes} and {copies}")
