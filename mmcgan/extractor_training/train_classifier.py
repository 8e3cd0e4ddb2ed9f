"""Train the small classifiers that evaluate generated images without any download."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.class_names import named_classes
from mmcgan.extractor_training.held_out import check_share, held_out_rows
from mmcgan.extractors.base import Preprocessing
from mmcgan.extractors.classifier_file import ClassifierRecord, halve, save_classifier
from mmcgan.extractors.small_network import SmallNetwork, initialise
from mmcgan.precision import Precision, autocast, check_network_precision, resolve
from mmcgan.random import make_generator
from mmcgan.registry import DATASETS


@dataclass(frozen=True)
class Augmentation:
    """Random changes under which a class must not change.

    Attributes:
        rotation: largest angle, degrees.
        scale: largest relative change of size.
        shift: largest displacement, as a fraction of the side.
        flip: mirror half of the images left to right.
        erase: side of an erased square as a fraction of the side, in half of the images; 0 is off.
        noise: largest standard deviation of added Gaussian noise, of a range of 2.
    """

    rotation: float = 10.0
    scale: float = 0.1
    shift: float = 0.08
    flip: bool = False
    erase: float = 0.25
    noise: float = 0.05

    def __call__(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Return changed copies of normalised images (N, 3, H, W)."""
        count = len(pixels)

        def uniform(limit: float) -> Tensor:
            return (torch.rand(count, generator=generator) * 2 - 1) * limit

        angle, zoom = uniform(math.radians(self.rotation)), 1 + uniform(self.scale)
        mirror = torch.where(torch.rand(count, generator=generator) < 0.5 * self.flip, -1.0, 1.0)
        rows = [angle.cos() * zoom * mirror, -angle.sin() * zoom, 2 * uniform(self.shift)]
        rows += [angle.sin() * zoom * mirror, angle.cos() * zoom, 2 * uniform(self.shift)]
        theta = torch.stack(rows, dim=1).view(count, 2, 3)
        grid = F.affine_grid(theta, list(pixels.shape), align_corners=False)
        moved = F.grid_sample(pixels + 1, grid, align_corners=False) - 1  # -1 is black: pad with it
        moved = self._erase(moved, generator)
        level = torch.rand(count, 1, 1, 1, generator=generator) * self.noise
        return moved + level * torch.randn(moved.shape, generator=generator)

    def _erase(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Set a square at a random place to grey in half of the images."""
        count, _, height, width = pixels.shape
        side = self.erase * height * (torch.rand(count, generator=generator) < 0.5)
        centre = torch.rand(count, 2, generator=generator) * torch.tensor([height, width])
        near_y = (torch.arange(height) - centre[:, :1]).abs() < side[:, None] / 2
        near_x = (torch.arange(width) - centre[:, 1:]).abs() < side[:, None] / 2
        hole = (near_y[:, :, None] & near_x[:, None, :])[:, None]
        return torch.where(hole, 0.0, pixels)


@dataclass(frozen=True)
class TrainOptions:
    """How a classifier is trained: AdamW, one-cycle cosine schedule, cross-entropy.

    Attributes:
        widths: channels of the stem and the stages.
        epochs, batch_size, learning_rate, weight_decay: as usual.
        augmentation: random changes of the training images.
        precision: ``float32``, ``bfloat16`` (autocast) or ``auto`` (bfloat16 where it is fast).
        seed: decides initial weights, order and augmentation.
    """

    widths: tuple[int, ...] = (16, 32, 64, 96)
    epochs: int = 15
    batch_size: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    augmentation: Augmentation = Augmentation()
    precision: Precision = "auto"
    seed: int = 0


Images = tuple[Tensor, Tensor]  # uint8 (N, 3, H, W) and int64 (N,)
Progress = Callable[[int, int, float], None]  # step, number of steps, loss


def _batches(count: int, options: TrainOptions) -> Iterator[Tensor]:
    """Yield row indices, every epoch in another order, incomplete batches left out."""
    for epoch in range(options.epochs):
        order = torch.randperm(count, generator=make_generator(options.seed, "order", epoch))
        yield from order[: count - count % options.batch_size].split(options.batch_size)


def warm_cosine(progress: float) -> float:
    """Return the factor at ``progress`` in [0, 1]: a tenth of linear warm-up, then a half cosine."""
    return min(progress / 0.1, 0.5 * (1 + math.cos(math.pi * max(progress - 0.1, 0) / 0.9)))


def train_network(
    train: Images,
    num_classes: int,
    options: TrainOptions,
    progress: Progress | None = None,
    objective: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
) -> SmallNetwork:
    """Train a network on uint8 images (N, 3, H, W) with labels (N,) and return it in eval mode.

    Args:
        train: images and labels, or other targets that ``objective`` takes.
        num_classes: number of logits.
        options: how to train.
        progress: called after every step.
        objective: (logits (N, C), targets) -> loss.

    Raises:
        ValueError: fewer images than one batch, labels outside 0..num_classes-1, or an unknown precision.
    """
    check_network_precision(options.precision)
    images, labels = train
    if len(images) < options.batch_size:
        raise ValueError(f"{len(images)} training images do not fill one batch of {options.batch_size}")
    if not labels.is_floating_point() and (int(labels.min()) < 0 or int(labels.max()) >= num_classes):
        raise ValueError(
            f"labels span {int(labels.min())}..{int(labels.max())}, classes 0..{num_classes - 1}"
        )
    network = SmallNetwork(num_classes, options.widths)
    initialise(network, make_generator(options.seed, "weights"))
    network.train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(
        network.parameters(), options.learning_rate, weight_decay=options.weight_decay
    )
    steps = options.epochs * (len(images) // options.batch_size)
    preprocess = Preprocessing(images.shape[-1])
    for step, rows in enumerate(_batches(len(images), options)):
        optimizer.param_groups[0]["lr"] = options.learning_rate * warm_cosine((step + 1) / (steps + 1))
        pixels = options.augmentation(preprocess(images[rows]), make_generator(options.seed, "augment", step))
        with autocast(options.precision, "cpu"):
            _, logits = network(pixels.contiguous(memory_format=torch.channels_last))
        loss = objective(logits.float(), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if progress is not None:
            progress(step + 1, steps, float(loss.detach()))
    return network.eval()


@torch.no_grad()
def accuracy(network: SmallNetwork, data: Images, batch_size: int = 500) -> float:
    """Return the share of images whose largest logit is their label, in float32."""
    preprocess = Preprocessing(data[0].shape[-1])
    network.eval()
    pairs = zip(data[0].split(batch_size), data[1].split(batch_size), strict=True)
    hits = sum(int((network(preprocess(image))[1].argmax(1) == label).sum()) for image, label in pairs)
    return hits / len(data[1])


@dataclass(frozen=True)
class Recipe:
    """A data set and how its classifier is trained.

    Attributes:
        train, test: dataset configs; ``test`` images are never trained on. Without ``test``, a share of each
            class of ``train`` is held out.
        options: how to train.
        held_out: that share.
    """

    train: dict[str, Any]
    test: dict[str, Any] | None
    options: TrainOptions
    held_out: float = 0.0


RECIPES = {
    "digits-16": Recipe(
        dict(type="DigitsDataset", split="train", image_size=16),
        dict(type="DigitsDataset", split="test", image_size=16),
        TrainOptions(widths=(16, 32, 64), epochs=150, batch_size=64, learning_rate=4e-3),
    ),
    "fashion-mnist-32": Recipe(
        dict(type="FashionMNIST", split="train", image_size=32),
        dict(type="FashionMNIST", split="test", image_size=32),
        TrainOptions(epochs=14, augmentation=Augmentation(rotation=5, scale=0.1, shift=0.06, flip=True)),
    ),
    "two-domain-digits-16": Recipe(
        dict(type="TwoDomainDigits", split="train", image_size=16),
        dict(type="TwoDomainDigits", split="test", image_size=16),
        TrainOptions(widths=(16, 32, 64), epochs=100, batch_size=64, learning_rate=4e-3),
    ),
}


def read_images(dataset: Any, where: str) -> Images:
    """Return all images uint8 (N, 3, H, W) and labels int64 (N,) of a labelled dataset.

    Raises:
        ValueError: the dataset has no labels.
    """
    batch = dataset.__getitems__(range(len(dataset)))
    if "label" not in batch:
        raise ValueError(f"{where}: a classifier needs labels, this data set has none")
    return batch["image"], batch["label"]


def hold_out(data: Images, classes: Sequence[str], share: float, seed: int) -> tuple[Images, Images]:
    """Return training and test images: of every class a share, at least one image, is for testing.

    Args:
        data: images and labels.
        classes: names of the classes.
        share: between 0 and 1.
        seed: decides which images.

    Raises:
        ValueError: ``share`` out of range, or a class with fewer than two images.
    """
    check_share(share)
    images, labels = data
    for name, count in zip(classes, torch.bincount(labels, minlength=len(classes)).tolist(), strict=True):
        if count < 2:
            raise ValueError(f"class {name!r} has {count} images: one to learn from, one to test on")
    tested = held_out_rows(labels, share, seed)
    return (images[~tested], labels[~tested]), (images[tested], labels[tested])


def _read(recipe: Recipe) -> tuple[Images, Images, tuple[str, ...]]:
    """Return training images, test images and the names of the classes."""
    train_set = DATASETS.build(dict(recipe.train))
    where = f"training set {recipe.train}"
    train = read_images(train_set, where)
    classes = named_classes(train_set.metainfo, train[1].tolist(), where)
    if recipe.test is None:
        return *hold_out(train, classes, recipe.held_out, recipe.options.seed), classes
    return train, read_images(DATASETS.build(dict(recipe.test)), f"test set {recipe.test}"), classes


def train_classifier(
    recipe: Recipe, out: Path, command: str, progress: Progress | None = None
) -> ClassifierRecord:
    """Train by ``recipe``, measure the rounded weights on the test images, write ``out``.

    Args:
        recipe: data and options.
        out: the safetensors file to write.
        command: what the user typed, recorded in the file.
        progress: called after every step.
    """
    start = time.monotonic()
    train, test, classes = _read(recipe)
    options = recipe.options
    if recipe.test is None:  # somebody's own images may be few
        options = replace(options, batch_size=min(options.batch_size, max(2, len(train[1]) // 4)))
    network = train_network(train, len(classes), options, progress)
    rounded = {key: value.float() for key, value in halve(network.state_dict()).items()}
    network.load_state_dict(rounded)
    record = ClassifierRecord(
        image_size=train[0].shape[-1],
        widths=recipe.options.widths,
        classes=classes,
        dataset=dict(recipe.train),
        test_accuracy=accuracy(network, test),
        test_images=len(test[1]),
        command=command,
        seed=recipe.options.seed,
        seconds=round(time.monotonic() - start, 1),
        precision=resolve(recipe.options.precision, "cpu"),
        held_out=recipe.held_out if recipe.test is None else 0.0,
    )
    save_classifier(out, network, record)
    return record
