"""What sets of feature vectors must be before they are compared."""

from __future__ import annotations

import torch
from torch import Tensor


def check_features(features: Tensor, name: str) -> None:
    """Refuse anything but finite floating-point vectors (N, F), N and F at least 1.

    Raises:
        ValueError: the message names the set and says how many vectors are bad.
    """
    if features.ndim != 2 or not features.is_floating_point():
        raise ValueError(
            f"{name} features must be floating point (N, F), got {features.dtype} {tuple(features.shape)}"
        )
    if not len(features):
        raise ValueError(f"there are no {name} features")
    check_width(features.shape[1], name)
    if torch.isfinite(features.sum()):
        return  # a value that is not finite would have made the sum so, too
    finite = torch.isfinite(features).all(dim=1)
    if not finite.all():
        raise ValueError(
            f"{name} features of {int((~finite).sum())} of {len(features)} images are NaN or infinite"
        )


def check_pair(real: Tensor, fake: Tensor) -> None:
    """Refuse two sets of features that cannot be compared.

    Raises:
        ValueError: see :func:`check_features`; or another dimension.
    """
    check_features(real, "real")
    check_features(fake, "fake")
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"real features have {real.shape[1]} dimensions, fake features {fake.shape[1]}: "
            "take both from the same extractor"
        )


def check_neighbours(k: int, count: int, what: str) -> None:
    """Refuse a ``k`` that is not in 1..count-1.

    Raises:
        ValueError: with both numbers.
    """
    if not 1 <= k < count:
        raise ValueError(f"k={k} nearest neighbours need more than {k} {what} (k at least 1), got {count}")


def check_width(width: int, name: str) -> None:
    """Refuse vectors without numbers: they are all equal, and distances of them say nothing.

    Raises:
        ValueError: ``width`` is 0.
    """
    if width < 1:
        raise ValueError(f"{name} features have no dimension: (N, 0) vectors cannot be compared")
