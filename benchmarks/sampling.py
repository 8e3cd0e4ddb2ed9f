"""Sampling: images a second that `mmcgan sample` writes, beside the generator's alone, of shipped models.

    python benchmarks/sampling.py [--num 1024] [--repeats 3] [--wall] [--models NAME ...] [--command]

`--command` runs the command itself, in a process of its own with its start, once for each model.

Seconds are of the process's own CPU time, over all its threads, which says what the work costs on a machine
that others use too; `--wall` takes the clock instead, where the machine is idle. Of alternating repeats the
fastest counts. Start and the first batch are left out. Memory is the peak of the process, which `--num` must
not raise.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from mmcgan.apis.drawing import BATCH, Draw, render
from mmcgan.apis.planning import Asked, planned
from mmcgan.apis.writing import write_images
from mmcgan.weights import read_index
from mmcgan.zoo.models import load_model

COMMAND_HEAD = (
    "| model | images | seconds | processor seconds | peak MiB | images/s | a processor second "
    "| generator alone | share |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def measure(name: str, num: int, repeats: int, clock: Callable[[], float]) -> tuple[float, float]:
    """Return images a second, written and bare."""
    draw = Draw(load_model(name))
    condition, latent = planned(draw, Asked(), BATCH).plan.batch(range(BATCH))
    draw.images(condition, latent)
    written, bare = [], []
    for _ in range(repeats):
        folder = Path(tempfile.mkdtemp())
        start = clock()
        plan = planned(draw, Asked(), num).plan
        write_images(render(draw, plan), plan, folder / "samples")
        written.append(clock() - start)
        shutil.rmtree(folder)
        start = clock()
        for _ in range(0, num, BATCH):
            draw.images(condition, latent)
        bare.append(clock() - start)
    return num / min(written), num / min(bare)


def share_of(written: float, bare: float) -> str:
    """Return how much of the bare generator's speed is left; more than all of it is none that can be had.

    Then the machine changed its speed between the two measurements by more than they differ.
    """
    return f"{written / bare:.0%}" if written <= bare else "cannot be had"


def measure_command(name: str, num: int) -> str:
    """Return a row of the table: `mmcgan sample` in a process of its own, beside the bare generator here."""
    draw = Draw(load_model(name))
    condition, latent = planned(draw, Asked(), BATCH).plan.batch(range(BATCH))
    draw.images(condition, latent)
    start, batches = time.process_time(), max(1, min(num, 4096) // BATCH)
    for _ in range(batches):
        draw.images(condition, latent)
    bare = batches * BATCH / (time.process_time() - start)
    # each model is measured in a process of its own, so that the only child is the command
    folder = Path(tempfile.mkdtemp())
    begun = time.perf_counter()
    order = [sys.executable, "-m", "mmcgan", "sample", name, "--num", str(num), "--out", str(folder / "out")]
    subprocess.run(order, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - begun
    shutil.rmtree(folder)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = used.ru_utime + used.ru_stime
    rates = f"{num / wall:,.0f} | {num / seconds:,.0f} | {bare:,.0f} | {share_of(num / seconds, bare)}"
    return f"| `{name}` | {num:,} | {wall:.1f} | {seconds:.1f} | {used.ru_maxrss / 1024:,.0f} | {rates} |"


def main() -> None:
    """Print one row of a Markdown table per shipped generator."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--num", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--wall", action="store_true")
    parser.add_argument("--models", nargs="+", help="names of shipped generators; all by default")
    parser.add_argument("--command", action="store_true", help="run `mmcgan sample`, once for each model")
    arguments = parser.parse_args()
    models = arguments.models or list(read_index("generator"))
    if arguments.command:
        print(COMMAND_HEAD, flush=True)
        for name in models:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                print(pool.submit(measure_command, name, arguments.num).result(), flush=True)
        return
    clock = time.perf_counter if arguments.wall else time.process_time
    print("| model | written | generator alone | share | peak MB |\n|---|---:|---:|---:|---:|")
    for name in models:
        written, bare = measure(name, arguments.num, arguments.repeats, clock)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        share = share_of(written, bare)
        print(f"| `{name}` | {written:.0f} | {bare:.0f} | {share} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
