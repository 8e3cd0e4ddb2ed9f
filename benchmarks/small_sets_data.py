"""The sets, extractors and stores of ``small_sets.py``: made once, below the folder of its state."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mmcgan.datasets.sets.fashion_mnist import CLASSES, FashionMNIST
from mmcgan.extractor_training.train_classifier import Recipe, TrainOptions, train_classifier
from mmcgan.instance_preparation.options import Options
from mmcgan.instance_preparation.prepare import prepare_instances
from mmcgan.pictures import write_png
from mmcgan.proposal.families import frozen_network
from mmcgan.random import make_generator
from mmcgan.registry import DATASETS, EXTRACTORS

#: of images that no training sees, beside which the nearest training images are judged
HELD_OUT = 2000
#: what discriminators look through and what instances are features of; never what judges
FROZEN = frozen_network(64)


@dataclass(frozen=True)
class ImageSet:
    """A set to learn from.

    Attributes:
        name: of the set.
        image_size: pixels a side.
        share: of Fashion-MNIST's training images; None for emoji.
        samples: that an evaluation makes.
        policy: of DiffAugment, where a family takes it.
    """

    name: str
    image_size: int
    share: float | None
    samples: int
    policy: tuple[str, ...]

    def folder(self, state: Path) -> Path:
        """Return where its images are, or None is needed."""
        return state / "data" / self.name

    def dataset(self, state: Path, part: str = "train", labelled: bool = True) -> dict[str, Any]:
        """Return the config of ``train``, ``held_out`` or, of Fashion-MNIST, ``population``."""
        if self.share is not None and (part == "population" or self.share == 1):
            split = "test" if part == "held_out" else "train"
            return {"type": "FashionMNIST", "split": split, "image_size": self.image_size}
        root = str(self.folder(state) / ("train" if part == "population" else part))
        made = {"type": "ImageFolder", "root": root, "image_size": self.image_size, "in_memory": True}
        return made | ({} if labelled else {"labelled": False})

    def judge(self, state: Path) -> dict[str, Any]:
        """Return the config of the extractor that evaluates."""
        if self.share is not None:
            return {"type": "SmallClassifier", "weights": "fashion-mnist-32"}
        return {"type": "SmallClassifier", "weights": str(state / "judges" / "emoji-64.safetensors")}

    def store(self, state: Path) -> Path:
        """Return the folder of its instances."""
        return state / "stores" / self.name


GRAY, COLOUR = ("translation", "cutout"), ("colour", "translation", "cutout")
SETS = {
    each.name: each
    for each in (
        ImageSet("fashion-1", 32, 0.01, 1000, GRAY),
        ImageSet("emoji", 64, None, 1000, COLOUR),
        ImageSet("fashion-10", 32, 0.1, 1000, GRAY),
        ImageSet("fashion-100", 32, 1.0, 1000, GRAY),
    )
}


def prepare(chosen: ImageSet, state: Path, emoji: Path | None, instances: bool) -> None:
    """Make what a set needs and does not have yet: images, judge and, for instances, a store."""
    if chosen.share is None and not chosen.folder(state).is_dir():
        _emoji(chosen.folder(state), emoji)
    if chosen.share is not None and chosen.share < 1 and not chosen.folder(state).is_dir():
        _fashion(chosen.folder(state), chosen.share)
    judge = Path(chosen.judge(state)["weights"])
    if judge.is_absolute() and not judge.is_file():
        _emoji_judge(chosen, state, judge)
    if instances and not chosen.store(state).is_dir():
        images = DATASETS.build(chosen.dataset(state, labelled=False))  # as it is trained on
        count = len(images)
        options = Options(k=min(50, max(5, count // 20)), kmeans=min(1000, count // 2))
        print(f"{chosen.name}: features and neighbours of {count:,} images", flush=True)
        prepare_instances(images, FROZEN, chosen.store(state), options, EXTRACTORS.build(dict(FROZEN)))


def _fashion(out: Path, share: float) -> None:
    """Write a share of every class, and as many others that are held out, as folders of classes."""
    whole = FashionMNIST(split="train", image_size=32)
    for label, name in enumerate(CLASSES):
        rows = (whole.labels == label).nonzero().flatten()
        rows = rows[torch.randperm(len(rows), generator=make_generator(0, "small sets", label))]
        count = round(share * len(rows))
        held = min(count, HELD_OUT // len(CLASSES))
        for part, chosen in (("train", rows[:count]), ("held_out", rows[count : count + held])):
            folder = out / part / name.replace("/", "-")
            folder.mkdir(parents=True)
            for row, image in zip(chosen.tolist(), whole.__getitems__(chosen.tolist())["image"], strict=True):
                write_png(image.permute(1, 2, 0).contiguous().numpy(), folder / f"{row:05d}.png")


def _emoji(out: Path, source: Path | None) -> None:
    """Lay out what ``tools/fetch_emoji.py`` made as folders of categories, its split test held out.

    Raises:
        FileNotFoundError: that is not there.
    """
    if source is None or not (source / "attributes.csv").is_file():
        raise FileNotFoundError(f"--emoji {source}: make it first with: python tools/fetch_emoji.py FOLDER")
    with (source / "attributes.csv").open(encoding="utf-8") as file:
        rows: list[Mapping[str, str]] = list(csv.DictReader(file))
    for row in rows:
        part = "held_out" if row["split"] == "test" else "train"
        folder = out / part / row["category"]
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{row['vendor']}_{Path(row['file']).name}"
        target.write_bytes((source / row["file"]).read_bytes())


def _emoji_judge(chosen: ImageSet, state: Path, out: Path) -> None:
    """Train a classifier of the nine categories on all emoji, so that no image is nearer for being known."""
    out.parent.mkdir(parents=True, exist_ok=True)
    roots = [str(chosen.folder(state) / part) for part in ("train", "held_out")]
    images = {"type": "ImageFolder", "root": roots, "image_size": chosen.image_size, "in_memory": True}
    recipe = Recipe(images, None, TrainOptions(widths=(16, 32, 64, 96), epochs=15, batch_size=64), 0.05)
    record = train_classifier(recipe, out, "python benchmarks/small_sets.py")
    print(f"judge of emoji: accuracy {record.test_accuracy:.1%} on {record.test_images} images", flush=True)
