"""The transformations of self-supervised learning, differentiable and in batches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmcgan.augments.base import Augment, Draws
from mmcgan.augments.colour import hue_rotation, recolour
from mmcgan.augments.constants import constant
from mmcgan.augments.filters import filter_images, gaussian
from mmcgan.augments.pixels import per_image
from mmcgan.augments.warp import sample
from mmcgan.registry import AUGMENTS

LUMA = (0.299, 0.587, 0.114)
ASPECT = (3 / 4, 4 / 3)
BLUR_DEVIATION = (0.1, 2.0)


@dataclass(frozen=True)
class ViewSettings:
    """How a view of an image is made.

    Attributes:
        crop: smallest and largest share of the image's area that a crop keeps, in (0, 1].
        brightness, contrast, saturation: a factor is uniform in [1 - value, 1 + value].
        hue: largest rotation as a share of the full circle.
        jitter: probability of the four changes of colour.
        grey: probability of becoming grey.
        blur: probability of a Gaussian blur.
        solarise: probability of mirroring all values above mid grey.

    Raises:
        ValueError: a value is out of range.
    """

    crop: Sequence[float] = (0.08, 1.0)
    brightness: float = 0.8
    contrast: float = 0.8
    saturation: float = 0.8
    hue: float = 0.2
    jitter: float = 0.8
    grey: float = 0.2
    blur: float = 0.5
    solarise: float = 0.0

    def __post_init__(self) -> None:
        if len(self.crop) != 2 or not 0 < self.crop[0] <= self.crop[1] <= 1:
            raise ValueError(
                f"crop must be (smallest, largest) with 0 < smallest <= largest <= 1, got {self.crop}"
            )
        for name in ("brightness", "contrast", "saturation", "jitter", "grey", "blur", "solarise"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if not 0 <= self.hue <= 0.5:
            raise ValueError(f"hue must lie in [0, 0.5], got {self.hue}")


class RandomView(Augment):
    """Resized crop, mirror, changes of colour, grey, blur, solarisation, in this order.

    Colours are changed as if [-1, 1] were [0, 1], but never clipped, so that gradients pass;
    hue is a rotation about the grey axis. The order of the changes of colour is fixed.

    Args:
        settings: strengths and probabilities.
        same_draw: see :class:`Augment`.
    """

    min_size = 4

    def __init__(self, settings: ViewSettings, same_draw: bool = False) -> None:
        super().__init__(same_draw)
        self.settings = settings

    def transform(self, image: Tensor, draws: Draws) -> Tensor:
        """Return one random view of every image."""
        image = self._crop(image, draws)
        jittered = self._jitter((image + 1) / 2, draws) * 2 - 1
        image = torch.where(per_image(draws.chosen("jitter", self.settings.jitter)), jittered, image)
        image = torch.where(per_image(draws.chosen("grey", self.settings.grey)), luma(image), image)
        if self.settings.blur:
            image = self._blur(image, draws)
        solarised = per_image(draws.chosen("solarise", self.settings.solarise))
        return torch.where(solarised, torch.where(image >= 0, -image, image), image)

    def _crop(self, image: Tensor, draws: Draws) -> Tensor:
        """Cut out a random rectangle, half of them mirrored, and enlarge it to the image's size."""
        smallest, largest = self.settings.crop
        area = smallest + (largest - smallest) * draws.uniform("area")
        low, high = (math.log(ratio) for ratio in ASPECT)
        aspect = torch.exp(low + (high - low) * draws.uniform("aspect"))
        place, mirrored = draws.uniform("place", 2), draws.chosen("mirror", 0.5)
        shares = torch.stack([(area * aspect).sqrt(), (area / aspect).sqrt()], dim=1).clamp(max=1)
        # a rectangle that is too long in one direction keeps its area as far as it can
        shares = (area[:, None] / shares.flip(1)).clamp(max=1)
        axes = []
        for axis, size in enumerate((image.shape[-1], image.shape[-2])):
            middle = (torch.arange(size, device=image.device, dtype=image.dtype) + 0.5) / size
            share = shares[:, axis, None]
            within = place[:, axis, None] * (1 - share) + share * middle
            index = (within * size - 0.5).clamp(0, size - 1)
            axes.append(2 * index / (size - 1) - 1)
        x = torch.where(mirrored[:, None], axes[0].flip(1), axes[0])
        height, width = image.shape[-2:]
        grid = torch.stack(
            [x[:, None].expand(-1, height, -1), axes[1][:, :, None].expand(-1, -1, width)], dim=-1
        )
        return sample(image, grid)

    def _jitter(self, image: Tensor, draws: Draws) -> Tensor:
        """Change brightness, contrast, saturation and hue of images in [0, 1]."""
        amounts = {
            name: per_image(1 + getattr(self.settings, name) * (2 * draws.uniform(name) - 1))
            for name in ("brightness", "contrast", "saturation")
        }
        image = image * amounts["brightness"]
        level = luma(image).mean((1, 2, 3), keepdim=True)
        image = level + (image - level) * amounts["contrast"]
        grey = luma(image)
        image = grey + (image - grey) * amounts["saturation"]
        angle = 2 * math.pi * self.settings.hue * (2 * draws.uniform("hue") - 1)
        return recolour(image, hue_rotation(angle))

    def _blur(self, image: Tensor, draws: Draws) -> Tensor:
        """Blur with a filter of a tenth of the image's size, at least 3 pixels."""
        low, high = BLUR_DEVIATION
        length = max(min(image.shape[-2:]) // 20 * 2 + 1, 3)
        taps = gaussian(low + (high - low) * draws.uniform("blur_deviation"), length)
        chosen = per_image(draws.chosen("blur", self.settings.blur))
        return torch.where(chosen, filter_images(image, taps), image)


def luma(image: Tensor) -> Tensor:
    """Return the lightness of images (N, 3, H, W), (N, 1, H, W)."""
    weights = constant(LUMA, image)
    return (image * weights[:, None, None]).sum(1, keepdim=True)


@AUGMENTS.register_module()
class SimCLRAugment(RandomView):
    """The views of SimCLR (Chen et al. 2020, Appendix A), which StudioGAN offers for CR as "simclr".

    Args:
        strength: of the changes of colour, in [0, 1.25]; 1 for large images, 0.5 for CIFAR10.
        crop: smallest and largest share of the area that is kept.
        blur: probability; 0.5 for large images, 0 for CIFAR10.
        same_draw: see :class:`Augment`.

    Raises:
        ValueError: a setting is out of range.
    """

    def __init__(
        self,
        strength: float = 1.0,
        crop: Sequence[float] = (0.08, 1.0),
        blur: float = 0.5,
        same_draw: bool = False,
    ) -> None:
        if not 0 <= strength <= 1.25:
            raise ValueError(f"SimCLRAugment: strength must lie in [0, 1.25], got {strength}")
        amounts = dict.fromkeys(("brightness", "contrast", "saturation"), 0.8 * strength)
        super().__init__(ViewSettings(crop=crop, hue=0.2 * strength, blur=blur, **amounts), same_draw)


@AUGMENTS.register_module()
class BYOLAugment(RandomView):
    """The second view of BYOL (Grill et al. 2020, Appendix B), which StudioGAN offers for CR as "byol".

    Args:
        crop: smallest and largest share of the area that is kept.
        blur: probability; 0.1 here, 1 for BYOL's first view.
        solarise: probability; 0.2 here, 0 for BYOL's first view.
        same_draw: see :class:`Augment`.

    Raises:
        ValueError: a setting is out of range.
    """

    def __init__(
        self,
        crop: Sequence[float] = (0.08, 1.0),
        blur: float = 0.1,
        solarise: float = 0.2,
        same_draw: bool = False,
    ) -> None:
        settings = ViewSettings(crop, 0.4, 0.4, 0.2, 0.1, blur=blur, solarise=solarise)
        super().__init__(settings, same_draw)
