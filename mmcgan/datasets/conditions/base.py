"""What an evaluation asks of the generator: the same latents and labels for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmcgan.datasets.conditions.latents import SeededLatents
from mmcgan.registry import DATASETS, SAMPLERS
from mmcgan.samplers.drawing import LABEL, draw_conditions

LABEL_RULES = ("balanced", "empirical")


@DATASETS.register_module()
class ConditionDataset(SeededLatents):
    """Seeded evaluation conditions: item i is a function of (seed, i) alone.

    Neither batch size, nor number of workers or ranks, nor ``size`` changes what index i asks for, so
    that figures of different runs compare the same requests.

    Args:
        size: number of images to generate.
        latent_dim: length of a latent vector; filled from the generator when the config is silent.
        num_classes: number of classes; 0 gives items without a label.
        class_counts: training images per class, for ``labels="empirical"``.
        labels: ``balanced`` (label i mod C: every stretch of C items has each class once),
            ``empirical`` (drawn with the class frequencies), one label for all, or a list that is
            gone through in a circle.
        latent_sampler: config of the latent law; the model's when the config is silent.
        seed: another seed, other conditions.
        truncation: of the latents, a threshold; None for none.

    Raises:
        ValueError: an argument is missing or out of range; the message names it.
    """

    disk_arguments = ()

    def __init__(
        self,
        size: int,
        latent_dim: int | None = None,
        num_classes: int = 0,
        class_counts: Sequence[float] | None = None,
        labels: str | int | Sequence[int] = "balanced",
        latent_sampler: dict[str, Any] | None = None,
        seed: int = 0,
        truncation: float | None = None,
    ) -> None:
        if size < 1:
            raise ValueError(f"ConditionDataset: size must be at least 1, got {size}")
        super().__init__(latent_dim, latent_sampler, seed, truncation)
        self.size = size
        self.num_classes = num_classes
        self.label_rule = (labels if isinstance(labels, str) else "given") if num_classes else None
        self._cycle: Tensor | None = None
        if self.label_rule == "empirical":
            counts = self._check_counts(class_counts)
            self._label_sampler = SAMPLERS.build(dict(type="EmpiricalLabel", class_counts=counts))
        elif self.label_rule is not None:
            self._cycle = self._given_labels(labels)

    def _given_labels(self, labels: str | int | Sequence[int]) -> Tensor:
        """Return the labels that are gone through in a circle, int64 (L,)."""
        if labels == "balanced":
            return torch.arange(self.num_classes)
        if isinstance(labels, str):
            raise ValueError(
                f"ConditionDataset: labels={labels!r}: choose {' or '.join(LABEL_RULES)}, a label or a list"
            )
        given = torch.tensor([labels] if isinstance(labels, int) else list(labels), dtype=torch.int64)
        bad = given[(given < 0) | (given >= self.num_classes)].tolist()
        if bad or not len(given):
            raise ValueError(f"ConditionDataset: labels {bad[:5]} are outside 0..{self.num_classes - 1}")
        return given

    def _check_counts(self, class_counts: Sequence[float] | None) -> Sequence[float]:
        if class_counts is None or len(class_counts) != self.num_classes:
            raise ValueError(
                "ConditionDataset: labels='empirical' needs class_counts, one number for each of the "
                f"{self.num_classes} classes, got {class_counts!r}"
            )
        return class_counts

    def _label(self, index: int) -> int:
        if self._cycle is not None:
            return int(self._cycle[index % len(self._cycle)])
        return int(draw_conditions(self._label_sampler, self.seed, [index], LABEL).present()["label"])

    @property
    def metainfo(self) -> dict[str, Any]:
        """What was asked: size, number of classes, the rule of the labels, and of the latents."""
        return dict(
            size=self.size,
            num_classes=self.num_classes,
            labels=self.label_rule,
            **self.latent_metainfo,
        )

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return ``latent`` float32 (D,) and, with classes, ``label``.

        Raises:
            IndexError: ``index`` is outside 0..size-1.
        """
        index = int(index)
        if not 0 <= index < self.size:
            raise IndexError(f"ConditionDataset has {self.size} items; asked for {index}")
        latent = self.latents([index])[0]
        if self.label_rule is None:
            return {"latent": latent}
        return {"latent": latent, "label": self._label(index)}

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return ``latent`` float32 (N, D) and, with classes, ``label`` int64 (N,)."""
        items = [self[index] for index in indices]
        batch = {"latent": torch.stack([item["latent"] for item in items])}
        if self.label_rule is not None:
            batch["label"] = torch.tensor([item["label"] for item in items], dtype=torch.int64)
        return batch
