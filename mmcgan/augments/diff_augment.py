"""Differentiable augmentation: colour, translation and cutout, always applied."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from mmcgan.augments.base import Augment, Draws
from mmcgan.augments.choice import expand_names
from mmcgan.augments.pixels import per_image, positions, take_pixels
from mmcgan.registry import AUGMENTS

POLICIES: dict[str, tuple[str, ...]] = {
    "colour": ("brightness", "saturation", "contrast"),
    "translation": ("translation",),
    "cutout": ("cutout",),
}


@AUGMENTS.register_module()
class DiffAugment(Augment):
    """DiffAugment (Zhao et al. 2020, Sec. 3): every image is changed, each by its own random numbers.

    Brightness adds a number in [-0.5, 0.5); saturation multiplies the distance to the mean over
    channels by a factor in [0, 2); contrast multiplies the distance to the image's mean by a
    factor in [0.5, 1.5). Translation moves by whole pixels and fills in with 0. Cutout sets a
    square to 0, which may stick out of the image.

    Args:
        policy: names among "colour" (brightness, saturation, contrast), "translation" and "cutout",
            or single ones of the three colours; applied in the order given.
        translation: largest shift as a share of the height and of the width, in [0, 1].
        cutout: height and width of the hole as a share of the image's, in [0, 1].
        same_draw: see :class:`Augment`.

    Raises:
        ValueError: an unknown name, or a share out of range.
    """

    def __init__(
        self,
        policy: Sequence[str] = ("colour", "translation", "cutout"),
        translation: float = 0.125,
        cutout: float = 0.5,
        same_draw: bool = False,
    ) -> None:
        super().__init__(same_draw)
        for name, share in (("translation", translation), ("cutout", cutout)):
            if not 0 <= share <= 1:
                raise ValueError(f"DiffAugment: {name} must lie in [0, 1], got {share}")
        self.policy = expand_names("DiffAugment: policy", policy, POLICIES)
        self.min_size = 4 if {"translation", "cutout"} & set(self.policy) else 1
        self.translation, self.cutout = translation, cutout

    def transform(self, image: Tensor, draws: Draws) -> Tensor:
        """Return the images after every change of the policy."""
        for name in self.policy:
            image = getattr(self, f"_{name}")(image, draws)
        return image

    def _brightness(self, image: Tensor, draws: Draws) -> Tensor:
        return image + per_image(draws.uniform("brightness") - 0.5)

    def _saturation(self, image: Tensor, draws: Draws) -> Tensor:
        grey = image.mean(1, keepdim=True)
        return grey + (image - grey) * per_image(2 * draws.uniform("saturation"))

    def _contrast(self, image: Tensor, draws: Draws) -> Tensor:
        level = image.mean((1, 2, 3), keepdim=True)
        return level + (image - level) * per_image(draws.uniform("contrast") + 0.5)

    def _translation(self, image: Tensor, draws: Draws) -> Tensor:
        """Move the images; a positive draw moves them up or left."""
        rows, columns = (
            positions(size, image) + self._shift(draws, name, size)
            for name, size in zip(("shift_rows", "shift_columns"), image.shape[-2:], strict=True)
        )
        height, width = image.shape[-2:]
        inside = _within(rows, 0, height)[:, :, None] & _within(columns, 0, width)[:, None, :]
        moved = take_pixels(image, rows.clamp(0, height - 1), columns.clamp(0, width - 1))
        return moved * inside[:, None]

    def _shift(self, draws: Draws, name: str, size: int) -> Tensor:
        reach = int(size * self.translation + 0.5)
        return draws.integer(name, -reach, reach)[:, None]

    def _cutout(self, image: Tensor, draws: Draws) -> Tensor:
        holes = []
        for name, size in zip(("hole_row", "hole_column"), image.shape[-2:], strict=True):
            length = int(size * self.cutout + 0.5)
            # a hole of even length has one more place than one of odd length
            start = draws.integer(name, 0, size - length % 2)[:, None] - length // 2
            holes.append(_within(positions(size, image), start, start + length))
        hole = holes[0][:, :, None] & holes[1][:, None, :]
        return image * ~hole[:, None]


def _within(place: Tensor, start: Tensor | int, end: Tensor | int) -> Tensor:
    return (place >= start) & (place < end)
