"""Resizing and cropping of an image with its maps of ids, as SPADE prepares its training data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from mmcgan.datasets.base import check_choice
from mmcgan.random import make_generator
from mmcgan.structures import height_and_width

MODES = ("fixed", "resize_and_crop", "scale_width_and_crop", "scale_shortside_and_crop", "crop")


@dataclass(frozen=True)
class MapTransform:
    """Brings an image and its maps to one size: images by Pillow's bicubic filter, ids by its nearest.

    Attributes:
        image_size: side, or (height, width), of the result.
        mode: ``fixed`` resizes to that; the others crop it from the image resized to a square of
            ``load_size`` (``resize_and_crop``), to a width or a shorter side of it, or not at all.
        load_size: of the image before it is cropped.

    Raises:
        ValueError: an unknown mode, or a size missing or too small to be cropped.
    """

    image_size: int | Sequence[int]
    mode: str = "fixed"
    load_size: int | None = None

    def __post_init__(self) -> None:
        check_choice(self.mode, MODES, "mode", "MapTransform")
        height, width = height_and_width(self.image_size)
        if self.mode in ("fixed", "crop"):
            return
        least = width if self.mode == "scale_width_and_crop" else max(height, width)
        if self.load_size is None or self.load_size < least:
            raise ValueError(
                f"MapTransform: mode={self.mode!r} crops {height} x {width} pixels: load_size must be at "
                f"least {least}, got {self.load_size}"
            )

    def loaded_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return (height, width) before cropping, of an image of ``size`` (height, width)."""
        if self.mode == "fixed":
            return height_and_width(self.image_size)
        target, (height, width) = self.load_size or 0, size
        if self.mode == "resize_and_crop":
            return target, target
        if self.mode == "scale_width_and_crop":
            return int(target * height / width), target
        if self.mode == "scale_shortside_and_crop":
            return int(target * height / min(size)), int(target * width / min(size))
        return size

    def draw(self, size: tuple[int, int], seed: int, position: int) -> tuple[int, int]:
        """Return (top, left) of a crop of an image of ``size``, a function of (seed, position)."""
        loaded, kept = self.loaded_size(size), height_and_width(self.image_size)
        generator = make_generator(seed, "map crop", position)
        room = [max(0, whole - part) + 1 for whole, part in zip(loaded, kept, strict=True)]
        top, left = (int(torch.randint(number, (1,), generator=generator)) for number in room)
        return top, left

    def image(self, array: np.ndarray, corner: tuple[int, int] = (0, 0)) -> np.ndarray:
        """Return uint8 (height, width, 3) of an image (H, W, 3), cropped at ``corner`` (top, left)."""
        return self._apply(array, corner, Image.Resampling.BICUBIC)

    def ids(self, array: np.ndarray, corner: tuple[int, int] = (0, 0)) -> np.ndarray:
        """Return int64 (height, width) of a map of whole numbers (H, W), cropped like the image."""
        wide = array.astype(np.int32)
        return self._apply(wide, corner, Image.Resampling.NEAREST).astype(np.int64)

    def _apply(self, array: np.ndarray, corner: tuple[int, int], method: Image.Resampling) -> np.ndarray:
        height, width = self.loaded_size((array.shape[0], array.shape[1]))
        picture = Image.fromarray(array)
        if picture.size != (width, height):
            picture = picture.resize((width, height), method)
        rows, columns = height_and_width(self.image_size)
        top, left = corner
        return np.array(picture)[top : top + rows, left : left + columns]
