"""What is to be restored, and how closeness is measured."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mmcgan.restoration.degradations import Degradation
from mmcgan.restoration.features import Distance
from mmcgan.restoration.render import Size


@dataclass(frozen=True)
class Problem:
    """A degraded image.

    Attributes:
        target: (1, 3, H, W) in [-1, 1].
        degradation: what happened to it.
        distance: between degraded images.
        size: height and width of the image, for a generator of any.
    """

    target: Tensor
    degradation: Degradation
    distance: Distance
    size: Size | None = None
