"""Several augmentations, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.augments.base import Augment, Draws, Scores
from mmcgan.registry import AUGMENTS
from mmcgan.structures import GANBatch


@AUGMENTS.register_module()
class ComposeAugments(Augment):
    """Applies augmentations in the order given; each observes and pairs as if it were alone.

    Args:
        augments: configs of the augmentations.
        same_draw: see :class:`Augment`; holds for all of them.

    Raises:
        ValueError: there is none, or one of them asks for ``same_draw`` by itself.
    """

    def __init__(self, augments: Sequence[dict[str, Any]], same_draw: bool = False) -> None:
        super().__init__(same_draw)
        if not augments:
            raise ValueError("ComposeAugments: augments must list at least one augmentation")
        self.parts: list[Augment] = [AUGMENTS.build(config) for config in augments]
        alone = [type(part).__name__ for part in self.parts if part.same_draw]
        if alone:
            raise ValueError(
                f"ComposeAugments: same_draw=True of {alone[0]} would not reach it; "
                "give same_draw to ComposeAugments, where it holds for all"
            )
        self.part_modules = nn.ModuleList(self.parts)
        self.reads = tuple(name for part in self.parts for name in part.reads)
        self.min_size = max(part.min_size for part in self.parts)

    def transform(self, image: Tensor, draws: Draws) -> Tensor:
        """Return the images after all augmentations."""
        for part in self.parts:
            image = part.transform(image, draws)
        return image

    def observe(self, real: Scores, fake: Scores) -> None:
        """Let every part look."""
        for part in self.parts:
            part.observe(real, fake)

    def pair(self, real: GANBatch, fake: GANBatch, generator: torch.Generator) -> tuple[GANBatch, GANBatch]:
        """Let every part change what is shown, in turn."""
        for part in self.parts:
            real, fake = part.pair(real, fake, generator)
        return real, fake

    def report(self) -> dict[str, Tensor]:
        """Return the scalars of all parts; the later of two of the same kind is logged."""
        return {name: value for part in self.parts for name, value in part.report().items()}

    def check_size(self, height: int, width: int) -> None:
        """Refuse images that are too small for a part.

        Raises:
            ValueError: names the part and the smallest size.
        """
        for part in self.parts:
            part.check_size(height, width)
