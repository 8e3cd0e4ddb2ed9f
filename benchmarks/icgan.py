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
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from compare_methods import Queue

from mmcgan.checkpoints.files import atomic_write, list_checkpoints

EXTRACTOR = "fashion-mnist-ssl.safetensors"
UNSEEN = (3, 7, 8)  # Dress, Sneaker, Bag
IMAGES = {"type": "FashionMNIST", "split": "train", "image_size": 32}
SIZES = (50, 200, 1000)
# share of the budget for all but the first question
SHORT = 0.5
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
    def folder(self) -> Path:
        return self.out / "runs" / self.training.name

    @property
    def iterations(self) -> int:
        return round(self.full * self.training.share)

    @property
    def checkpoint(self) -> Path:
        return self.checkpoint_at(self.training.share)

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


# --- evaluation -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Evaluation:
    """Generated images of one model under one rule, against real images.

    Attributes:
        name: of the result.
        run: name of the training.
        rule: config of an instance sampler, or None for the label sampler ``labels``.
        store: that the rule draws from.
        labels: ``zero`` or ``balanced``, for a model without instances.
        real: ``train``, ``test``, ``seen`` or ``unseen`` images.
        groups: also FID within groups of classes.
        chosen: draw from so many instances that k-means selects.
        share: of the budget after which the model is looked at; that of its training by default.
    """

    name: str
    run: str
    rule: Mapping[str, Any] | None = None
    store: str = "whole"
    labels: str = "zero"
    real: str = "train"
    groups: bool = False
    chosen: int = 0
    share: float | None = None

    def conditions(self, out: Path, size: int, latent_dim: int) -> Any:
        from mmcgan.registry import DATASETS

        if self.rule is None:
            wanted = {"type": "ConditionDataset", "num_classes": 10, "labels": LABELS[self.labels]}
        else:
            rule = {"instance_store": str(out / "stores" / self.store), **self.rule}
            wanted = {"type": "InstanceConditionDataset", "condition_sampler": rule}
        dataset = DATASETS.build({**wanted, "size": size, "latent_dim": latent_dim})
        if self.chosen:
            dataset.condition_sampler.instances = chosen_by_kmeans(out, self.chosen)
        return dataset


LABELS: dict[str, int | str] = {"zero": 0, "balanced": "balanced"}
KMEANS = {"type": "KMeansInstances"}
ALL = {"type": "AllInstances"}
SEEN = tuple(label for label in range(10) if label not in UNSEEN)
REAL: dict[str, dict[str, Any]] = {
    "train": IMAGES,
    "test": {**IMAGES, "split": "test"},
    "seen": {"type": "ClassSubset", "dataset": IMAGES, "keep": SEEN},
    "unseen": {"type": "ClassSubset", "dataset": IMAGES, "keep": UNSEEN},
}


def selections() -> list[Evaluation]:
    """Return M instances, random or by k-means, of the model with k = 50."""
    random = [
        Evaluation(f"random{size}", "icgan", {"type": "RandomInstances", "size": size}) for size in SIZES
    ]
    return [Evaluation(f"kmeans{size}", "icgan", ALL, chosen=size) for size in SIZES] + random


def chosen_by_kmeans(out: Path, size: int) -> Any:
    """Return the instances of the whole store that k-means selects, int64 (size,); kept in a file."""
    import numpy as np
    import torch

    from mmcgan.instances.arrays import RowArray
    from mmcgan.instances.kmeans import kmeans, select_instances

    path = out / "stores" / f"kmeans{size}.npy"
    if not path.is_file():
        table = RowArray(out / "stores" / "whole" / "features.npy")
        found = select_instances(table, kmeans(table, size, 50, 0, 1 << 30).centroids)
        atomic_write(path, lambda file: np.save(file, found.numpy()))
    return torch.from_numpy(np.load(path))


EVALUATIONS = [
    Evaluation("unconditional", "unconditional"),
    Evaluation("icgan-kmeans", "icgan", KMEANS),
    Evaluation("icgan-all", "icgan", ALL),
    Evaluation("1000-kmeans", "icgan-1000", KMEANS),
    Evaluation("all-kmeans", "icgan", KMEANS, share=SHORT),
    Evaluation("transfer-seen", "seen-classes", KMEANS, "seen", real="seen"),
    Evaluation("transfer-unseen", "seen-classes", KMEANS, "unseen", real="unseen"),
    Evaluation("seen-as-unseen", "seen-classes", KMEANS, "seen", real="unseen"),
    Evaluation("tail-biggan", "biggan-tail", None, labels="balanced", real="test", groups=True),
    Evaluation(
        "tail-icgan",
        "icgan-tail",
        {"type": "ClassInstances", "num_classes": 10},
        "tail",
        real="test",
        groups=True,
    ),
    Evaluation("k5", "icgan-k5", KMEANS),
    Evaluation("k500", "icgan-k500", KMEANS),
    *selections(),
]
# of the long tail: 6000, 3007, 1507 | 755, 378, 189 | 95, 47, 23, 12 images
GROUPS = {"many": (0, 1, 2), "medium": (3, 4, 5), "few": (6, 7, 8, 9)}


class Evaluator:
    """Evaluates models one after another; real images are looked at once."""

    def __init__(self, out: Path, size: int) -> None:
        self.out, self.size = out, size
        self.evaluators: dict[tuple[str, bool], Any] = {}

    @cached_property
    def extractor(self) -> Any:
        from mmcgan.registry import EXTRACTORS

        return EXTRACTORS.build({"type": "SmallClassifier", "weights": "fashion-mnist-32"})

    def evaluator(self, real: str, groups: bool) -> Any:
        from mmcgan.registry import EVALUATOR

        key = (real, groups)
        if key not in self.evaluators:
            metrics: list[dict[str, Any]] = [{"type": "FID"}, {"type": "PRDC", "max_images": 5000}]
            if groups:
                metrics += [{"type": "StratifiedFID", "groups": GROUPS}, {"type": "ConditionalAccuracy"}]
            self.evaluators[key] = EVALUATOR.build(
                {
                    "type": "GenerationEvaluator",
                    "metrics": metrics,
                    "extractor": self.extractor,
                    "reference": {"dataset": REAL[real]},
                }
            )
        return self.evaluators[key]

    def evaluate(self, wanted: Evaluation, checkpoint: Path) -> dict[str, float]:
        """Return the figures of ``checkpoint``."""
        from mmcgan.apis.models import load_model

        model = load_model(checkpoint).model
        conditions = wanted.conditions(self.out, self.size, model.generator.latent_dim)
        evaluator = self.evaluator(wanted.real, wanted.groups)
        evaluator.dataset_meta = conditions.metainfo
        for start in range(0, self.size, 500):
            batch = conditions.__getitems__(range(start, min(start + 500, self.size)))
            evaluator.process(model.val_step(batch))
        return {name: float(value) for name, value in evaluator.evaluate(self.size).items()}


def evaluate(runs: Mapping[str, Run], out: Path, size: int) -> None:
    """Evaluate what is trained and has no figures yet."""
    evaluator = Evaluator(out, size)
    for wanted in EVALUATIONS:
        path, run = out / "evaluations" / f"{wanted.name}.json", runs[wanted.run]
        share = wanted.share or run.training.share
        if path.is_file() or not run.checkpoint_at(share).is_file():
            continue
        figures = evaluator.evaluate(wanted, run.checkpoint_at(share))
        content = {
            "iterations": round(run.full * share),
            "images": size,
            "real": wanted.real,
            "figures": figures,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content, indent=1).encode()
        atomic_write(path, lambda file, text=text: file.write(text))
        print(wanted.name, {name: round(value, 3) for name, value in figures.items()}, flush=True)


# --- report -----------------------------------------------------------------------------------

COLUMNS = {
    "fid": "FID",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
}
GROUPED = {
    "fid": "FID",
    **{f"fid_{name}": f"FID {name}" for name in GROUPS},
    "conditional_accuracy": "accuracy",
}
TABLES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "Unconditional against IC-GAN": (
        {
            "unconditional": "unconditional BigGAN",
            "icgan-kmeans": "IC-GAN, 1,000 instances (k-means)",
            "icgan-all": "IC-GAN, all instances",
        },
        COLUMNS,
    ),
    "Which instances are asked for": (
        {f"{kind}{size}": f"{size}, {kind}" for size in SIZES for kind in ("kmeans", "random")},
        COLUMNS,
    ),
    "Size of the neighbourhood": (
        {"k5": "k = 5", "all-kmeans": "k = 50", "k500": "k = 500"},
        COLUMNS,
    ),
    "Stored instances in training": (
        {"1000-kmeans": "trained with 1,000 instances", "all-kmeans": "trained with all"},
        COLUMNS,
    ),
    "Long tail": ({"tail-biggan": "BigGAN", "tail-icgan": "class-conditional IC-GAN"}, GROUPED),
    "Classes never seen": (
        {
            "transfer-seen": "seen instances, against seen classes",
            "transfer-unseen": "unseen instances, against unseen classes",
            "seen-as-unseen": "seen instances, against unseen classes",
        },
        COLUMNS,
    ),
}


def read(out: Path, name: str) -> dict[str, Any] | None:
    path = out / "evaluations" / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else None


def table(out: Path, rows: Mapping[str, str], columns: Mapping[str, str]) -> str:
    """Return a Markdown table of what is evaluated."""
    lines = [f"| | iterations | {' | '.join(columns.values())} |", "|---" * (len(columns) + 2) + "|"]
    for name, title in rows.items():
        found = read(out, name)
        if found is not None:
            cells = " | ".join(f"{found['figures'][key]:.3g}" for key in columns)
            lines.append(f"| {title} | {found['iterations']} | {cells} |")
    return "\n".join(lines) + "\n"


def selection_picture(out: Path) -> None:
    """Draw FID and recall over the number of instances, as the paper's Figure 4."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots(1, 2)
    for kind in ("kmeans", "random"):
        found = [read(out, f"{kind}{size}") for size in SIZES]
        if all(found):
            for axis, key in zip(axes, ("fid", "recall"), strict=True):
                axis.plot(SIZES, [f["figures"][key] for f in found if f], "-o", label=kind, markersize=4)
    for axis, title in zip(axes, ("FID", "recall"), strict=True):
        axis.set(xscale="log", xlabel="instances asked for", title=title, xticks=SIZES, xticklabels=SIZES)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    figure.savefig(out / "selection.png", dpi=100)


def report(out: Path) -> None:
    """Write ``tables.md`` and ``selection.png``."""
    parts = [f"### {title}\n\n{table(out, *content)}" for title, content in TABLES.items()]
    (out / "tables.md").write_text("\n".join(parts))
    selection_picture(out)
    print("\n".join(parts))


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
