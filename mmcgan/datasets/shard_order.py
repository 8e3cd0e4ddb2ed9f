"""An order for sets in shards, in which a process reads few of them at a time."""

from __future__ import annotations

from typing import Any

import torch

from mmcgan.datasets.order import InfiniteShuffle
from mmcgan.random import make_generator
from mmcgan.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class ShardShuffle(InfiniteShuffle):
    """Endless epochs of a set in shards: shards in random order, images mixed within windows.

    In every epoch the shards are put in a random order and the images are cut into ``lanes`` equal runs of
    it, each shuffled in windows; the stream takes an image of each lane in turn. All of that depends on
    (seed, epoch) alone, so that a run resumes exactly and does not depend on the number of processes: of N,
    process r reads lanes r, r + N, ... only, and so ``1 / N`` of the shards, one after another.

    Args:
        dataset: with ``shard_sizes``, the number of images of each shard, in order.
        seed: equal on every rank; None agrees on a random one.
        lanes: images of as many places of the set meet in a batch; a multiple of the number of processes.
        window: images of a lane that are mixed with each other.

    Raises:
        ValueError: no shards, or numbers that do not fit.
    """

    def __init__(self, dataset: Any, seed: int | None = 0, lanes: int = 64, window: int = 1024) -> None:
        super().__init__(dataset, seed)
        sizes = getattr(dataset, "shard_sizes", None)
        if sizes is None or sum(sizes) != self.size:
            raise ValueError(
                f"ShardShuffle: {type(dataset).__name__} is not in shards (it has no shard_sizes, or they do "
                "not add up); use InfiniteShuffle"
            )
        if lanes < 1 or window < 1:
            raise ValueError(f"ShardShuffle: lanes and window must be at least 1, got {lanes} and {window}")
        if lanes % self.world_size:
            raise ValueError(
                f"ShardShuffle: lanes={lanes} must be a multiple of the {self.world_size} processes, so that "
                "each reads shards of its own"
            )
        self.lanes, self.window = lanes, window
        self.sizes = torch.tensor(sizes, dtype=torch.int64)

    def _order(self, epoch: int) -> list[int]:
        generator = make_generator(self.seed, "shards", epoch)
        starts = self.sizes.cumsum(0) - self.sizes
        shards = torch.randperm(len(self.sizes), generator=generator).tolist()
        rows = torch.cat([torch.arange(int(self.sizes[s])) + starts[s] for s in shards])
        order = torch.empty_like(rows)
        begun = 0
        for lane in range(min(self.lanes, self.size)):
            length = len(order[lane :: self.lanes])
            run = rows[begun : begun + length]
            mixed = [part[torch.randperm(len(part), generator=generator)] for part in run.split(self.window)]
            order[lane :: self.lanes] = torch.cat(mixed)
            begun += length
        return order.tolist()
