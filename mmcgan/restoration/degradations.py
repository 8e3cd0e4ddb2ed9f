"""What was done to an image that is to be restored. A new degradation is a small registered class."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from mmcgan.contracts import Contract, Value
from mmcgan.random import make_generator
from mmcgan.registry import DEGRADATIONS
from mmcgan.restoration.colour import with_lightness_of
from mmcgan.restoration.lanczos import lanczos_downsample
from mmcgan.restoration.presets import PRESETS

#: Rows and columns (top, bottom, left, right).
Box = tuple[int, int, int, int]
#: MATLAB's rounding of the luma weights; their sum is 0.9999.
LUMA = (0.2989, 0.5870, 0.1140)


class Degradation:
    """The identity, and base of the others.

    A subclass writes :meth:`degrade` and, where what is left of an original looks otherwise, :meth:`target`.

    Attributes:
        plan_like: the task of mmcgan's whose plan of stages a task of this class begins from.
    """

    contract: ClassVar[Contract] = Contract(
        "degradation",
        "docs/extending/degradation.md",
        values={
            "plan_like": Value("the name of a task that has a plan", lambda value: value in list(PRESETS))
        },
    )

    plan_like: str = "reconstruct"

    def target(self, original: Tensor) -> Tensor:
        """Return what is left of original images (N, 3, H, W) in [-1, 1], at full size."""
        return self.degrade(original)

    def degrade(self, image: Tensor) -> Tensor:
        """Return generated images (N, 3, H, W) in the space in which they are compared, differentiably."""
        return image

    def place(self, degraded: Tensor, size: tuple[int, int]) -> Tensor:
        """Return images that came degraded as :meth:`target` has them, enlarged to ``size``."""
        return degraded

    def finish(self, image: Tensor, given: Tensor) -> Tensor:
        """Return the restored image with what is known of it taken from ``given``."""
        return image

    def region(self, size: tuple[int, int]) -> Box:
        """Return the part of an image of ``size`` (height, width) over which figures are computed."""
        return (0, size[0], 0, size[1])


@DEGRADATIONS.register_module("reconstruct")
class Reconstruct(Degradation):
    """Nothing is missing: the image itself is to be made."""


@DEGRADATIONS.register_module("jitter")
class Jitter(Degradation):
    """Nothing is missing; neighbours of the image in the latent space are what is asked for."""


@DEGRADATIONS.register_module("morph")
class Morph(Degradation):
    """Nothing is missing; what lies between two images is what is asked for."""


@DEGRADATIONS.register_module("transfer")
class CategoryTransfer(Degradation):
    """Nothing is missing; the image is asked for as another class shows it."""


@DEGRADATIONS.register_module("sr")
class SuperResolution(Degradation):
    """The image is small.

    As in the Deep Generative Prior the target is shrunk in 8 bits by a Lanczos filter of three lobes, the
    generated image by one of two, which is differentiable; both are enlarged bilinearly. Between whole
    factors, which that filter does not know, the generated image is shrunk by an antialiased cubic one.

    Args:
        factor: how many times smaller, not necessarily a whole number; 1 leaves the size as it is.

    Raises:
        ValueError: ``factor`` below 1.
    """

    def __init__(self, factor: float = 4) -> None:
        if not factor >= 1:
            raise ValueError(f"sr: factor must be at least 1, got {factor}")
        self.factor = factor

    def target(self, original: Tensor) -> Tensor:
        """Return the images shrunk and enlarged again."""
        height, width = self._small((original.shape[2], original.shape[3]))
        # truncation, not rounding, as in the peer; in float32, whose rounding decides on whole levels
        levels = ((original.float() + 1) / 2 * 255).clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
        small = [Image.fromarray(each).resize((width, height), Image.Resampling.LANCZOS) for each in levels]
        values = torch.from_numpy(np.stack([np.asarray(each) for each in small]))
        values = values.permute(0, 3, 1, 2).to(original) / 255 * 2 - 1
        return self.place(values, (original.shape[2], original.shape[3]))

    def degrade(self, image: Tensor) -> Tensor:
        """Return the images shrunk and enlarged again."""
        size = (image.shape[2], image.shape[3])
        if self.factor == 1:
            return image
        if self.factor == int(self.factor):
            return self.place(lanczos_downsample((image + 1) / 2, int(self.factor)) * 2 - 1, size)
        small = F.interpolate(image, size=self._small(size), mode="bicubic", antialias=True)
        return self.place(small, size)

    def place(self, degraded: Tensor, size: tuple[int, int]) -> Tensor:
        """Return small images enlarged to ``size``."""
        return F.interpolate(degraded, size=size, mode="bilinear", align_corners=False)

    def _small(self, size: tuple[int, int]) -> tuple[int, int]:
        if self.factor == int(self.factor):
            height, width = (side // int(self.factor) for side in size)
        else:
            height, width = (round(side / self.factor) for side in size)
        if min(height, width) < 1:
            raise ValueError(f"sr: an image of {size} cannot shrink {self.factor} times")
        return height, width


@DEGRADATIONS.register_module("colorize")
class Colorization(Degradation):
    """The image has lost its colours."""

    def degrade(self, image: Tensor) -> Tensor:
        """Return the images in grey, with three equal channels."""
        red, green, blue = image.unbind(dim=1)
        grey = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
        return grey.unsqueeze(1).expand(-1, 3, -1, -1)

    def finish(self, image: Tensor, given: Tensor) -> Tensor:
        """Return the colours of ``image`` with the lightness (CIE Lab) of ``given``."""
        return with_lightness_of(image, given)


@DEGRADATIONS.register_module("inpaint")
class Inpainting(Degradation):
    """A part is missing; it is mid-grey.

    Args:
        missing: bool (H, W), True where a pixel is missing; None is a square in the middle, a third of the
            shorter side.

    Raises:
        ValueError: nothing is missing, or everything is.
    """

    def __init__(self, missing: Tensor | None = None) -> None:
        if missing is not None and (not bool(missing.any()) or bool(missing.all())):
            what = "nothing" if not bool(missing.any()) else "all of the image"
            raise ValueError(f"inpaint: {what} is marked as missing; mark a part of the image")
        self.missing = missing

    def degrade(self, image: Tensor) -> Tensor:
        """Return the images with a hole."""
        return image * self._mask(image)

    def finish(self, image: Tensor, given: Tensor) -> Tensor:
        """Return ``given`` with its hole filled from ``image``."""
        mask = self._mask(image)
        return given * mask + image * (1 - mask)

    def region(self, size: tuple[int, int]) -> Box:
        """Return the hole, or the rectangle around it."""
        if self.missing is not None:
            rows, columns = self._missing(size).nonzero().unbind(1)
            return (int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1)
        side = min(size) // 3
        top, left = (size[0] - side) // 2, (size[1] - side) // 2
        return (top, size[0] - top, left, size[1] - left)

    def _missing(self, size: tuple[int, int]) -> Tensor:
        """Return what is missing of an image of another size: every pixel that a missing one touches."""
        assert self.missing is not None
        return F.adaptive_max_pool2d(self.missing[None].float(), size)[0] > 0

    def _mask(self, image: Tensor) -> Tensor:
        if self.missing is not None:
            known = ~self._missing((image.shape[2], image.shape[3]))
            return known.to(image)[None, None]
        top, bottom, left, right = self.region((image.shape[2], image.shape[3]))
        mask = image.new_ones(1, 1, *image.shape[2:])
        mask[:, :, top:bottom, left:right] = 0
        return mask


@DEGRADATIONS.register_module("hybrid")
class Hybrid(Degradation):
    """The image is small, grey and has a hole.

    Args:
        factor: how many times smaller.
    """

    def __init__(self, factor: float = 2) -> None:
        self.small, self.grey, self.hole = SuperResolution(factor), Colorization(), Inpainting()

    def target(self, original: Tensor) -> Tensor:
        """Return the images shrunk, in grey, with a hole."""
        return self.hole.degrade(self.grey.degrade(self.small.target(original)))

    def degrade(self, image: Tensor) -> Tensor:
        """Return the images shrunk, in grey, with a hole."""
        return self.hole.degrade(self.grey.degrade(self.small.degrade(image)))

    def place(self, degraded: Tensor, size: tuple[int, int]) -> Tensor:
        """Return small images enlarged to ``size``."""
        return self.small.place(degraded, size)


@DEGRADATIONS.register_module("denoise")
class Denoising(Degradation):
    """Noise was added to the image; what the generator makes is compared without any.

    Few iterations keep the generator from making the noise too.

    Args:
        deviation: standard deviation of the noise, for images in [-1, 1].
        seed: of the noise.

    Raises:
        ValueError: a negative ``deviation``.
    """

    def __init__(self, deviation: float = 0.2, seed: int = 0) -> None:
        if deviation < 0:
            raise ValueError(f"denoise: deviation must not be negative, got {deviation}")
        self.deviation, self.seed = deviation, seed

    def target(self, original: Tensor) -> Tensor:
        """Return the images with Gaussian noise, clipped."""
        noise = torch.randn(original.shape, generator=make_generator(self.seed, "noise of an image"))
        return (original + self.deviation * noise.to(original)).clamp(-1, 1)
