"""What ``benchmarks/icgan.py`` asks of its models: which instances, against which images, and the figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from mmcgan.checkpoints.atomic import atomic_write

UNSEEN = (3, 7, 8)  # Dress, Sneaker, Bag
IMAGES = {"type": "FashionMNIST", "split": "train", "image_size": 32}
SIZES = (50, 200, 1000)
# share of the budget for all but the first question
SHORT = 0.5


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
        from mmcgan.zoo.models import load_model

        model = load_model(checkpoint).model
        conditions = wanted.conditions(self.out, self.size, model.generator.latent_dim)
        evaluator = self.evaluator(wanted.real, wanted.groups)
        evaluator.dataset_meta = conditions.metainfo
        for start in range(0, self.size, 500):
            batch = conditions.__getitems__(range(start, min(start + 500, self.size)))
            evaluator.process(model.val_step(batch))
        return {name: float(value) for name, value in evaluator.evaluate(self.size).items()}


class Trained(Protocol):
    """A training, as far as evaluation is concerned."""

    @property
    def full(self) -> int:
        """Generator updates of the longest trainings."""

    @property
    def share(self) -> float:
        """Part of them that this one had."""

    def checkpoint_at(self, share: float) -> Path:
        """Return the checkpoint after ``share`` of the longest trainings."""


def evaluate(runs: Mapping[str, Trained], out: Path, size: int) -> None:
    """Evaluate what is trained and has no figures yet."""
    evaluator = Evaluator(out, size)
    for wanted in EVALUATIONS:
        path, run = out / "evaluations" / f"{wanted.name}.json", runs[wanted.run]
        share = wanted.share or run.share
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
