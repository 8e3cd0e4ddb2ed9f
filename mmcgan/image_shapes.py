"""Which images a network makes or looks at, as its class declares it.

A class says it in ``image_shapes``; configs are checked against it before anything is built. What a class
does not say is tried, and refused by its constructor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmcgan.contracts import declared
from mmcgan.structures import height_and_width

#: words for numbers of channels
KINDS = {1: "one-channel", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class ImageShapes:
    """The images of a class of networks.

    Attributes:
        sizes: the sides that it can have, in words; "" if its constructor alone knows.
        square: whether height and width must be equal.
        channels: how many channels an image may have.
    """

    sizes: str = ""
    square: bool = False
    channels: tuple[int, ...] = (3,)

    def refused_size(self, size: Any) -> str:
        """Return why a size, a side or (height, width), is none of these; "" if nothing is against it."""
        if not self.square or not is_oblong(size):
            return ""
        height, width = height_and_width(size)
        sizes = f" ({self.sizes})" if self.sizes else ""
        return f"{height} x {width} is not square, as this network's images are{sizes}"

    def refused_channels(self, channels: int) -> str:
        """Return why a number of channels is none of these; "" if it is one."""
        if channels in self.channels:
            return ""
        allowed = " or ".join(f"{number} ({KINDS.get(number, 'channels')})" for number in self.channels)
        return f"images of {channels} channel{'s' * (channels != 1)}, but this network's have {allowed}"


def is_oblong(size: Any) -> bool:
    """Return whether a size is a height and another width."""
    try:
        height, width = height_and_width(size)
    except (TypeError, ValueError):
        return False
    return height != width


def image_shapes_of(component: Any) -> ImageShapes | None:
    """Return what a class declares; None if it does not."""
    found = declared(component, "image_shapes")
    return found if isinstance(found, ImageShapes) else None
