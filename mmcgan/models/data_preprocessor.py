"""From a collated batch of uint8 images to what the model consumes."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Generator, Tensor

from mmcgan.condition_fields import condition_of, mirrored
from mmcgan.distributed import draw_shared
from mmcgan.image_shapes import ImageShapes
from mmcgan.registry import MODELS
from mmcgan.structures import Condition, GANBatch


@MODELS.register_module()
class GANDataPreprocessor(BaseDataPreprocessor):
    """Move to the model's device, flip at random, scale [0, 255] to [-1, 1].

    Args:
        flip_probability: chance of a horizontal flip per image, in training only.
        channels_last: lay the images out as NHWC in memory.

    Raises:
        ValueError: ``flip_probability`` is outside [0, 1].
    """

    image_shapes = ImageShapes()

    def __init__(self, flip_probability: float = 0.0, channels_last: bool = False) -> None:
        super().__init__(non_blocking=True)
        if not 0 <= flip_probability <= 1:
            raise ValueError(f"flip_probability must be in [0, 1], got {flip_probability}")
        self.flip_probability = flip_probability
        self.channels_last = channels_last

    def forward(
        self, data: dict[str, Any], training: bool = False, generator: Generator | None = None
    ) -> GANBatch:
        """Make a :class:`GANBatch` of a collated ``data`` dict.

        Args:
            data: ``image`` uint8 (N, 3, H, W) and the fields of :class:`Condition` that exist.
            training: whether to flip.
            generator: source of the flips, on any device; equal on every rank.

        Raises:
            ValueError: no ``image``, an image of another type or shape, or flips without a generator.
        """
        image = self._checked(data.get("image") if isinstance(data, dict) else None)
        image = image.to(self.device, non_blocking=True)
        condition = self.condition(data)
        if training and self.flip_probability > 0:
            flipped = self._draw_flips(len(image), generator)
            image, condition = _mirror(image, flipped), mirrored(condition, flipped)
        image = image.float().div_(127.5).sub_(1.0)
        if self.channels_last:
            image = image.contiguous(memory_format=torch.channels_last)
        return GANBatch(image, condition)

    def condition(self, data: dict[str, Any]) -> Condition:
        """Return the :class:`Condition` in ``data`` on the model's device; other keys are ignored."""
        return condition_of(data).to(self.device)

    @staticmethod
    def _checked(image: Any) -> Tensor:
        if not isinstance(image, Tensor):
            raise ValueError(
                f"expected a collated batch with a tensor under 'image', got {type(image).__name__}; "
                "set collate_fn=dict(type='gan_collate') in the dataloader"
            )
        if image.dtype != torch.uint8 or image.ndim != 4 or image.shape[1] != 3:
            raise ValueError(
                f"images must be uint8 (N, 3, H, W), got {image.dtype} {tuple(image.shape)}; "
                "the data preprocessor does the scaling"
            )
        return image

    def _draw_flips(self, size: int, generator: Generator | None) -> Tensor:
        if generator is None:
            raise ValueError("flip_probability > 0 needs a torch.Generator: draws are never global")
        draw = draw_shared(lambda n: torch.rand(n, generator=generator, device=generator.device), size)
        return draw.to(self.device, non_blocking=True) < self.flip_probability


def _mirror(value: Tensor, flipped: Tensor) -> Tensor:
    """Return ``value`` (N, ..., W) with the rows of the batch that ``flipped`` (N,) marks mirrored."""
    return torch.where(flipped.view(-1, *[1] * (value.dim() - 1)), value.flip(-1), value)
