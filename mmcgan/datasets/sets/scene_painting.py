"""How a made-up scene is painted: background, then objects from back to front, each with its exact mask."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from mmcgan.datasets.sets.scene_layout import BACKGROUND_CELLS, Layout
from mmcgan.random import make_generator

PERIOD = 4  # pixels after which a class's pattern repeats
DARK_STRIPE = 0.62  # brightness of the dark half of a pattern
HUE_SPREAD = 0.03  # of the colour circle, within a class
GRAIN = 96  # side of the noise that backgrounds are cut from, repeated


@dataclass(frozen=True)
class Look:
    """How objects of a source set are cut out.

    Attributes:
        threshold: gray level in [0, 1] from which a pixel belongs to the object.
        close: fill gaps of two pixels or less in the mask (dark folds of a garment).
        mirror: classes do not change when mirrored.
        floor: brightness of the darkest pixel of an object.
    """

    threshold: float
    close: bool
    mirror: bool
    floor: float


class Painter:
    """Paints layouts.

    Args:
        images: gray source images, uint8 (M, 1, S, S).
        num_classes: classes of objects.
        look: how objects are cut out.
        size: height and width of a scene.
    """

    def __init__(self, images: Tensor, num_classes: int, look: Look, size: tuple[int, int]) -> None:
        self.images = images
        self.look = look
        self.height, self.width = size
        self.num_classes = num_classes
        self.patterns = class_patterns(num_classes)
        grain = torch.rand(GRAIN, GRAIN, generator=make_generator("scene grain"))
        self.grain = (grain - 0.5) * 0.08

    def __call__(self, layout: Layout) -> tuple[Tensor, Tensor]:
        """Return images uint8 (N, 3, H, W) and instance maps int64 (N, H, W), 0 is background, k object k."""
        gray, owner = self._stack(layout)
        label = with_background(layout.label, 0).gather(1, owner.flatten(1)).view_as(owner)
        shade = self.look.floor + (1 - self.look.floor) * gray
        shade = shade * self._tiled_patterns().flatten()[label * gray[0].numel() + self._places()]
        own = class_colours(layout.label, layout.tint, self.num_classes)
        colours = torch.cat([own.new_zeros(len(own), 1, 3), own], dim=1)  # the background's is not used
        chosen = owner.flatten(1)[..., None].expand(-1, -1, 3)
        objects = colours.gather(1, chosen).view(*owner.shape, 3).permute(0, 3, 1, 2) * shade[:, None]
        image = torch.where((owner > 0)[:, None], objects, self._backgrounds(layout.background))
        return (image * 255).round().clamp(0, 255).to(torch.uint8).contiguous(), owner

    def _stack(self, layout: Layout) -> tuple[Tensor, Tensor]:
        """Return gray levels float32 (N, H, W) of the topmost objects, and their owners, int64 (N, H, W)."""
        count, places = layout.label.shape
        window = int(layout.side.max())
        height, width = self.height + window, self.width + window  # room for a window at the border
        gray = torch.zeros(count, height * width)
        owner = torch.zeros(count, height * width, dtype=torch.int64)
        across = torch.arange(window)
        for k in range(places):
            level = self._objects(layout, k, window).flatten(1)
            y = layout.top[:, k, None, None] + across[None, :, None]
            x = layout.left[:, k, None, None] + across[None, None, :]
            place = (y * width + x).flatten(1)
            mask = level > self.look.threshold
            gray.scatter_(1, place, torch.where(mask, level, gray.gather(1, place)))
            owner.scatter_(1, place, torch.where(mask, k + 1, owner.gather(1, place)))
        cut = (slice(None), slice(self.height), slice(self.width))
        shape = (count, height, width)
        return gray.view(shape)[cut].contiguous(), owner.view(shape)[cut].contiguous()

    def _tiled_patterns(self) -> Tensor:
        """Return the pattern of every class, float32 (C, H, W)."""
        repeat = [math.ceil(side / PERIOD) for side in (self.height, self.width)]
        return self.patterns.repeat(1, *repeat)[:, : self.height, : self.width]

    def _places(self) -> Tensor:
        return torch.arange(self.height * self.width).view(self.height, self.width)

    def _backgrounds(self, numbers: Tensor) -> Tensor:
        """Return muted colours that change smoothly, with grain, float32 (N, 3, H, W)."""
        cells = BACKGROUND_CELLS
        base, varied, shift = numbers.split([3, 3 * cells**2, 2], dim=1)
        level = 0.2 + 0.35 * base[:, :1]
        colours = level + 0.12 * (base - 0.5)
        colours = colours[:, :, None, None] + 0.2 * (varied.view(-1, 3, cells, cells) - 0.5)
        smooth = interpolate(colours, (self.height, self.width), mode="bilinear", align_corners=True)
        start = (shift * GRAIN).long()
        y = (start[:, :1] + torch.arange(self.height)) % GRAIN
        x = (start[:, 1:] + torch.arange(self.width)) % GRAIN
        return smooth + self.grain[y[:, :, None], x[:, None, :]][:, None]

    def _objects(self, layout: Layout, k: int, window: int) -> Tensor:
        """Return gray levels float32 (N, window, window) of object ``k``; 0 where it is not."""
        gray = torch.zeros(len(layout.label), window, window)
        for side in layout.side[:, k].unique().tolist():
            chosen = (layout.present[:, k] & (layout.side[:, k] == side)).nonzero().flatten()
            if len(chosen):
                level = self._resized(layout.row[chosen, k], side)
                if self.look.mirror:
                    level = torch.where(layout.mirrored[chosen, k, None, None], level.flip(2), level)
                gray[chosen, :side, :side] = level
        return gray

    def _resized(self, row: Tensor, side: int) -> Tensor:
        """Return source images as gray levels (M, side, side) in [0, 1]."""
        gray = self.images[row]
        if self.look.close:
            gray = torch.where(gray > 255 * self.look.threshold, gray, close_gaps(gray))
        gray = gray.float() / 255
        if gray.shape[-1] != side:
            gray = interpolate(gray, (side, side), mode="bicubic", align_corners=False, antialias=True)
        return gray[:, 0].clamp(0, 1)


def close_gaps(gray: Tensor) -> Tensor:
    """Return images (N, 1, H, W) without dark gaps of one or two pixels: largest, then least of 3 x 3."""
    for choose, border in ((torch.maximum, 0), (torch.minimum, 255)):
        for before in ((1, 1, 0, 0), (0, 0, 1, 1)):
            wide = pad(gray, before, value=border)
            axis = 3 if before[0] else 2
            size = gray.shape[axis]
            parts = [wide.narrow(axis, shift, size) for shift in range(3)]
            gray = choose(choose(parts[0], parts[1]), parts[2])
    return gray


def with_background(label: Tensor, value: int) -> Tensor:
    """Return labels (N, K) with ``value`` for the background in front, (N, K + 1)."""
    return torch.cat([label.new_full((len(label), 1), value), label], dim=1)


def class_patterns(num_classes: int) -> Tensor:
    """Return a brightness pattern per class, float32 (C, P, P): plain, stripes of three kinds, checks."""
    y, x = torch.meshgrid(torch.arange(PERIOD), torch.arange(PERIOD), indexing="ij")
    half = PERIOD // 2
    dark = [torch.zeros_like(y, dtype=torch.bool), y % PERIOD >= half, x % PERIOD >= half]
    dark += [(x + y) % PERIOD >= half, (y // half + x // half) % 2 == 1]
    chosen = torch.stack(dark)[torch.arange(num_classes) % len(dark)]
    return torch.where(chosen, DARK_STRIPE, 1.0)


def class_colours(label: Tensor, tint: Tensor, num_classes: int) -> Tensor:
    """Return saturated colours (..., 3) in [0, 1], the hue by class and a little by ``tint`` (..., 2)."""
    hue = label / num_classes + HUE_SPREAD * (2 * tint[..., 0] - 1)
    value = 0.8 + 0.2 * tint[..., 1]
    # every channel is high within a third of the circle around its own hue
    distance = ((hue[..., None] - torch.tensor([0.0, 1 / 3, 2 / 3]) + 0.5) % 1 - 0.5).abs()
    return value[..., None] * (0.15 + 0.85 * (2 - 6 * distance).clamp(0, 1))
