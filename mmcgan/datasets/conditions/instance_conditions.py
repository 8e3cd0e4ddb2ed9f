"""What an evaluation asks of an instance-conditioned generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from mmcgan.random import make_generator
from mmcgan.registry import DATASETS, SAMPLERS
from mmcgan.structures import Condition


@DATASETS.register_module()
class InstanceConditionDataset(Dataset):
    """Seeded instances, labels and latents: item i is a function of (seed, i) alone.

    The counterpart of :class:`~mmcgan.datasets.conditions.base.ConditionDataset`. Its sampler may look into
    another store than training does: instances of images, or of classes, that were never trained on.

    Args:
        size: number of images to generate.
        condition_sampler: config of an instance sampler; IC-GAN is evaluated with ``KMeansInstances``.
        latent_dim: length of a latent vector; filled from the generator when the config is silent.
        latent_sampler: config of the latent law; standard normal by default.
        seed: another seed, other conditions.

    Raises:
        FileNotFoundError, StoreError: from the sampler, about its store.
        ValueError: an argument is missing or out of range; the message names it.
    """

    disk_arguments = ()

    def __init__(
        self,
        size: int,
        condition_sampler: dict[str, Any],
        latent_dim: int | None = None,
        latent_sampler: dict[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        if size < 1:
            raise ValueError(f"InstanceConditionDataset: size must be at least 1, got {size}")
        if latent_dim is None:
            raise ValueError("InstanceConditionDataset: latent_dim is missing; give that of the generator")
        self.size, self.seed, self.latent_dim = size, seed, latent_dim
        law = {"type": "NormalLatent", "latent_dim": latent_dim, **(latent_sampler or {})}
        self.latent_sampler = SAMPLERS.build(law)
        self.condition_sampler = SAMPLERS.build(dict(condition_sampler))

    @property
    def metainfo(self) -> dict[str, Any]:
        """What was asked: size, seed, number of classes, latent size, sampler and store."""
        return dict(
            size=self.size,
            seed=self.seed,
            num_classes=getattr(self.condition_sampler, "num_classes", 0),
            latent_dim=self.latent_dim,
            latent_sampler=type(self.latent_sampler).__name__,
            condition_sampler=type(self.condition_sampler).__name__,
            instances=len(getattr(self.condition_sampler, "instances", ())),
        )

    def __len__(self) -> int:
        return self.size

    def _item(self, index: int) -> tuple[Tensor, Condition]:
        if not 0 <= index < self.size:
            raise IndexError(f"InstanceConditionDataset has {self.size} items; asked for {index}")
        latent = self.latent_sampler.sample(1, make_generator(self.seed, "evaluation", "latent", index))
        asked = self.condition_sampler.sample(1, make_generator(self.seed, "evaluation", "instance", index))
        return latent, asked

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return ``latent`` float32 (D,), ``instance`` float32 (F,) and, with classes, ``label``.

        Raises:
            IndexError: ``index`` is outside 0..size-1.
        """
        batch = self.__getitems__([index])
        item: dict[str, Any] = {name: value[0] for name, value in batch.items()}
        if "label" in item:
            item["label"] = int(item["label"])
        return item

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return ``latent`` float32 (N, D), ``instance`` (N, F) and, with classes, ``label`` int64 (N,)."""
        latents, conditions = zip(*(self._item(int(index)) for index in indices), strict=True)
        return {"latent": torch.cat(latents), **Condition.cat(conditions).present()}
