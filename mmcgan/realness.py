"""How real a discriminator takes an image to be, read off the outputs of heads that say more than that."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from mmcgan.suggestions import nearest

#: from a named tensor to numbers that are positive where an image is taken for real
READINGS: dict[str, Callable[[Tensor], Tensor]] = {
    # (N,) or (N, ...): a logit for every image or patch
    "logit": lambda value: value,
    # (N, C + 2): the columns "real" and "fake" at the end (omni-loss)
    "real_minus_fake": lambda value: value[:, -2] - value[:, -1],
    # (N, C + 1): the last class is "fake" (multi-hinge, ImAC-GAN)
    "best_class_minus_fake": lambda value: value[:, :-1].amax(1) - value[:, -1],
}


def is_reading(value: object) -> bool:
    """Return whether a value is the name of a reading."""
    return isinstance(value, str) and value in READINGS


def check_reading(reading: str, owner: str) -> None:
    """Refuse a reading that does not exist.

    Raises:
        ValueError: it names ``owner``, the value and the nearest that exists.
    """
    if not is_reading(reading):
        raise ValueError(f"{owner}: unknown reading {reading!r}.{nearest(reading, list(READINGS))}")
