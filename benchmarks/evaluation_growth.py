"""Processor seconds and memory of neighbours, PRDC and FID over the number of images.

    python benchmarks/evaluation_growth.py [--images 1000 2000 4000 8000] [--features 512] [--rounds 2]

One thread, one process; each size takes the least of its rounds. Memory is the peak of the process above
what it held with the features loaded. Features are made up.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from mmcgan.evaluation import frechet_distance, prdc
from mmcgan.instances.neighbours import NeighbourSearch, TensorRows


def resident_bytes() -> int:
    """Return the memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def peak_bytes() -> int:
    """Return the peak since :func:`forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def measured(work: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Return the least processor seconds and the largest MB above what was held."""
    seconds, memory = float("inf"), 0.0
    for _ in range(rounds):
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak
        held, start = resident_bytes(), time.process_time()
        work()
        seconds = min(seconds, time.process_time() - start)
        memory = max(memory, (peak_bytes() - held) / 2**20)
    return seconds, memory


def fid(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Return the Fréchet distance, statistics included."""
    sides = [(part.double().mean(0), torch.cov(part.double().T)) for part in (real, fake)]
    return frechet_distance(*sides[0], *sides[1])


def main() -> None:
    """Print a row of the table for each number of images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 2000, 4000, 8000])
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--k", type=int, default=50, help="of prepare-instances")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for count in arguments.images:
        generator = torch.Generator().manual_seed(0)
        real, fake = (torch.randn(count, arguments.features, generator=generator) for _ in range(2))
        unit = TensorRows(torch.nn.functional.normalize(real))
        works = {
            "neighbours": lambda unit=unit, n=count: NeighbourSearch(unit, arguments.k).search(0, n),
            "PRDC": lambda real=real, fake=fake: prdc(real, fake),
            "FID": lambda real=real, fake=fake: fid(real, fake),
        }
        found = {name: measured(work, arguments.rounds) for name, work in works.items()}
        cells = [f"{seconds:.2f} s, {memory:.0f} MB" for seconds, memory in found.values()]
        print("| " + " | ".join([f"{count:,}", *cells]) + " |", flush=True)


if __name__ == "__main__":
    main()
