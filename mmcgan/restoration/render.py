"""Images of any generator, of any size where it makes any."""

from __future__ import annotations

from torch import Tensor, nn

from mmcgan.structures import Condition

#: Height and width.
Size = tuple[int, int]


def makes_any_size(generator: nn.Module) -> bool:
    """Return whether a generator ends in an implicit output layer."""
    return getattr(generator, "implicit", None) is not None


def render(generator: nn.Module, latent: Tensor, condition: Condition, size: Size | None = None) -> Tensor:
    """Return images (N, 3, H, W) in [-1, 1], of ``size`` if the generator makes any."""
    if size is not None and makes_any_size(generator):
        return generator(latent, condition, size=size)
    return generator(latent, condition)
