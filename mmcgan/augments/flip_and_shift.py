"""The transformation of consistency regularisation: mirror and shift."""

from __future__ import annotations

import torch
from torch import Tensor

from mmcgan.augments.base import Augment, Draws
from mmcgan.augments.pixels import positions, reflect, take_pixels
from mmcgan.registry import AUGMENTS


@AUGMENTS.register_module()
class FlipAndShift(Augment):
    """Mirrors an image left to right and shifts it by whole pixels, filling in by reflection.

    The augmentation of CR-GAN (Zhang et al. 2020, Sec. 2.2) and ICR-GAN. Shifts are uniform
    integers in [-size * shift, size * shift] along each axis, rounded towards 0.

    Args:
        flip: probability of mirroring, in [0, 1].
        shift: largest shift as a share of the height and of the width, in [0, 1).
        same_draw: see :class:`Augment`.

    Raises:
        ValueError: ``flip`` or ``shift`` is out of range.
    """

    def __init__(self, flip: float = 0.5, shift: float = 0.125, same_draw: bool = False) -> None:
        super().__init__(same_draw)
        if not 0 <= flip <= 1:
            raise ValueError(f"FlipAndShift: flip must lie in [0, 1], got {flip}")
        if not 0 <= shift < 1:
            raise ValueError(f"FlipAndShift: shift must lie in [0, 1), got {shift}")
        self.flip, self.shift = flip, shift

    def transform(self, image: Tensor, draws: Draws) -> Tensor:
        """Return the mirrored and shifted images; a positive shift moves them up and left."""
        height, width = image.shape[-2:]
        mirrored = draws.chosen("flip", self.flip)[:, None]
        rows = self._shifted(draws, "shift_rows", height, image)
        columns = self._shifted(draws, "shift_columns", width, image)
        columns = torch.where(mirrored, width - 1 - columns, columns)
        return take_pixels(image, rows, columns)

    def _shifted(self, draws: Draws, name: str, size: int, image: Tensor) -> Tensor:
        reach = int(size * self.shift)
        shift = draws.integer(name, -reach, reach)[:, None]
        return reflect(positions(size, image) + shift, size)
