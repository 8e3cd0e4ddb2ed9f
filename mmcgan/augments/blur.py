"""A blur that a schedule lets fade: fine detail enters the discriminator's view late."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcgan.augments.base import Augment, Draws
from mmcgan.registry import AUGMENTS


@AUGMENTS.register_module()
class Blur(Augment):
    """Blurs every image alike by a separable filter with taps 2^(-(i / sigma)^2), |i| <= 3 sigma.

    StyleGAN3's and Projected GAN's blur of the first images of a training: the standard deviation is
    sigma / sqrt(2 ln 2), outside the image there is 0. Let a hook move ``sigma`` to 0, in front of any other
    augmentation::

        augment=dict(type="ComposeAugments", augments=[dict(type="Blur", sigma=2.0), ...])
        custom_hooks=[dict(type="ScheduleHook", unit="images", values={
            "augment.parts.0.sigma": dict(kind="linear", start=2.0, end=0.0, until=100_000)})]

    Args:
        sigma: in pixels; below 1/3 nothing is changed.
        same_draw: see :class:`Augment`; there is nothing to draw.

    Raises:
        ValueError: a negative ``sigma``.
    """

    def __init__(self, sigma: float = 0.0, same_draw: bool = False) -> None:
        super().__init__(same_draw)
        if sigma < 0 or not math.isfinite(sigma):
            raise ValueError(f"Blur: sigma must be finite and not negative, got {sigma}")
        self.sigma = float(sigma)

    def transform(self, image: Tensor, draws: Draws) -> Tensor:
        """Return the blurred images."""
        return blurred(image, self.sigma)


def blurred(image: Tensor, sigma: float) -> Tensor:
    """Return images (N, C, H, W) blurred as :class:`Blur` says."""
    radius = math.floor(3 * sigma)
    if radius < 1:
        return image
    places = torch.arange(-radius, radius + 1, dtype=image.dtype, device=image.device)
    taps = (-(places / sigma).square()).exp2()
    taps = taps / taps.sum()
    channels = image.shape[1]
    for shape, padding in (((1, -1), (0, radius)), ((-1, 1), (radius, 0))):
        kernel = taps.view(1, 1, *shape).expand(channels, 1, -1, -1)
        image = F.conv2d(image, kernel, padding=padding, groups=channels)
    return image
