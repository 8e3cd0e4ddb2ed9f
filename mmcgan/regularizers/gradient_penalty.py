"""Penalties of the discriminator's gradient at chosen points: WGAN-GP, WGAN-div, DRAGAN, max-GP, R2."""

from __future__ import annotations

import torch
from torch import Tensor

from mmcgan.distributed import draw_shared
from mmcgan.registry import REGULARIZERS
from mmcgan.regularizers.base import LogitRegularizer, StepContext
from mmcgan.regularizers.r1 import SquaredGradient, image_gradient


class PointPenalty(LogitRegularizer):
    """Base: scores un-augmented points under a condition and penalises the squared gradient there.

    By default the points lie between real and generated images, with one share per sample, under
    the conditions of the real images. Gradients are sums over all pixels and channels.

    Args:
        weight: factor of the scalar.
        logit: which named output to differentiate.
        reading: what of it, see :class:`~mmcgan.regularizers.base.LogitRegularizer`.
    """

    paper_weight = 10.0
    full_precision = True

    def forward(self, context: StepContext) -> Tensor:
        """Return the penalty, a scalar."""
        image = self.points(context).detach().requires_grad_()
        scores = context.score(image, context.real.condition, augment=False)
        return self.penalty(self.squared(image_gradient(self.realness(scores), image)))

    def squared(self, gradient: Tensor) -> Tensor:
        """Return the squared lengths (N,) of gradients (N, C, H, W)."""
        return gradient.square().flatten(1).sum(1)

    def points(self, context: StepContext) -> Tensor:
        """Return images (N, C, H, W): share * real + (1 - share) * generated.

        Raises:
            ValueError: there are not as many generated as real images.
        """
        real, fake = context.real.image, context.fake.image
        if real.shape != fake.shape:
            raise ValueError(
                f"{type(self).__name__} mixes real {tuple(real.shape)} with generated {tuple(fake.shape)}"
            )
        return fake.lerp(real, self.uniform(context, (1, 1, 1)))

    def uniform(self, context: StepContext, shape: tuple[int, ...]) -> Tensor:
        """Return uniform numbers in [0, 1), (N, *shape), equal for any number of ranks."""
        stream = context.random["gradient penalty"]
        image = context.real.image
        drawn = draw_shared(lambda n: torch.rand(n, *shape, generator=stream), len(image))
        return drawn.to(image, non_blocking=True)

    def penalty(self, squared: Tensor) -> Tensor:
        """Return a scalar from the squared lengths (N,) of the gradients."""
        raise NotImplementedError


def length(squared: Tensor) -> Tensor:
    """Return the square root; its derivative at 0 is 0 instead of infinite."""
    return squared.clamp_min(1e-24).sqrt()


@REGULARIZERS.register_module()
class GradientPenalty(PointPenalty):
    """WGAN-GP, Eq. 3: mean (|g| - 1)^2 between real and generated images.

    Args:
        weight: lambda of the paper.
        per_pixel: take the length over the channels of each pixel and the mean over pixels, too, as
            MMagic does by default; the paper takes one length over the whole image.
    """

    def __init__(
        self,
        on: str = "discriminator",
        weight: float | None = None,
        interval: int = 1,
        logit: str = "adv.logit",
        per_pixel: bool = False,
        reading: str = "logit",
    ) -> None:
        super().__init__(on, weight, interval, logit, reading)
        self.per_pixel = per_pixel

    def squared(self, gradient: Tensor) -> Tensor:
        """Return the squared lengths of gradients (N, C, H, W): (N,), or (N, H, W) per pixel."""
        return gradient.square().sum(1) if self.per_pixel else super().squared(gradient)

    def penalty(self, squared: Tensor) -> Tensor:
        """Return mean (|g| - 1)^2."""
        return (length(squared) - 1).square().mean()


@REGULARIZERS.register_module()
class DivergencePenalty(PointPenalty):
    """WGAN-div, Eq. 8: mean |g|^p between real and generated images.

    Args:
        weight: k of the paper, 2.
        power: p of the paper, positive.

    Raises:
        ValueError: ``power`` is not positive.
    """

    paper_weight = 2.0

    def __init__(
        self,
        on: str = "discriminator",
        weight: float | None = None,
        interval: int = 1,
        logit: str = "adv.logit",
        power: float = 6.0,
        reading: str = "logit",
    ) -> None:
        super().__init__(on, weight, interval, logit, reading)
        if power <= 0:
            raise ValueError(f"DivergencePenalty: power must be positive, got {power}")
        self.power = power

    def penalty(self, squared: Tensor) -> Tensor:
        """Return mean |g|^p."""
        return length(squared).pow(self.power).mean()


@REGULARIZERS.register_module()
class MaxGradientPenalty(PointPenalty):
    """Lipschitz GAN's penalty: the largest |g|^2 of the mini-batch, between real and generated images."""

    def penalty(self, squared: Tensor) -> Tensor:
        """Return max |g|^2."""
        return squared.max()


@REGULARIZERS.register_module()
class PerturbationPenalty(GradientPenalty):
    """DRAGAN: mean (|g| - 1)^2 around real images.

    A point is real + share * amplitude * noise, where share and noise are uniform in [0, 1) and
    the amplitude is half the standard deviation of all real pixels, as in the authors' code: the
    noise is one-sided.
    """

    def points(self, context: StepContext) -> Tensor:
        """Return the real images (N, C, H, W) moved by noise."""
        real = context.real.image
        share = self.uniform(context, (1, 1, 1))
        return real + share * 0.5 * real.std() * self.uniform(context, tuple(real.shape[1:]))


@REGULARIZERS.register_module()
class R2(SquaredGradient):
    """1/2 * mean over samples of |d D(x) / d x|^2 at generated images (Which GAN Training Methods...).

    Scales as in :class:`~mmcgan.regularizers.r1.R1`; together with it and the relativistic loss it
    is R3GAN's objective.

    Args:
        weight: gamma of the paper.
        logit: which named output to differentiate.
        reuse_scores: differentiate the scores of the step itself, through its augmentation, as R3GAN does.
            False runs the discriminator again, on the un-augmented images.
        reading: what of the output, see :class:`~mmcgan.regularizers.base.LogitRegularizer`.
    """

    seen = "fake"
