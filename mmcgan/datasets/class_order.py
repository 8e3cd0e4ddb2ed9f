"""Reading labelled images class by class: balanced, or with tempered class frequencies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from torch import Tensor

from mmcgan.datasets.order import Draw, ResumableSampler
from mmcgan.random import make_generator
from mmcgan.registry import DATA_SAMPLERS
from mmcgan.samplers.label import TemperatureLabel

CHUNK = 4096


def image_weights(labels: Tensor, class_weights: Tensor) -> Tensor:
    """Return weights of images that give each class its weight: class_weights[y] / images of class y.

    Args:
        labels: int64 (N,).
        class_weights: p(y) up to a factor, (C,).

    Returns:
        float64 (N,).
    """
    counts = torch.bincount(labels, minlength=len(class_weights))
    return (class_weights.double() / counts.clamp_min(1))[labels]


@DATA_SAMPLERS.register_module()
class ClassBalancedDraws(ResumableSampler):
    """Endless independent draws: a class y, then an image of it, uniformly (IC-GAN, App. G).

    Without a temperature every class is drawn equally often; with one, y follows p_T proportional to
    exp(log p / T). Draw i is a function of (seed, i), so that resuming costs nothing. Of N processes,
    process r takes positions r, r + N, ...

    Args:
        dataset: labelled images, with ``labels``.
        seed: equal on every rank; None agrees on a random one.
        temperature: T.

    Raises:
        ValueError: the data set has no labels, or a bad temperature.
    """

    def __init__(self, dataset: Any, seed: int | None = 0, temperature: float | None = None) -> None:
        labels = dataset.labels
        if labels is None or not len(labels):
            raise ValueError("ClassBalancedDraws: the data set has no labels")
        self.size = len(labels)
        counts = torch.bincount(labels)
        classes = (counts > 0).double()
        if temperature is not None:
            classes = TemperatureLabel(counts, temperature).probabilities
        self.edges = image_weights(labels, classes).cumsum(0)
        self.seed = sync_random_seed() if seed is None else seed
        self.rank, self.world_size = get_dist_info()
        self._start = 0

    def start(self, position: int) -> None:
        """Make the next iteration begin at ``position`` of the one-process stream, at no cost.

        Raises:
            ValueError: ``position`` is negative.
        """
        if position < 0:
            raise ValueError(f"ClassBalancedDraws: position must not be negative, got {position}")
        self._start = position

    def __iter__(self) -> Iterator[Draw]:
        position = self._start + self.rank
        number, chunk = -1, []
        while True:
            if position // CHUNK != number:
                number = position // CHUNK
                chunk = self._draw(number)
            yield Draw(chunk[position % CHUNK], position, self.seed)
            position += self.world_size

    def _draw(self, number: int) -> list[int]:
        generator = make_generator(self.seed, "class draws", number)
        uniform = torch.rand(CHUNK, generator=generator, dtype=torch.float64) * self.edges[-1]
        return torch.searchsorted(self.edges, uniform, right=True).clamp(max=self.size - 1).tolist()

    def __len__(self) -> int:
        """Return as many draws of this rank as the data set has images, rounded up."""
        return -(-self.size // self.world_size)
