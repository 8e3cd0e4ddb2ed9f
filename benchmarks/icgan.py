"""IC-GAN on Fashion-MNIST: five questions of the paper, on two CPU cores.

    python benchmarks/icgan.py --out work_dirs/icgan prepare      # extractor and stores
    python benchmarks/icgan.py --out work_dirs/icgan train        # or: train NAME NAME ...
    python benchmarks/icgan.py --out work_dirs/icgan evaluate
    python benchmarks/icgan.py --out work_dirs/icgan report       # tables.md, selection.png

1. unconditional against IC-GAN; 2. which instances are asked for, how many, and the size of neighbourhoods;
3. training with all instances or 1,000; 4. a long tail; 5. classes that training never saw. Whatever is there
already is not made again; an interrupted training goes on. Two processes may train different NAMEs.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compare_methods import Queue
from icgan_evaluation import SHORT, UNSEEN, evaluate
from icgan_report import report

from mmcgan.checkpoints.files import list_checkpoints

EXTRACTOR = "fashion-mnist-ssl.safetensors"
CHECK = 100  # iterations between checkpoints


@dataclass(frozen=True)
class Training:
    """One training; ``share`` of the budget, ``stores`` by the option that names one."""

    name: str
    config: str
    stores: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    share: float = 1.0


STORE = "train_dataloader.dataset.store"
WHOLE = {STORE: "whole"}
TRAININGS = [
    Training("unconditional", "biggan-unconditional_fashion-mnist-32"),
    Training("icgan", "icgan_biggan_fashion-mnist-32", WHOLE),
    Training("seen-classes", "icgan-transfer_biggan_fashion-mnist-32", {STORE: "seen"}, (), SHORT),
    Training("biggan-tail", "biggan-lt_fashion-mnist-32", {}, (), SHORT),
    Training("icgan-tail", "icgan-class-lt_biggan_fashion-mnist-32", {STORE: "tail"}, (), SHORT),
    Training("icgan-1000", "icgan-kmeans_biggan_fashion-mnist-32", WHOLE, (), SHORT),
    Training("icgan-k5", "icgan_biggan_fashion-mnist-32", WHOLE, ("train_dataloader.dataset.k=5",), SHORT),
    Training(
        "icgan-k500", "icgan_biggan_fashion-mnist-32", WHOLE, ("train_dataloader.dataset.k=500",), SHORT
    ),
]


@dataclass(frozen=True)
class Run:
    """A training with its folder and budget, as :class:`compare_methods.Queue` wants it."""

    training: Training
    out: Path
    full: int
    seed: int

    @property
    def method(self) -> str:
        return self.training.name

    @property
    def share(self) -> float:
        return self.training.share

    @property
    def folder(self) -> Path:
        return self.out / "runs" / self.training.name

    @property
    def iterations(self) -> int:
        return round(self.full * self.share)

    @property
    def checkpoint(self) -> Path:
        return self.checkpoint_at(self.share)

    def checkpoint_at(self, share: float) -> Path:
        return self.folder / f"iter_{round(self.full * share)}.pth"

    def command(self) -> list[str]:
        """Return the command that starts this run, or continues it."""
        options = [
            f"randomness.seed={self.seed}",
            f"train_cfg.max_iters={self.iterations}",
            "train_cfg.val_interval=1000000",
            f"default_hooks.checkpoint.interval={CHECK}",
            "default_hooks.checkpoint.max_keep=None",
            *(f"{key}={self.out / 'stores' / name}" for key, name in self.training.stores.items()),
            *self.training.options,
        ]
        resume = ["--resume"] if list_checkpoints(self.folder) else []
        return mmcgan(
            "train", self.training.config, "--work-dir", str(self.folder), *resume, "--cfg-options", *options
        )


def mmcgan(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mmcgan.cli", *arguments]


# --- extractor and stores ---------------------------------------------------------------------


def prepare(out: Path) -> None:
    """Train the extractor without labels and make the stores."""
    extractor = out / EXTRACTOR
    if not extractor.is_file():
        config = "biggan-unconditional_fashion-mnist-32"
        call("train-ssl-extractor", "--dataset", config, "--epochs", "3", "--flip", "--out", str(extractor))
    kept = "train_dataloader.dataset.dataset.keep"
    unseen = ",".join(map(str, UNSEEN))
    stores = {
        "whole": ("icgan_biggan_fashion-mnist-32", "--k", "500", "--flip"),
        "seen": ("icgan-transfer_biggan_fashion-mnist-32", "--k", "50"),
        "unseen": (
            "icgan-transfer_biggan_fashion-mnist-32",
            *("--k", "5", "--cfg-options", f"{kept}=[{unseen}]"),
        ),
        "tail": ("icgan-class-lt_biggan_fashion-mnist-32", "--k", "5"),
    }
    for name, (config, *rest) in stores.items():
        if not (out / "stores" / name / "metadata.json").is_file():
            source = ("--dataset", config, "--extractor", str(extractor), "--out", str(out / "stores" / name))
            call("prepare-instances", *source, *rest)


def call(*arguments: str) -> None:
    print("mmcgan", *arguments, flush=True)
    subprocess.run(mmcgan(*arguments), check=True)


# --- training ---------------------------------------------------------------------------------


def train(runs: Sequence[Run]) -> None:
    """Train what is not finished, one after another."""
    queue = Queue(runs)  # type: ignore[arg-type]
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, queue.stop)
    for run in runs:
        if not run.checkpoint.is_file() and not queue.stopped:
            print(run.method, "done" if queue.train(run) else "not finished", flush=True)  # type: ignore[arg-type]


def main(argv: Sequence[str] | None = None) -> int:
    """Do one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("part", choices=["prepare", "train", "evaluate", "report"])
    parser.add_argument("names", nargs="*", help="trainings (default: all)")
    parser.add_argument("--out", type=Path, default=Path("work_dirs/icgan"))
    parser.add_argument(
        "--iterations", type=int, default=400, help="generator updates (default: %(default)s)"
    )
    parser.add_argument("--images", type=int, default=5000, help="to generate for each evaluation")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(argv)
    out = given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    runs = {t.name: Run(t, out, given.iterations, given.seed) for t in TRAININGS}
    unknown = sorted(set(given.names) - set(runs))
    if unknown:
        parser.error(f"unknown {', '.join(unknown)}; choose from {', '.join(runs)}")
    if given.part == "prepare":
        prepare(out)
    elif given.part == "train":
        train([runs[name] for name in given.names or runs])
    elif given.part == "evaluate":
        evaluate(runs, out, given.images)
    else:
        report(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
