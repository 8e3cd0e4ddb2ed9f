"""Scenes with a label for every pixel, put together from real images on the spot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmcgan.checkpoints.hashing import text_hash
from mmcgan.datasets.base import check_choice
from mmcgan.datasets.given import Given
from mmcgan.datasets.label_maps.base import ImageSize, LabelMapDataset, map_facts
from mmcgan.datasets.sets.digits import DigitsDataset
from mmcgan.datasets.sets.fashion_mnist import CLASSES, FashionMNIST
from mmcgan.datasets.sets.scene_layout import LayoutRule
from mmcgan.datasets.sets.scene_painting import Look, Painter, with_background
from mmcgan.label_maps import instance_edges
from mmcgan.registry import DATASETS

BACKGROUND = "background"
SIZES = {"train": 20_000, "test": 1_000}
LOOKS = {
    "digits": Look(threshold=0.35, close=False, mirror=False, floor=0.3),
    "fashion-mnist": Look(threshold=0.08, close=True, mirror=True, floor=0.35),
}
CLASS_NAMES = {"digits": tuple("0123456789"), "fashion-mnist": CLASSES}
SMALLEST = 16
# sides of objects, as parts of the geometric mean of height and width
SIDES = (0.3, 0.35, 0.4, 0.45, 0.5)


@DATASETS.register_module()
class Scenes(LabelMapDataset):
    """Several real objects on a soft background, with exact label maps; scene i is a function of (seed, i).

    Objects are images of a real set, cut out where they are brighter than a threshold, resized and given the
    colour and pattern of their class. Scenes of the training split show images of that set's training split
    only. Boxes of two objects share at most a quarter of the smaller one. Label 0 is the background, class c
    of the real set is label c + 1.

    Args:
        source: ``digits`` (comes with scikit-learn) or ``fashion-mnist``.
        split: ``train`` or ``test``.
        image_size: side, or (height, width), in pixels; from 16 on.
        size: number of scenes; 20,000 or 1,000 by default.
        objects: least and largest number of objects that are tried in a scene.
        has_edges: also mark where objects meet each other and the background, in ``edge_map``.
        root: folder of Fashion-MNIST, see :class:`~mmcgan.datasets.sets.fashion_mnist.FashionMNIST`.
        seed: another seed, other scenes.

    Raises:
        FileNotFoundError: no Fashion-MNIST.
        ValueError: an unknown source or split, or a size or number out of range.
    """

    disk_arguments = ("root",)

    def __init__(
        self,
        source: str = "digits",
        split: str = "train",
        image_size: ImageSize = 64,
        size: int | None = None,
        objects: Sequence[int] = (3, 6),
        has_edges: bool = False,
        root: str | None = None,
        seed: int = 0,
    ) -> None:
        height, width = _check_options(source, split, image_size, size, objects)
        names = (BACKGROUND, *CLASS_NAMES[source])
        super().__init__(image_size, names, SIZES[split] if size is None else size, has_edges)
        self.split, self.source = split, source
        self._rule_facts = (source, split, tuple(objects), seed)
        images, labels = _read(source, split, root)
        order = labels.argsort(stable=True)
        counts = torch.bincount(labels, minlength=len(names) - 1)
        starts = torch.cat([torch.zeros(1, dtype=torch.int64), counts.cumsum(0)])
        stream = (seed, "scene", source, split)
        bounds = (int(objects[0]), int(objects[1]))
        self.rule = LayoutRule(height, width, bounds, _sides(height, width), order, starts, stream)
        self.painter = Painter(images, len(counts), LOOKS[source], (height, width))

    def _fetch_pairs(self, indices: Sequence[int]) -> dict[str, Tensor]:
        layout = self.rule.draw([int(index) for index in indices])
        image, owner = self.painter(layout)
        labels = with_background(layout.label + 1, 0)
        batch = {"image": image, "label_map": labels.gather(1, owner.flatten(1)).view_as(owner)}
        return {**batch, "edge_map": instance_edges(owner).byte()} if self.has_edges else batch

    def fingerprint(self) -> str:
        """Return a digest of what decides the scenes, of the pictures in them and of the first scene."""
        rule = f"{self.settings_digest()} {self._rule_facts}"
        return text_hash(rule, self.painter.images, self.__getitems__([0])["image"])

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the number of classes of pixels and the image size; needs no files."""
        _check_options(given.source, given.split, given.image_size, given.size, given.objects)
        return map_facts(given.image_size, (BACKGROUND, *CLASS_NAMES[given.source]), given.has_edges)

    @staticmethod
    def stand_in(dataset: Mapping[str, Any], shape: Mapping[str, Any]) -> dict[str, Any]:
        """Return a config that needs no files, for a tiny run."""
        return {**dataset, "source": "digits", "root": None, "size": 16, "image_size": shape["image_size"]}


def _check_options(
    source: str, split: str, image_size: ImageSize, size: int | None, objects: Sequence[int]
) -> tuple[int, int]:
    """Return height and width."""
    check_choice(source, tuple(LOOKS), "source", "Scenes")
    check_choice(split, tuple(SIZES), "split", "Scenes")
    sides = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(sides) != 2 or not all(isinstance(side, int) and side >= SMALLEST for side in sides):
        raise ValueError(
            f"Scenes: image_size must be a whole number or (height, width), from {SMALLEST} on; "
            f"got {image_size!r}"
        )
    if size is not None and size < 1:
        raise ValueError(f"Scenes: size must be at least 1, got {size}")
    if len(objects) != 2 or not 1 <= objects[0] <= objects[1]:
        raise ValueError(
            f"Scenes: objects must be (least, largest) with 1 <= least <= largest; got {tuple(objects)}"
        )
    return sides


def _sides(height: int, width: int) -> tuple[int, ...]:
    mean = (height * width) ** 0.5
    return tuple(min(max(round(part * mean), 8), height, width) for part in SIDES)


def _read(source: str, split: str, root: str | None) -> tuple[Tensor, Tensor]:
    """Return gray images uint8 (M, 1, S, S) and labels int64 (M,) of a split of the real set."""
    if source == "digits":
        dataset: Any = DigitsDataset(split, image_size=8)
    else:
        dataset = FashionMNIST(root, split, image_size=28)
    return dataset.images, dataset.labels
