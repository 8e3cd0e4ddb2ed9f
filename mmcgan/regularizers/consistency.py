"""Consistency: CR and bCR over transformed images, zCR over moved latents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.distributed import draw_shared
from mmcgan.registry import AUGMENTS, REGULARIZERS
from mmcgan.regularizers.base import Regularizer, Scores, StepContext
from mmcgan.structures import GANBatch

LOGIT = ("adv.logit",)


def squared_distance(outputs: Sequence[str], first: Scores, second: Scores) -> Tensor:
    """Return the sum over ``outputs`` of the mean squared difference, a scalar."""
    return torch.stack([F.mse_loss(first[name], second[name]) for name in outputs]).sum()


def moved_latent(context: StepContext, noise: float) -> Tensor:
    """Return the step's latents plus normal noise of deviation ``noise``, equal for any number of ranks."""
    latent, stream = context.latent, context.random["latent noise"]
    shape = tuple(latent.shape[1:])
    drawn = draw_shared(lambda n: torch.randn(n, *shape, generator=stream), len(latent))
    return latent + noise * drawn.to(latent, non_blocking=True)


def check_outputs(owner: str, outputs: Sequence[str]) -> tuple[str, ...]:
    """Return ``outputs`` as a tuple.

    Raises:
        ValueError: there are none.
    """
    if isinstance(outputs, str) or not len(outputs):
        raise ValueError(f"{owner}: outputs must be a list of named tensors, got {outputs!r}")
    return tuple(outputs)


def check_noise(owner: str, noise: float) -> None:
    """Raise ValueError unless ``noise`` is positive."""
    if not noise > 0:
        raise ValueError(f"{owner}: noise must be greater than 0, got {noise}")


@REGULARIZERS.register_module()
class ImageConsistency(Regularizer):
    """CR (Zhang et al. 2020, Eq. 3) and bCR (Zhao et al. 2021, Algorithm 1).

    real * |D(x) - D(T(x))|^2 + fake * |D(G(z)) - D(T(G(z)))|^2, each the mean over the batch, summed
    over the compared outputs. Gradients pass through both sides.

    Args:
        real, fake: factors; CR is (10, 0), bCR (10, 10).
        outputs: named outputs of the discriminator that are compared. StudioGAN compares the logit
            and, with a classifier or proxies, ``cls.logits`` or ``cls.embed`` too.
        transform: config of T, an augmentation.

    Raises:
        ValueError: a factor is negative or both are 0, or ``outputs`` is empty.
    """

    allowed_on = ("discriminator",)

    def __init__(
        self,
        on: str = "discriminator",
        weight: float = 1.0,
        interval: int = 1,
        real: float = 10.0,
        fake: float = 0.0,
        outputs: Sequence[str] = LOGIT,
        transform: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(on, weight, interval)
        if min(real, fake) < 0 or not real + fake:
            raise ValueError(
                f"ImageConsistency: real and fake must not be negative nor both 0, got {real} and {fake}"
            )
        self.real, self.fake = real, fake
        self.reads = check_outputs("ImageConsistency", outputs)
        self.transform = AUGMENTS.build(transform or {"type": "FlipAndShift"})

    def forward(self, context: StepContext) -> Tensor:
        """Return the weighted sum of both terms, a scalar."""
        assert context.real_scores is not None
        total = torch.zeros((), device=context.real.image.device)
        if self.real:
            total = total + self.real * self._distance(context, context.real, context.real_scores)
        if self.fake:
            total = total + self.fake * self._distance(context, context.fake, context.fake_scores)
        return total

    def _distance(self, context: StepContext, batch: GANBatch, scores: Scores) -> Tensor:
        stream = context.random.local("consistency", batch.image.device)
        transformed = context.score(self.transform(batch.image, stream), batch.condition)
        return squared_distance(self.reads, scores, transformed)


@REGULARIZERS.register_module()
class LatentConsistency(Regularizer):
    """zCR's term of the discriminator (Zhao et al. 2021, Algorithm 2): |D(G(z)) - D(G(z + noise))|^2.

    Args:
        weight: 5 in the paper, 20 in StudioGAN.
        noise: deviation of the normal noise; 0.05 in StudioGAN.
        outputs: as in :class:`ImageConsistency`.

    Raises:
        ValueError: ``noise`` is not positive, or ``outputs`` is empty.
    """

    allowed_on = ("discriminator",)

    def __init__(
        self,
        on: str = "discriminator",
        weight: float = 5.0,
        interval: int = 1,
        noise: float = 0.05,
        outputs: Sequence[str] = LOGIT,
    ) -> None:
        super().__init__(on, weight, interval)
        check_noise("LatentConsistency", noise)
        self.noise = noise
        self.reads = check_outputs("LatentConsistency", outputs)

    def forward(self, context: StepContext) -> Tensor:
        """Return the mean squared difference, a scalar."""
        condition = context.fake.condition
        image = context.generate(moved_latent(context, self.noise), condition)
        return squared_distance(self.reads, context.fake_scores, context.score(image, condition))


@REGULARIZERS.register_module()
class LatentDiversity(Regularizer):
    """zCR's term of the generator: minus |G(z) - G(z + noise)|^2, so that images follow the latent.

    Args:
        weight: 0.5 in the paper.
        noise: as in :class:`LatentConsistency`.

    Raises:
        ValueError: ``noise`` is not positive.
    """

    allowed_on = ("generator",)

    def __init__(
        self, on: str = "generator", weight: float = 0.5, interval: int = 1, noise: float = 0.05
    ) -> None:
        super().__init__(on, weight, interval)
        check_noise("LatentDiversity", noise)
        self.noise = noise

    def forward(self, context: StepContext) -> Tensor:
        """Return minus the mean squared difference of all pixels, a scalar."""
        image = context.generate(moved_latent(context, self.noise), context.fake.condition)
        return -F.mse_loss(context.fake.image, image)
