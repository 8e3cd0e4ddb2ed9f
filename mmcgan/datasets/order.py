"""The order in which a DataLoader reads, and how it puts batches together."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Any

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from mmengine.registry import FUNCTIONS
from torch import Tensor
from torch.utils.data import Sampler, default_collate

from mmcgan.random import make_generator
from mmcgan.registry import DATA_SAMPLERS


class Draw(int):
    """An index that knows the sampler's seed and its own position in the stream of draws.

    With them a random transform of the image can be seeded independently of the worker that
    runs it, and differently each time the image comes round.
    """

    position: int
    seed: int

    def __new__(cls, index: int, position: int, seed: int = 0) -> Draw:
        """Return ``index`` with its ``position`` and ``seed``."""
        draw = super().__new__(cls, index)
        draw.position = position
        draw.seed = seed
        return draw

    def __getnewargs__(self) -> tuple[int, int, int]:  # type: ignore[override]
        return int(self), self.position, self.seed


def drawn(index: int) -> Draw:
    """Return an index with its position and seed; of one that no sampler drew, itself and 0."""
    return index if isinstance(index, Draw) else Draw(index, int(index))


class ResumableSampler(Sampler[Any]):
    """Base of orders of reading that can begin anywhere: a run that goes on starts where it left off.

    With any other sampler the images that were consumed are read once more and left aside.
    """

    def start(self, position: int) -> None:
        """Make the next iteration begin after ``position`` images, consumed by all ranks together."""
        raise NotImplementedError


@DATA_SAMPLERS.register_module()
class InfiniteShuffle(ResumableSampler):
    """Endless epochs, each a permutation of the data set that depends on (seed, epoch) only.

    The stream of one process is the permutations one after another. Of N processes, process r
    takes positions r, r + N, r + 2N, ...: together they read the same images per iteration as one
    process with N times the batch.

    Args:
        dataset: anything with a length.
        seed: equal on every rank; None agrees on a random one.

    Raises:
        ValueError: the data set is empty.
    """

    def __init__(self, dataset: Sized, seed: int | None = 0) -> None:
        self.size = len(dataset)
        if self.size == 0:
            raise ValueError("InfiniteShuffle: the data set is empty")
        self.seed = sync_random_seed() if seed is None else seed
        self.rank, self.world_size = get_dist_info()
        self._start = 0

    def start(self, position: int) -> None:
        """Make the next iteration begin at ``position`` of the one-process stream, at no cost.

        To resume: the number of images all ranks together have consumed.

        Raises:
            ValueError: ``position`` is negative.
        """
        if position < 0:
            raise ValueError(f"InfiniteShuffle: position must not be negative, got {position}")
        self._start = position

    def __iter__(self) -> Iterator[Draw]:
        position = self._start + self.rank
        epoch, order = -1, []
        while True:
            if position // self.size != epoch:
                epoch = position // self.size
                order = self._order(epoch)
            yield Draw(order[position % self.size], position, self.seed)
            position += self.world_size

    def _order(self, epoch: int) -> list[int]:
        generator = make_generator(self.seed, "order", epoch)
        return torch.randperm(self.size, generator=generator).tolist()

    def __len__(self) -> int:
        """Return the number of draws of this rank in one pass over the data set, rounded up."""
        return -(-self.size // self.world_size)


def gan_collate(samples: dict[str, Tensor] | list[Any]) -> Any:
    """Pass on what a batched ``__getitems__`` returned; collate a list of samples otherwise."""
    return samples if isinstance(samples, dict) else default_collate(samples)


# in MMEngine's own registry: its Runner looks collate functions up nowhere else
FUNCTIONS.register_module(name="gan_collate", module=gan_collate)
