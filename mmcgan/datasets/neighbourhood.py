"""Pairs for instance-conditioned training: an image and the feature of an instance near it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from mmcgan.datasets.base import GANDataset, check_choice
from mmcgan.datasets.given import Given
from mmcgan.datasets.order import Draw, drawn
from mmcgan.instances.store import open_store, store_facts
from mmcgan.instances.store_metadata import StoreError
from mmcgan.random import make_generator
from mmcgan.registry import DATASETS

ORDERS = ("instance", "image")
INSTANCES = ("all", "kmeans")
SYNTHETIC_SIZE = 64


@DATASETS.register_module()
class NeighbourhoodDataset(GANDataset):
    """Real pairs of IC-GAN (Casanova et al. 2021, eq. 2): an image x of the neighbourhood of an instance h.

    ``order="instance"``: index i is the instance, x uniform among its k nearest other images.
    ``order="image"``: index i is the image, h uniform among *its* k nearest; with a data sampler that
    balances classes this is y -> x -> h. Either way the label is that of the image. The draw of an item is
    seeded by (seed, position) of the :class:`~mmcgan.datasets.order.Draw`, so that neither workers nor
    resuming change it.

    Args:
        dataset: config of the images, the set that the store was made of.
        store: folder made by ``mmcgan prepare-instances``, or a dict of
            :class:`~mmcgan.instances.store.SyntheticStore`.
        k: neighbours used, the nearest of those stored; None takes all.
        order: ``instance`` or ``image``.
        flip: use the mirrored instance's feature half of the time (B.2); the store must have them.
        include_self: an image is in its own neighbourhood too (the peer leaves it out).
        instances: ``all``, or ``kmeans``: only the selected instances are conditioned on (Table 13), and
            their number is the length of the data set.
        check_images: refuse a store of other images; False only compares their number.

    Raises:
        FileNotFoundError: there is no store.
        StoreError: the store was made of other images, has too few neighbours or no mirrored features.
        ValueError: an unknown order.
    """

    disk_arguments = ("store",)

    def __init__(
        self,
        dataset: dict[str, Any],
        store: str | dict[str, Any],
        k: int | None = None,
        order: str = "instance",
        flip: bool = False,
        include_self: bool = False,
        instances: str = "all",
        check_images: bool = True,
    ) -> None:
        check_choice(order, ORDERS, "order", "NeighbourhoodDataset")
        check_choice(instances, INSTANCES, "instances", "NeighbourhoodDataset")
        if instances != "all" and order != "instance":
            raise ValueError("NeighbourhoodDataset: instances='kmeans' needs order='instance'")
        self.store = open_store(store)
        self.k = self.store.require_k(k)
        if flip and not self.store.flipped:
            raise StoreError(
                f"flip=True: {self.store.root} has no mirrored features. {self.store.rebuild_hint('--flip')}"
            )
        self.images = DATASETS.build(dict(dataset))
        if check_images:
            self.store.require_dataset(self.images)
        elif len(self.images) != self.store.size:
            raise StoreError(
                f"{self.store.root} has {self.store.size} instances, the data set {len(self.images)} images"
            )
        self.labels = self.images.labels
        self.order = order
        self.flip = flip
        self.include_self = include_self
        self.instances = self.store.selected() if instances == "kmeans" else None

    @property
    def metainfo(self) -> dict[str, Any]:
        """That of the images, with ``instance_dim``, ``neighbours``, ``extractor`` and all about it."""
        described = self.store.metadata["extractor"]["describe"]
        own = dict(
            instance_dim=self.store.dim,
            neighbours=self.k,
            extractor=described["name"],
            instance_extractor=described,
        )
        return {**self.images.metainfo, **own}

    def __len__(self) -> int:
        return len(self.images) if self.instances is None else len(self.instances)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return ``image`` uint8 (3, H, W), ``instance`` float32 (F,) and, when labelled, ``label``."""
        return self.numbered_item(index)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return ``image`` uint8 (N, 3, H, W), ``instance`` float32 (N, F) and, when labelled, ``label``.

        Raises:
            IndexError: an index is outside the data set.
        """
        index, near, flipped = self.draw(indices)
        image, instance = (near, index) if self.order == "instance" else (index, near)
        batch = self.images.__getitems__(_like(indices, image))
        return {**batch, "instance": self.store.features(instance, flipped if self.flip else None)}

    def draw(self, indices: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Return the image numbers, a random neighbour of each, int64 (N,), and whether to mirror, bool (N,).

        Raises:
            IndexError: an index is outside the data set.
        """
        index = torch.tensor([int(i) for i in indices], dtype=torch.int64)
        if ((index < 0) | (index >= len(self))).any():
            raise IndexError(f"NeighbourhoodDataset has {len(self)} items; asked for {index.tolist()}")
        if self.instances is not None:
            index = self.instances[index]
        uniform = torch.stack([_uniform(i) for i in indices])
        table = self.store.neighbours(index)[:, : self.k]
        if self.include_self:
            table = torch.cat([index[:, None], table], dim=1)
        column = (uniform[:, 0] * table.shape[1]).long()
        return index, table.gather(1, column[:, None])[:, 0], uniform[:, 1] < 0.5

    def fingerprint(self) -> str:
        """Return that of the images."""
        return self.images.fingerprint()

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the images' facts with ``instance_dim`` and ``instance_store``."""
        return {**_image_facts(given.dataset), **store_facts(given.store)}

    @classmethod
    def stand_in(cls, config: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return a config of made-up pairs in place of ``config``, whose data or store is not there.

        Args:
            config: the config of this data set.
            facts: ``num_classes``, ``image_size`` and ``size`` (the number of images) of the stand-in where
                the images' own are not known.
        """
        shape = {"size": SYNTHETIC_SIZE, **facts}
        if "image_size" in config["dataset"]:
            shape["image_size"] = config["dataset"]["image_size"]
        with suppress(OSError):  # a named set knows its classes even where its files are absent
            known = _image_facts(config["dataset"])
            shape |= {name: known[name] for name in facts if name in known}
        num_classes = int(shape["num_classes"])
        images = dict(type="SyntheticImages", **shape)
        store = dict(size=shape["size"], num_classes=num_classes, dim=16)
        kept = {key: value for key, value in config.items() if key not in ("dataset", "store", "k")}
        return {**kept, "dataset": images, "store": store}


def _image_facts(dataset: Mapping[str, Any]) -> dict[str, Any]:
    kind: Any = DATASETS.require(dataset["type"])
    return kind.facts(**{key: value for key, value in dataset.items() if key != "type"})


def _uniform(index: int) -> Tensor:
    """Return two uniform numbers that depend on the seed and position of the draw only."""
    draw = drawn(index)
    generator = make_generator(draw.seed, "neighbour", draw.position)
    return torch.rand(2, generator=generator, dtype=torch.float64)


def _like(indices: Sequence[int], chosen: Tensor) -> list[int]:
    """Return ``chosen`` carrying the seeds and positions of ``indices``, for seeded transforms."""
    pairs = zip(chosen.tolist(), indices, strict=True)
    return [Draw(new, old.position, old.seed) if isinstance(old, Draw) else new for new, old in pairs]
