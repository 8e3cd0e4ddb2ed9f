"""Values that have another shape at a peer, in both directions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Values:
    """How the values of some of the peer's keys change on the way to us and back.

    Attributes:
        pattern: a regular expression that is searched for in the peer's keys.
        ours, theirs: the two directions; each undoes the other.
    """

    pattern: str
    ours: Callable[[Tensor], Tensor]
    theirs: Callable[[Tensor], Tensor]


def scalar(pattern: str) -> Values:
    """Return values that are vectors of length 1 there."""
    return Values(pattern, lambda value: value.reshape(()), lambda value: value.reshape(1))


def turned(pattern: str) -> Values:
    """Return matrices that lie on their side there."""
    return Values(pattern, lambda value: value.T.contiguous(), lambda value: value.T.contiguous())


#: The singular vectors that BigGAN-PyTorch's spectral norm keeps as rows.
ROW_VECTORS = Values(r"(^|\.)u\d$", lambda value: value.flatten(), lambda value: value[None])


def in_our_shape(values: Iterable[Values], key: str, value: Tensor) -> Tensor:
    """Return a value of the peer's ``key`` in our shape."""
    for entry in values:
        if re.search(entry.pattern, key):
            value = entry.ours(value)
    return value


def in_their_shape(values: Iterable[Values], key: str, value: Tensor) -> Tensor:
    """Return a value of ours in the shape of the peer's ``key``."""
    for entry in values:
        if re.search(entry.pattern, key):
            value = entry.theirs(value)
    return value.clone()
