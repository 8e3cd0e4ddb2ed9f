"""Digits in two domains, plain and on coloured textures: multi-label data without any download."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.attributes import AttributeGroups, attribute_facts
from mmcgan.datasets.attributes.base import AttributeImages, kept_rows
from mmcgan.datasets.base import MemoryDataset
from mmcgan.datasets.given import Given
from mmcgan.datasets.sets.digits import DigitsDataset
from mmcgan.random import make_generator
from mmcgan.registry import DATASETS

DIGITS = [str(digit) for digit in range(10)]
DOMAINS = ["plain", "textured"]
GROUPS = AttributeGroups.from_config({"digit": DIGITS, "domain": DOMAINS})
CELLS = 4  # cells of smooth noise along a side
# of a background: two colours, the stroke's colour, which is lighter, stripes, noise
DRAWS = (3, 3, 3, 1, 3, CELLS * CELLS)


@cache
def _draws(rows: tuple[int, ...], seed: int) -> Tensor:
    """Return uniform numbers of every image, (N, sum(DRAWS)); a function of its row and the seed."""
    sources = (make_generator(seed, "textured digit", row) for row in rows)
    return torch.stack([torch.rand(sum(DRAWS), generator=source) for source in sources])


def _texture(stripes: Tensor, noise: Tensor, image_size: int) -> Tensor:
    """Return stripes plus smooth noise, (N, 1, H, W) in [0, 1]."""
    angle, frequency, phase = (column.view(-1, 1, 1, 1) for column in stripes.unbind(1))
    place = (torch.arange(image_size) + 0.5) / image_size
    along = (
        place.view(1, 1, 1, -1) * (math.pi * angle).cos() + place.view(1, 1, -1, 1) * (math.pi * angle).sin()
    )
    waves = 0.5 + 0.5 * (2 * math.pi * ((1 + 2 * frequency) * along + phase)).sin()
    cells = noise.view(-1, 1, CELLS, CELLS)
    smooth = F.interpolate(cells, (image_size, image_size), mode="bilinear", align_corners=True)
    return 0.5 * waves + 0.5 * smooth


def render_textured(strokes: Tensor, draws: Tensor) -> Tensor:
    """Return digits on coloured textures, uint8 (N, 3, H, W).

    Background and strokes differ by at least 0.2 of the range in every colour channel; in half of the
    images the strokes are the darker ones.

    Args:
        strokes: gray digits, uint8 (N, 1, H, W), white on black.
        draws: uniform numbers (N, sum(DRAWS)).
    """
    first, second, stroke, swap, stripes, noise = draws.split(DRAWS, dim=1)
    texture = _texture(stripes, noise, strokes.shape[-1])
    colours = [0.4 * colour[:, :, None, None] for colour in (first, second)]
    background = colours[0] * (1 - texture) + colours[1] * texture
    foreground = 0.6 + 0.4 * stroke[:, :, None, None]
    alpha = strokes.float() / 255
    image = background * (1 - alpha) + foreground * alpha
    image = torch.where(swap[:, :, None, None] < 0.5, image, 1 - image)
    return (image * 255).round().to(torch.uint8)


@DATASETS.register_module()
class TwoDomainDigits(AttributeImages, MemoryDataset):
    """scikit-learn's digits twice: as they are, and on coloured textured backgrounds.

    Attribute groups ``digit`` (0..9) and ``domain`` (plain, textured). First all plain images, then the
    textured ones, whose texture is a function of (seed, number of the digit). The split is that of
    :class:`~mmcgan.datasets.sets.digits.DigitsDataset`.

    Args:
        split: ``train``, ``test`` or ``all``.
        image_size: height and width.
        leave_out: combinations whose images are left out, such as ``[dict(digit="3", domain="textured")]``.
        seed: of the textures.
        pipeline: mmcv transforms.

    Raises:
        ValueError: an unknown split, a bad size, or an unknown combination.
    """

    disk_arguments = ()

    def __init__(
        self,
        split: str = "train",
        image_size: int = 16,
        leave_out: Sequence[Mapping[str, Any]] = (),
        seed: int = 0,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        digits = DigitsDataset(split, image_size)
        attributes = _attributes(_labels(split))
        kept = kept_rows(GROUPS, attributes, leave_out, "TwoDomainDigits")
        textured = render_textured(digits.images, _draws(tuple(range(len(digits))), _split_seed(seed, split)))
        images = torch.cat([digits.images.expand(-1, 3, -1, -1), textured])
        super().__init__(images[kept], None, None, pipeline)
        self.set_attributes(GROUPS, attributes[kept])
        self.split = split

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the image size, the attribute groups and the images of every combination."""
        DigitsDataset.facts(given.split, given.image_size)  # checks the options
        attributes = _attributes(_labels(given.split))
        kept = kept_rows(GROUPS, attributes, given.leave_out, "TwoDomainDigits")
        return attribute_facts(GROUPS, attributes[kept], given.image_size)


def _split_seed(seed: int, split: str) -> int:
    """Return another seed for every split, so that test textures are not those of training."""
    return seed * 3 + ("train", "test", "all").index(split)


def _labels(split: str) -> Tensor:
    labels = DigitsDataset(split, 8).labels
    assert labels is not None
    return labels


def _attributes(labels: Tensor) -> Tensor:
    """Return the attributes of plain and textured images with these digits, uint8 (2N, 12)."""
    digit = F.one_hot(labels, len(DIGITS)).repeat(len(DOMAINS), 1)
    domain = F.one_hot(torch.arange(len(DOMAINS)), len(DOMAINS)).repeat_interleave(len(labels), 0)
    return torch.cat([digit, domain], dim=1).to(torch.uint8)
