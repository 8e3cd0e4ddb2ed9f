"""Adaptive pseudo augmentation: generated images among the real ones."""

from __future__ import annotations

from typing import Any

import torch

from mmcgan.augments.adaptive import AdaptiveAugment, build_probability, watched
from mmcgan.augments.base import Draws
from mmcgan.augments.pixels import per_image
from mmcgan.registry import AUGMENTS
from mmcgan.structures import Condition, GANBatch


@AUGMENTS.register_module()
class APA(AdaptiveAugment):
    """Adaptive pseudo augmentation (Jiang et al. 2021, Sec. 3.2).

    In the discriminator's step every real image is replaced, with probability p, by the generated
    image of the same row. A replaced image comes with the condition it was generated for; the
    original code leaves the label of the real image, which the new one does not show. p adapts as
    in :class:`ADA`, to the scores of what was shown as real.

    Args:
        p: where p begins (0 if not given), in [0, 1]; without ``adapt`` p stays there.
        adapt: arguments of :class:`AdaptiveProbability`; without it and without ``p``, its defaults.

    Raises:
        ValueError: a setting out of range.
    """

    def __init__(self, p: float | None = None, adapt: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.probability = build_probability(p, adapt)
        self.reads = watched({"p": p, "adapt": adapt})

    def pair(self, real: GANBatch, fake: GANBatch, generator: torch.Generator) -> tuple[GANBatch, GANBatch]:
        """Return real images with generated ones among them, and the generated ones as they are.

        Raises:
            ValueError: the batches differ in size, or the fakes lack a condition of the real images.
        """
        return self.mix(real, fake, Draws(generator, real.image)), fake

    def mix(self, real: GANBatch, fake: GANBatch, draws: Draws) -> GANBatch:
        """Return ``real`` with the chosen rows taken from ``fake``."""
        if len(real) != len(fake):
            raise ValueError(f"APA: {len(real)} real images cannot be paired with {len(fake)} generated ones")
        missing = real.condition.present().keys() - fake.condition.present().keys()
        if missing:
            raise ValueError(f"APA: generated images carry no {sorted(missing)}, which the real ones do")
        chosen = draws.chosen("pseudo", self.probability.p)
        image = torch.where(per_image(chosen), fake.image.detach().to(real.image), real.image)
        generated = fake.condition.present()
        mixed = {
            name: torch.where(chosen.view(-1, *[1] * (value.dim() - 1)), generated[name], value)
            for name, value in real.condition.present().items()
        }
        return GANBatch(image, Condition.of(mixed))
