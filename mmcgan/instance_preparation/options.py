"""What an instance store is to hold, and how it may be made."""

from __future__ import annotations

from dataclasses import dataclass

from mmcgan.datasets.base import ImageDataset
from mmcgan.instances.arrays import resident_bytes
from mmcgan.process import release_freed_memory

# what Python, torch and a network take before any block is read, where the system does not tell
BASE_MEMORY = 800 << 20
# for what one block needs beside its plan, and for pieces that the allocator keeps
SPARE_MEMORY = 96 << 20
LEAST_MEMORY = 128 << 20


@dataclass(frozen=True)
class Options:
    """What a store is to hold, and how it may be made.

    Attributes:
        k: neighbours of each image.
        kmeans: instances to select; 0 for none.
        flip: also the features of the mirrored images.
        precision: of the extractor: ``auto``, ``float32`` or ``bfloat16``.
        seed: of k-means.
        max_memory: bytes for the whole process.
        command: how to make the store again, recorded in it.
    """

    k: int = 50
    kmeans: int = 0
    flip: bool = False
    precision: str = "auto"
    seed: int = 0
    max_memory: int = 2 << 30
    command: str = ""

    def working_memory(self) -> int:
        """Return the bytes that the next step may take beside what the process has already."""
        release_freed_memory()  # what an earlier step used and left
        taken = resident_bytes() or BASE_MEMORY
        return max(LEAST_MEMORY, self.max_memory - taken - SPARE_MEMORY)


def check_sizes(dataset: ImageDataset, options: Options) -> None:
    """Check that there are images enough.

    Raises:
        ValueError: k or the number of k-means instances do not fit the number of images.
    """
    size = len(dataset)
    if size < 2:
        raise ValueError(f"the data set has {size} image: neighbours need at least 2")
    if not 1 <= options.k < size:
        raise ValueError(
            f"--k {options.k}: must be in 1..{size - 1}: the data set has {size} images and no image is its "
            "own neighbour"
        )
    if not 0 <= options.kmeans <= size:
        raise ValueError(f"--kmeans {options.kmeans}: must be in 0..{size}, the number of images")
