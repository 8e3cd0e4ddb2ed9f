"""What an evaluation asks of a generator whose conditions are drawn: of any kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from mmcgan.datasets.conditions.latents import SeededLatents
from mmcgan.registry import DATASETS, SAMPLERS
from mmcgan.samplers.drawing import INSTANCE, draw_conditions


@DATASETS.register_module()
class DrawnConditionDataset(SeededLatents):
    """Seeded conditions of a sampler, and latents: item i is a function of (seed, i) alone.

    Of any fields of the condition, those of plugins too. What item i asks for is what ``mmcgan sample`` asks
    of image i with the same seed, where the sampler is that of training.

    Args:
        size: number of images to generate.
        condition_sampler: config of the sampler; the model's when the config is silent.
        latent_dim: length of a latent vector; filled from the generator when the config is silent.
        latent_sampler: config of the latent law; the model's when the config is silent.
        seed: another seed, other conditions.
        truncation: of the latents, a threshold; None for none.

    Raises:
        FileNotFoundError, ValueError: from the sampler; or an argument that is missing or out of range, which
            the message names.
    """

    disk_arguments = ()

    def __init__(
        self,
        size: int,
        condition_sampler: dict[str, Any] | None = None,
        latent_dim: int | None = None,
        latent_sampler: dict[str, Any] | None = None,
        seed: int = 0,
        truncation: float | None = None,
    ) -> None:
        name = type(self).__name__
        if size < 1:
            raise ValueError(f"{name}: size must be at least 1, got {size}")
        if condition_sampler is None:
            raise ValueError(f"{name}: condition_sampler is missing; give that of the model, or another")
        super().__init__(latent_dim, latent_sampler, seed, truncation)
        self.size = size
        self.condition_sampler = SAMPLERS.build(dict(condition_sampler))

    @property
    def metainfo(self) -> dict[str, Any]:
        """What was asked: size, number of classes, sampler, and of the latents."""
        return dict(
            size=self.size,
            num_classes=self.condition_sampler.num_classes,
            condition_sampler=type(self.condition_sampler).__name__,
            **self.latent_metainfo,
        )

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return ``latent`` float32 (D,) and the fields of the condition; a label as a number.

        Raises:
            IndexError: ``index`` is outside 0..size-1.
        """
        return self.numbered_item(index)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return ``latent`` float32 (N, D) and the fields of the condition, (N, ...) each.

        Raises:
            IndexError: an index is outside 0..size-1.
        """
        rows = [int(index) for index in indices]
        if any(not 0 <= row < self.size for row in rows):
            raise IndexError(f"{type(self).__name__} has {self.size} items; asked for {rows}")
        asked = draw_conditions(self.condition_sampler, self.seed, rows, INSTANCE)
        return {"latent": self.latents(rows), **asked.present()}
