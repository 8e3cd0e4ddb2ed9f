"""R1: the squared gradient of the real logits with respect to the images."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from mmcgan.registry import REGULARIZERS
from mmcgan.regularizers.base import LogitRegularizer, StepContext


def image_gradient(logit: Tensor, image: Tensor) -> Tensor:
    """Return d sum(logit) / d image, (N, C, H, W), float32 or wider, differentiable."""
    (gradient,) = torch.autograd.grad(logit.sum(), image, create_graph=True)
    return gradient.to(torch.promote_types(gradient.dtype, torch.float32))


def squared_gradient(logit: Tensor, image: Tensor) -> Tensor:
    """Return the squared length of d sum(logit) / d image of every sample, (N,), differentiable.

    Args:
        logit: (N,), computed from ``image``.
        image: (N, C, H, W) with ``requires_grad``.
    """
    return image_gradient(logit, image).square().flatten(1).sum(1)


class SquaredGradient(LogitRegularizer):
    """1/2 * mean over samples of |d D(x) / d x|^2 at one of a step's batches.

    Attributes:
        seen: which batch, ``real`` or ``fake``.
    """

    full_precision = True
    seen: ClassVar[Literal["real", "fake"]]

    def __init__(
        self,
        on: str = "discriminator",
        weight: float | None = None,
        interval: int = 1,
        logit: str = "adv.logit",
        reuse_scores: bool = False,
        reading: str = "logit",
    ) -> None:
        super().__init__(on, weight, interval, logit, reading)
        self.reuse_scores = reuse_scores
        self.needs_real_gradient = reuse_scores and self.seen == "real"
        self.needs_fake_gradient = reuse_scores and self.seen == "fake"

    def forward(self, context: StepContext) -> Tensor:
        """Return the penalty of the mini-batch, a scalar."""
        batch = context.real if self.seen == "real" else context.fake
        if self.reuse_scores:
            scores = context.real_scores if self.seen == "real" else context.fake_scores
            assert scores is not None
            return 0.5 * squared_gradient(self.realness(scores), batch.image).mean()
        image = batch.image.detach().requires_grad_()
        scores = context.score(image, batch.condition, augment=False)
        return 0.5 * squared_gradient(self.realness(scores), image).mean()


@REGULARIZERS.register_module()
class R1(SquaredGradient):
    """1/2 * mean over samples of |d D(x) / d x|^2 at real images (Which GAN Training Methods..., Eq. 9).

    The gradient is the sum over all pixels and channels of images in [-1, 1]. MMagic's "pixel"
    mode without the 1/2 is this one times 2 / (H * W).

    Args:
        weight: gamma of the paper; StyleGAN2 writes gamma / 2 * |...|^2 just as well.
        logit: which named output to differentiate.
        reuse_scores: differentiate the scores of the step itself, through its augmentation, as
            StudioGAN and StyleGAN2 do. False runs the discriminator again, on the un-augmented images.
        reading: what of the output, see :class:`~mmcgan.regularizers.base.LogitRegularizer`.
    """

    seen = "real"
