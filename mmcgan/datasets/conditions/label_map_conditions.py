"""What an evaluation of semantic synthesis asks of the generator: the label maps of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from mmcgan.datasets.conditions.latents import SeededLatents
from mmcgan.registry import DATASETS

MAPS = ("label_map", "edge_map")


@DATASETS.register_module()
class LabelMapConditions(SeededLatents):
    """Item i asks for the label map of image i of a data set, with a latent that is a function of (seed, i).

    Args:
        dataset: config of a data set with label maps.
        size: number of items, from the first on, going round if there are more; all once by default.
        latent_dim: length of a latent vector; filled from the generator when the config is silent.
        latent_sampler: config of the latent law; the model's when the config is silent.
        seed: another seed, other latents.
        truncation: of the latents, a threshold; None for none.

    Raises:
        ValueError: ``size`` is below 1, or the data set has no label maps.
    """

    disk_arguments = ()

    def __init__(
        self,
        dataset: dict[str, Any],
        size: int | None = None,
        latent_dim: int = 0,
        latent_sampler: dict[str, Any] | None = None,
        seed: int = 0,
        truncation: float | None = None,
    ) -> None:
        if size is not None and size < 1:
            raise ValueError(f"LabelMapConditions: size must be at least 1, got {size}")
        super().__init__(latent_dim, latent_sampler, seed, truncation)
        self.whole = DATASETS.build(dict(dataset))
        if not self.whole.metainfo.get("num_map_classes"):
            raise ValueError(f"LabelMapConditions: {type(self.whole).__name__} has no label maps")
        self.size = len(self.whole) if size is None else size

    @property
    def metainfo(self) -> dict[str, Any]:
        """What was asked: the data set's own facts, size, how many differ if not all, and of the latents."""
        return {
            **self.whole.metainfo,
            "size": self.size,
            "labels": None,
            **self.latent_metainfo,
            **self._repeats(),
        }

    def _repeats(self) -> dict[str, int]:
        """Return how many items differ, where maps go round and no latent tells the rounds apart."""
        return {"distinct": len(self.whole)} if self.latent_dim == 0 and len(self.whole) < self.size else {}

    def __len__(self) -> int:
        return self.size

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return ``latent`` float32 (N, D), ``label_map`` int64 (N, H, W) and, with edges, ``edge_map``.

        Raises:
            IndexError: an index is outside 0..size-1.
        """
        rows = [int(index) for index in indices]
        if any(not 0 <= row < self.size for row in rows):
            raise IndexError(f"LabelMapConditions has {self.size} items; asked for {rows}")
        batch = self.whole.__getitems__([row % len(self.whole) for row in rows])
        return {"latent": self.latents(rows), **{name: batch[name] for name in MAPS if name in batch}}
