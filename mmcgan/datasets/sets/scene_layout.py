"""Where the objects of a made-up scene lie, and what they are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmcgan.random import make_generator

TRIES = 24  # places that are looked at for one object
MAX_OVERLAP = 0.25  # of the smaller of two boxes
BACKGROUND_CELLS = 3  # random colours of a background along each side
# class, image of the class, side, mirror, hue, brightness
FACTS = 6


@dataclass(frozen=True)
class Layout:
    """N scenes with room for K objects each; objects come from back to front.

    Attributes:
        present: whether the place is taken, bool (N, K).
        label: class of the object without the background, int64 (N, K).
        row: image of the source set, int64 (N, K).
        top, left, side: box in pixels, int64 (N, K).
        mirrored: bool (N, K).
        tint: two values in [0, 1) that vary the look, float32 (N, K, 2).
        background: values in [0, 1) of the background's colours and grain, float32 (N, B).
    """

    present: Tensor
    label: Tensor
    row: Tensor
    top: Tensor
    left: Tensor
    side: Tensor
    mirrored: Tensor
    tint: Tensor
    background: Tensor


@dataclass(frozen=True)
class LayoutRule:
    """What layouts are drawn from.

    Attributes:
        height, width: of a scene.
        objects: least and largest number that is tried; an object that would hide too much is left out.
        sides: possible sides of an object, in pixels.
        order: rows of the source set, sorted by class, int64 (M,).
        starts: where each class begins in ``order``, int64 (C + 1,).
        stream: what the random numbers depend on beside the index.
    """

    height: int
    width: int
    objects: tuple[int, int]
    sides: tuple[int, ...]
    order: Tensor
    starts: Tensor
    stream: tuple[int | str, ...]

    def draw(self, index: list[int]) -> Layout:
        """Return the layouts of scenes ``index``; each depends on its own index alone."""
        places = self.objects[1]
        extra = 3 * (BACKGROUND_CELLS**2 + 1) + 2
        count = 1 + places * (FACTS + 2 * TRIES) + extra
        numbers = torch.stack(
            [torch.rand(count, generator=make_generator(*self.stream, i), dtype=torch.float64) for i in index]
        )
        many, facts, tries, background = numbers.split([1, places * FACTS, places * 2 * TRIES, extra], dim=1)
        facts = facts.view(-1, places, FACTS)
        label = _pick(facts[..., 0], len(self.starts) - 1)
        counts = self.starts.diff()[label]
        row = self.order[self.starts[label] + (facts[..., 1] * counts).long()]
        side = torch.tensor(self.sides)[_pick(facts[..., 2], len(self.sides))]
        low, high = self.objects
        wanted = torch.arange(places) < low + _pick(many, high - low + 1)
        present, top, left = self._place(tries.view(-1, places, TRIES, 2), side, wanted)
        mirrored, tint = facts[..., 3] < 0.5, facts[..., 4:].float()
        return Layout(present, label, row, top, left, side, mirrored, tint, background.float())

    def _place(self, tries: Tensor, side: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return which objects find a place, and where: the first that hides little, or the best of all."""
        room = torch.tensor([self.height, self.width]) - side[..., None] + 1  # (N, K, 2)
        corners = (tries * room[:, :, None]).long()
        places: list[Tensor] = []
        taken: list[Tensor] = []
        for k in range(side.shape[1]):
            overlap = torch.zeros(tries.shape[0], TRIES, dtype=torch.float64)
            for before in range(k):
                shared = _overlap(corners[:, k], side[:, k], places[before], side[:, before])
                overlap = overlap.maximum(shared * taken[before][:, None])
            fits = overlap <= MAX_OVERLAP
            best = fits.double().argmax(dim=1)  # the first that fits
            places.append(corners[torch.arange(len(best)), k, best])
            taken.append(wanted[:, k] & fits.any(dim=1))
        corner = torch.stack(places, dim=1)
        return torch.stack(taken, dim=1), corner[..., 0], corner[..., 1]


def _pick(uniform: Tensor, count: int) -> Tensor:
    """Return whole numbers in 0..count-1 from values in [0, 1)."""
    return (uniform * count).long()


def _overlap(corners: Tensor, side: Tensor, other: Tensor, other_side: Tensor) -> Tensor:
    """Return the area that boxes (N, T, 2) share with another (N, 2), as a part of the smaller one."""
    end = torch.minimum(corners + side[:, None, None], (other + other_side[:, None])[:, None])
    shared = (end - torch.maximum(corners, other[:, None])).clamp(min=0).prod(dim=2)
    return shared.double() / torch.minimum(side, other_side)[:, None] ** 2
