"""Images of any generator, of any size where it makes any."""

from __future__ import annotations

from torch import Tensor

from mmcgan.models.generators.base import Generator
from mmcgan.structures import Condition

#: Height and width.
Size = tuple[int, int]


def render(generator: Generator, latent: Tensor, condition: Condition, size: Size | None = None) -> Tensor:
    """Return images (N, 3, H, W) in [-1, 1], of ``size`` if the generator makes any."""
    if size is not None and generator.any_size:
        return generator(latent, condition, size=size)
    return generator(latent, condition)
