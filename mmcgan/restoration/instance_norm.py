"""Blocks of a generator that keep the statistics of one image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.models.generators.base import Generator

EPS = 1e-5


class InstanceNorms:
    """Instance norms that stand in for the conditional batch norms of a generator's blocks.

    The first call of an active generator sets scale and shift to the standard deviation (unbiased) and
    mean, over space, of what the batch norm returns, so that the image changes little; later calls keep
    them. From then on z's later chunks and the label have no influence. Deep Generative Prior's ``use_in``;
    for one image at a time.

    Args:
        generator: says its :meth:`~mmcgan.models.generators.base.Generator.norms`.

    Raises:
        ValueError: it has none.
    """

    def __init__(self, generator: Generator) -> None:
        self.stand_ins: dict[str, StandIn] = {}
        self._places: list[tuple[nn.Module, str, StandIn]] = []
        for name, (block, attribute) in generator.norms().items():
            stand_in = StandIn(block.get_submodule(attribute))
            self.stand_ins[name] = stand_in
            self._places.append((block, attribute, stand_in))
        if not self.stand_ins:
            raise ValueError(
                f"{type(generator).__name__} has no conditional norms to stand in for: it does not define "
                f"norms(), see {Generator.contract.page}"
            )

    def reset(self) -> None:
        """Let the next call set scale and shift again."""
        for stand_in in self.stand_ins.values():
            stand_in.scale = stand_in.shift = None

    @contextmanager
    def active(self) -> Iterator[None]:
        """Put the instance norms in place for as long as the context lasts."""
        for block, name, stand_in in self._places:
            setattr(block, name, stand_in)
        try:
            yield
        finally:
            for block, name, stand_in in self._places:
                setattr(block, name, stand_in.replaced)


class StandIn(nn.Module):
    """An instance norm that starts as the image of the norm it replaces."""

    def __init__(self, replaced: nn.Module) -> None:
        super().__init__()
        self.replaced = replaced
        self.scale: Tensor | None = None
        self.shift: Tensor | None = None

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Normalise (1, C, H, W) over space.

        Raises:
            ValueError: several images, whose statistics differ.
        """
        if self.scale is None or self.shift is None:
            self._start(x, condition)
        return F.instance_norm(x, weight=self.scale, bias=self.shift, eps=EPS)

    @torch.no_grad()
    def _start(self, x: Tensor, condition: Tensor | None) -> None:
        if len(x) != 1:
            raise ValueError(f"instance norms are set from one image, got {len(x)}")
        std, mean = torch.std_mean(self.replaced(x, condition)[0], dim=(1, 2))
        self.scale, self.shift = std, mean
