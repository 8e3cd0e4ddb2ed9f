"""How far two results are apart, said so that a NaN cannot hide."""

from __future__ import annotations

import math
from collections.abc import Iterable

from torch import Tensor


def largest(values: Iterable[float]) -> float:
    """Return the largest of non-negative numbers, 0 of none, and NaN if there is one.

    Python's ``max`` keeps what it has when a NaN comes: ``max(0.0, nan)`` is 0.
    """
    found = 0.0
    for value in values:
        if math.isnan(value):
            return math.nan
        found = max(found, value)
    return found


def largest_difference(first: Tensor, second: Tensor) -> float:
    """Return max |first - second| in float64: NaN where either holds a NaN or both one infinity.

    Other shapes are infinitely apart. Compare as ``difference <= tolerance``, which a NaN is not.
    """
    if first.shape != second.shape:
        return math.inf
    if not first.numel():
        return 0.0
    return float((first.detach().cpu().double() - second.detach().cpu().double()).abs().max())
