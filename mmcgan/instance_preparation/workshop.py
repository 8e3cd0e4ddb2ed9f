"""The folder of a store in the making: markers of finished blocks, and ranks that share and await them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from mmengine.dist import get_dist_info
from torch import Tensor

from mmcgan.checkpoints.atomic import atomic_write, write_file
from mmcgan.instance_preparation.features import BLOCK_IMAGES
from mmcgan.instance_preparation.pace import Pace
from mmcgan.instances.store_metadata import METADATA
from mmcgan.progress import progress_bar
from mmcgan.waiting import wait_while_alive

DONE = "done"
TICKS = 1000
POLL_SECONDS = 0.2
# Without a new block in the folder for so long, whoever is waited for is taken to have died.
STALL_SECONDS = 3600.0
Advance = Callable[[float], None]


class Workshop:
    """Where a store is made.

    Args:
        out: the folder to make.
        size: number of images.

    Attributes:
        folder: the unfinished store.
        block_images: images of a block of features.
        rank, world_size: of this process.
    """

    def __init__(self, out: Path, size: int) -> None:
        self.out = out
        self.folder = out.with_name(out.name + ".partial")
        self.size = size
        self.block_images = BLOCK_IMAGES
        self.rank, self.world_size = get_dist_info()

    def block(self, start: int) -> range:
        """Return the images of the block of features that begins with image ``start``."""
        return range(start, min(start + self.block_images, self.size))

    def marker(self, step: str, start: int) -> Path:
        """Return the file that says that a block of a step is done."""
        return self.folder / DONE / f"{step}-{start:012d}"

    def wait(self, *paths: Path) -> None:
        """Wait until all files are there, some of which other ranks write, or the store is finished.

        Raises:
            TimeoutError: nothing new has come for :data:`STALL_SECONDS`.
        """
        for path in paths:
            self.wait_until(partial(self._has, path), path.name)

    def _has(self, path: Path) -> bool:
        return path.exists() or (self.out / METADATA).exists()

    def wait_until(self, ready: Callable[[], bool], what: str) -> None:
        """Wait until ``ready`` says so of ``what``, which another rank makes.

        Raises:
            TimeoutError: nothing new has come for :data:`STALL_SECONDS`.
        """
        done = self.folder / DONE
        complaint = (
            f"rank {self.rank} waits for {what}, which another rank is to write, and no "
            f"block of {self.folder} was finished for {STALL_SECONDS:g} s: has that rank died? "
            "What is done stays; the same command continues"
        )
        wait_while_alive(
            ready,
            lambda: done.stat().st_mtime if done.exists() else 0.0,
            complaint,
            POLL_SECONDS,
            STALL_SECONDS,
        )

    def run(self, step: str, length: int, what: str, do: Callable[[int, int, Advance], str | None]) -> None:
        """Do every block of a step that has no marker, this rank's share of them, and wait for the rest.

        ``do`` tells the function it is given how many of :data:`TICKS` it has done of its block, and returns
        what its marker says.
        """
        starts = list(range(0, self.size, length))
        markers = [self.marker(step, start) for start in starts]
        missing = [i for i in range(len(starts)) if not markers[i].exists()]
        # by number, not by what is missing: ranks do not look at the same moment
        mine = [i for i in missing if i % self.world_size == self.rank]
        ticks = max(1, TICKS // len(starts))
        with progress_bar(what, ticks * len(starts), ticks * (len(starts) - len(missing))) as advance:
            for i in mine:
                stop = min(starts[i] + length, self.size)
                pace = Pace(advance, ticks, self.world_size)
                write_file(markers[i], do(starts[i], stop, pace) or "")
                pace(1.0)
            self.wait(*markers)

    def save(self, name: str, values: Tensor) -> None:
        """Write an array of the store."""
        atomic_write(self.folder / name, lambda f: np.save(f, values.numpy(), allow_pickle=False))

    def gather(self) -> None:
        """Let the first rank wait for the others: a slow one may still read what it is about to move."""
        arrived = [self.folder / DONE / f"rank-{rank}" for rank in range(self.world_size)]
        write_file(arrived[self.rank], "")
        if self.rank == 0:
            self.wait(*arrived)
