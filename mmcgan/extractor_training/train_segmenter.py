"""Train the small segmentation networks that evaluate semantic synthesis without any download."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.extractor_training.held_out import Part, held_out_rows
from mmcgan.extractor_training.train_classifier import Progress, warm_cosine
from mmcgan.extractors.classifier_file import halve
from mmcgan.extractors.segmentation_network import SegmentationNetwork
from mmcgan.extractors.small_network import initialise
from mmcgan.extractors.small_segmenter import SegmenterRecord, save_segmenter
from mmcgan.mean_iou import confusion_matrix, mean_iou
from mmcgan.pictures import from_levels
from mmcgan.precision import Precision, autocast, check_network_precision, resolve
from mmcgan.random import make_generator
from mmcgan.registry import DATASETS

IGNORED = -100  # what cross-entropy leaves out


@dataclass(frozen=True)
class SegmenterOptions:
    """How a segmentation network is trained: AdamW, one-cycle cosine schedule, cross-entropy per pixel.

    Attributes:
        widths: channels of the stem and the stages.
        steps, batch_size, learning_rate, weight_decay: as usual.
        noise: largest standard deviation of added Gaussian noise, of a range of 2.
        contrast: largest relative change of contrast, and of brightness of a range of 2.
        ignore_label: class of pixels that do not count.
        precision: ``float32``, ``bfloat16`` (autocast) or ``auto`` (bfloat16 where it is fast).
        seed: decides initial weights, order and augmentation.
    """

    widths: tuple[int, ...] = (16, 24, 48, 64)
    steps: int = 300
    batch_size: int = 16
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    noise: float = 0.1
    contrast: float = 0.15
    ignore_label: int | None = None
    precision: Precision = "auto"
    seed: int = 0


@dataclass(frozen=True)
class SegmenterRecipe:
    """Data sets of images with label maps, and how a network is trained on the first.

    Attributes:
        train, test: dataset configs; ``test`` images are never trained on. Without ``test``, a share of the
            images of ``train`` is held out.
        options: how to train.
        held_out: that share.
    """

    train: dict[str, Any]
    test: dict[str, Any] | None
    options: SegmenterOptions = field(default_factory=SegmenterOptions)
    held_out: float = 0.0


SEGMENTER_RECIPES = {
    "scenes-64": SegmenterRecipe(dict(type="Scenes", split="train"), dict(type="Scenes", split="test")),
}


def train_network(
    dataset: Any, num_classes: int, options: SegmenterOptions, progress: Progress | None = None
) -> SegmentationNetwork:
    """Train a network on a data set with label maps and return it in eval mode.

    Raises:
        ValueError: fewer images than one batch, no label maps, ids outside 0..num_classes-1, or an
            unknown precision.
    """
    check_network_precision(options.precision)
    if len(dataset) < options.batch_size:
        raise ValueError(f"{len(dataset)} training images do not fill one batch of {options.batch_size}")
    network = SegmentationNetwork(num_classes, options.widths)
    initialise(network, make_generator(options.seed, "weights"))
    network.train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(
        network.parameters(), options.learning_rate, weight_decay=options.weight_decay
    )
    for step in range(options.steps):
        optimizer.param_groups[0]["lr"] = options.learning_rate * warm_cosine(
            (step + 1) / (options.steps + 1)
        )
        rows = torch.randint(
            len(dataset), (options.batch_size,), generator=make_generator(options.seed, "order", step)
        )
        image, target = read_pairs(dataset, rows.tolist(), num_classes, options.ignore_label)
        pixels = _augmented(image, options, make_generator(options.seed, "augment", step))
        with autocast(options.precision, "cpu"):
            _, logits = network(pixels.contiguous(memory_format=torch.channels_last))
        loss = F.cross_entropy(logits.float(), target, ignore_index=IGNORED)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if progress is not None:
            progress(step + 1, options.steps, float(loss.detach()))
    return network.eval()


def read_pairs(
    dataset: Any, rows: list[int], num_classes: int, ignore_label: int | None = None
) -> tuple[Tensor, Tensor]:
    """Return images uint8 (N, 3, H, W) and label maps int64 (N, H, W), ignored pixels being -100.

    Raises:
        ValueError: no label maps, or ids outside 0..num_classes-1.
    """
    batch = dataset.__getitems__(rows)
    if "label_map" not in batch:
        raise ValueError(f"{type(dataset).__name__}: a segmentation network needs label maps, there are none")
    target = batch["label_map"].long()
    if ignore_label is not None:
        target = torch.where(target == ignore_label, IGNORED, target)
    counted = target[target != IGNORED]
    unknown = counted[(counted < 0) | (counted >= num_classes)].unique().tolist()
    if unknown:
        raise ValueError(
            f"{type(dataset).__name__}: label maps have the ids {unknown[:10]}, allowed are "
            f"0..{num_classes - 1}"
        )
    return batch["image"], target


def _augmented(image: Tensor, options: SegmenterOptions, generator: torch.Generator) -> Tensor:
    """Return images in [-1, 1] with random contrast, brightness and noise."""
    pixels = from_levels(image)
    shape = (len(image), 1, 1, 1)
    contrast, brightness = (
        (torch.rand(shape, generator=generator) * 2 - 1) * options.contrast for _ in range(2)
    )
    level = torch.rand(shape, generator=generator) * options.noise
    return pixels * (1 + contrast) + brightness + level * torch.randn(pixels.shape, generator=generator)


@torch.no_grad()
def confusion(
    network: SegmentationNetwork, dataset: Any, ignore_label: int | None = None, batch_size: int = 100
) -> Tensor:
    """Return the confusion matrix int64 (C, C) over all images of a data set, in float32."""
    network.eval()
    total = torch.zeros(network.num_classes, network.num_classes, dtype=torch.int64)
    for start in range(0, len(dataset), batch_size):
        rows = list(range(start, min(start + batch_size, len(dataset))))
        image, target = read_pairs(dataset, rows, network.num_classes, ignore_label)
        seen = network(from_levels(image))[1].argmax(dim=1)
        total += confusion_matrix(seen, target, network.num_classes, IGNORED)
    return total


def map_classes(dataset: Any) -> tuple[str, ...]:
    """Return the names of the classes of pixels.

    Raises:
        ValueError: the data set has no label maps.
    """
    classes = dataset.metainfo.get("map_classes")
    if not classes:
        raise ValueError(f"{type(dataset).__name__}: a segmentation network needs label maps, there are none")
    return tuple(classes)


def _read(recipe: SegmenterRecipe) -> tuple[Any, Any]:
    """Return images with label maps to train and to test on."""
    train_set = DATASETS.build(dict(recipe.train))
    if recipe.test is not None:
        return train_set, DATASETS.build(dict(recipe.test))
    alike = torch.zeros(len(train_set), dtype=torch.int64)
    tested = held_out_rows(alike, recipe.held_out, recipe.options.seed)
    train, test = (Part(train_set, rows.nonzero().flatten().tolist()) for rows in (~tested, tested))
    return train, test


def train_segmenter(
    recipe: SegmenterRecipe, out: Path, command: str, progress: Progress | None = None
) -> SegmenterRecord:
    """Train by ``recipe``, measure the rounded weights on the test images, write ``out``.

    Args:
        recipe: data and options.
        out: the safetensors file to write.
        command: what the user typed, recorded in the file.
        progress: called after every step.
    """
    start = time.monotonic()
    train_set, test_set = _read(recipe)
    classes, options = map_classes(train_set), recipe.options
    if tuple(test_set.metainfo.get("map_classes") or ()) != classes:
        raise ValueError(f"{recipe.test}: test images have other classes of pixels than training images")
    if recipe.test is None:  # somebody's own images may be few
        options = replace(options, batch_size=min(options.batch_size, max(1, len(train_set) // 4)))
    network = train_network(train_set, len(classes), options, progress)
    network.load_state_dict({key: value.float() for key, value in halve(network.state_dict()).items()})
    counts = confusion(network, test_set, options.ignore_label)
    size = train_set.metainfo["image_size"]
    record = SegmenterRecord(
        image_size=(size, size) if isinstance(size, int) else tuple(size),
        widths=options.widths,
        classes=classes,
        dataset=dict(recipe.train),
        test_miou=mean_iou(counts),
        test_pixel_accuracy=float(counts.diagonal().sum() / counts.sum()),
        test_images=len(test_set),
        command=command,
        seed=options.seed,
        seconds=round(time.monotonic() - start, 1),
        precision=resolve(options.precision, "cpu"),
        held_out=recipe.held_out if recipe.test is None else 0.0,
    )
    save_segmenter(out, network, record)
    return record
