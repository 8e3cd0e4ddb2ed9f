"""This tree beside an earlier one: training steps, sampling, prepare-instances, evaluation; in turns.

    git worktree add ../before COMMIT
    python benchmarks/before_and_after.py ../before [--cases digits-step ...] [--threads 1] [--rounds 3]
        [--before-float32] [--clock wall]

Configs and commands are as each tree has them. Steps and figures of evaluation run in one process a tree,
which stays and is told to go in turns; commands in a process of their own, start included. The least time
of the rounds counts. ``--before-float32`` adds the earlier tree's steps in float32, whatever its configs
say. Data is made up (digits and Fashion-MNIST for ``evaluation``); ``prepare-instances`` wants the extra
"weights".
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BATCH, FLOAT32 = 64, {"optim_wrapper.precision": "float32"}
STEPS = {
    "digits-step": "omnigan_biggan_digits-16",
    "fashion-step": "omnigan_biggan_fashion-mnist-32",
}
IMAGES = {"prdc": 5000, "fid": 5000, "sampling": 10016, "prepare-instances": 512, "evaluation": 5000}
FEATURES, PIXELS = 512, 64


def make_step(case: str, options: dict[str, Any]) -> Callable[[], Any]:
    """Return a function that makes one training step of a config."""
    import torch
    from mmengine.registry import init_default_scope

    from mmcgan.config import load_config
    from mmcgan.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS

    init_default_scope("mmcgan")
    config = load_config(STEPS[case], options)
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.get(config.optim_wrapper.pop("constructor"))
    optimizers = constructor(config.optim_wrapper)(model)
    images, size = BATCH * model.step.real_mini_batches, model.generator.image_size
    label = torch.randint(0, model.generator.num_classes, (images,))
    data = {"image": torch.randint(0, 256, (images, 3, size, size), dtype=torch.uint8), "label": label}
    return lambda: model.train_step(data, optimizers)


def make_figure(case: str) -> Callable[[], Any]:
    """Return a function that computes PRDC, or the statistics of two sets and their distance."""
    import torch

    from mmcgan.evaluation import frechet_distance, prdc

    generator = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(IMAGES[case], FEATURES, generator=generator) for _ in range(2))
    if case == "prdc":
        return lambda: prdc(real, fake)

    def distance() -> Any:
        sides = [(part.double().mean(0), torch.cov(part.double().T)) for part in (real, fake)]
        return frechet_distance(*sides[0], *sides[1])

    return distance


def work(case: str, float32: bool) -> None:
    """Be a tree's process: make the work ready, then do it once for every line that is read."""
    try:  # what its commands do first
        from mmcgan.process import tune_process
    except ImportError:
        pass
    else:
        tune_process()
    run = make_step(case, FLOAT32 if float32 else {}) if case in STEPS else make_figure(case)
    run()
    print("ready", flush=True)
    for _ in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        run()
        print(time.perf_counter() - wall, time.process_time() - processor, flush=True)


def surroundings(tree: Path) -> dict[str, str]:
    """Return the environment in which ``tree`` is what gets imported."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tree), os.environ.get("PYTHONPATH", "")])}


@contextmanager
def waiting_process(case: str, tree: Path, float32: bool) -> Iterator[Callable[[], tuple[float, float]]]:
    """Yield a function that lets a tree's process work once and returns wall and processor seconds."""
    order = [sys.executable, __file__, str(tree), "--worker", case, *(["--before-float32"] * float32)]
    pipes: dict[str, Any] = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with subprocess.Popen(order, text=True, env=surroundings(tree), **pipes) as process:
        assert process.stdin and process.stdout
        while (line := process.stdout.readline()) != "ready\n":  # libraries print, too
            if not line:
                raise RuntimeError(f"{case} cannot be measured in {tree}: run its order by hand: {order}")

        def once() -> tuple[float, float]:
            print("go", file=process.stdin, flush=True)
            wall, processor = process.stdout.readline().split()
            return float(wall), float(processor)

        yield once
        process.stdin.close()


def command_of(case: str, folder: Path) -> list[str]:
    """Return the arguments of the command that is measured."""
    count, out = str(IMAGES[case]), str(folder / "out")
    if case == "sampling":
        return ["sample", "omnigan_biggan_digits-16", "--num", count, "--out", out]
    if case == "evaluation":
        metrics = ["--metrics", "fid", "prdc", "--num", count]
        return ["test", "omnigan_biggan_fashion-mnist-32", *metrics, "--work-dir", out]
    import numpy as np
    from PIL import Image

    (folder / "images").mkdir()
    draw = np.random.default_rng(0)
    for number in range(IMAGES[case]):
        pixels = draw.integers(0, 256, (PIXELS, PIXELS, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
    return [
        case,
        "--images",
        str(folder / "images"),
        "--extractor",
        "efficientnet-lite0",
        "--unlabelled",
        "--out",
        out,
    ]


def run_command(case: str, tree: Path) -> tuple[float, float]:
    """Return wall and processor seconds of a command."""
    with tempfile.TemporaryDirectory() as name:
        order = [sys.executable, "-m", "mmcgan.cli", *command_of(case, Path(name))]
        used, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        fresh = surroundings(tree) | {"MMCGAN_CACHE": str(Path(name) / "cache")}  # no statistics of before
        done = subprocess.run(order, cwd=name, env=fresh, capture_output=True, text=True)
        wall, now = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(order)} failed in {tree}:\n{done.stderr[-2000:]}")
    return wall, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime


@contextmanager
def ready(case: str, tree: Path, float32: bool = False) -> Iterator[Callable[[], tuple[float, float]]]:
    """Yield what does the work of a case once in a tree and returns its seconds."""
    if case in ("sampling", "prepare-instances", "evaluation"):
        yield lambda: run_command(case, tree)
        return
    with waiting_process(case, tree, float32) as once:
        yield once


def row_of(case: str, given: argparse.Namespace) -> str:
    """Measure one case in turns and return its row."""
    clock = given.clock == "cpu"
    third = case in STEPS and given.before_float32
    with ready(case, given.before) as before, ready(case, ROOT) as now:
        sides = {"before": before, "now": now}
        seconds: dict[str, list[float]] = {name: [] for name in ("before", "before in float32", "now")}
        for _ in range(given.rounds):
            for name, once in sides.items():
                seconds[name].append(once()[clock])
    if third:
        with ready(case, given.before, float32=True) as plain, ready(case, ROOT) as now:
            for _ in range(given.rounds):
                seconds["before in float32"].append(plain()[clock])
                seconds["now"].append(now()[clock])
    images = IMAGES.get(case, BATCH)
    rates = [f"{images / min(times):,.3g}" if times else "" for times in seconds.values()]
    gain = min(seconds["before"]) / min(seconds["now"])
    return f"| {case} | {images:,} | {' | '.join(rates)} | {gain:.2f} |"


def main() -> None:
    """Measure and print a table."""
    cases = [*STEPS, *IMAGES]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path, help="checkout of the earlier commit")
    parser.add_argument("--cases", nargs="+", choices=cases, default=cases)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--before-float32", action="store_true")
    parser.add_argument("--worker", choices=cases, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(given.worker, given.before_float32)
        return
    given.before = given.before.resolve()
    os.environ["OMP_NUM_THREADS"] = str(given.threads)
    print(f"{given.threads} threads, {given.clock} time, images a second\n")
    print(
        "| case | images | before | before in float32 | now | times as fast |\n|---|---:|---:|---:|---:|---:|"
    )
    for case in given.cases:
        print(row_of(case, given), flush=True)


if __name__ == "__main__":
    main()
