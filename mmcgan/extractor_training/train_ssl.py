"""Train a small extractor on unlabelled images: two changed copies of an image shall have near features."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from torch import Tensor, nn

from mmcgan.checkpoints.atomic import write_file
from mmcgan.checkpoints.tensor_bytes import tensor_bytes
from mmcgan.extractor_training.neighbour_quality import installed_extractors, neighbour_quality
from mmcgan.extractor_training.train_classifier import Augmentation
from mmcgan.extractors.base import Preprocessing
from mmcgan.extractors.classifier_file import halve
from mmcgan.extractors.small_network import SmallNetwork, initialise
from mmcgan.extractors.ssl_extractor import FORMAT
from mmcgan.precision import Precision, autocast, check_network_precision, resolve
from mmcgan.random import make_generator

LEAST_IMAGES = 8
FEW_IMAGES = 500
STRONG = Augmentation(rotation=15, scale=0.25, shift=0.12, erase=0.3, noise=0.05)


@dataclass(frozen=True)
class SSLOptions:
    """How the extractor is trained: SimCLR (Chen et al. 2020) with a small residual network.

    Attributes:
        widths: channels of the stem and the stages; the last is the feature dimension.
        epochs, batch_size, learning_rate, weight_decay: as usual.
        updates: in place of ``epochs``, which are few updates of a small set: 20 epochs of 542 images are 40.
        temperature: of the softmax over cosines.
        augmentation: random changes of either copy.
        brightness, contrast, colour: largest relative change of an image's mean level, of its contrast and of
            each channel.
        image_size: side at which the network sees images.
        precision: ``float32``, ``bfloat16`` (autocast) or ``auto`` (bfloat16 where it is fast).
        seed: decides initial weights, order and changes.
    """

    widths: tuple[int, ...] = (16, 32, 64, 128)
    epochs: int = 20
    updates: int | None = None
    batch_size: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    temperature: float = 0.2
    augmentation: Augmentation = STRONG
    brightness: float = 0.3
    contrast: float = 0.4
    colour: float = 0.2
    image_size: int = 32
    precision: Precision = "auto"
    seed: int = 0


Progress = Callable[[int, int, float], None]  # step, number of steps, loss


class ProjectionHead(nn.Module):
    """Two linear layers that only the training sees."""

    def __init__(self, dim: int, out: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(dim, dim), nn.BatchNorm1d(dim), nn.ReLU(), nn.Linear(dim, out))

    def forward(self, features: Tensor) -> Tensor:
        """Return unit vectors (N, out)."""
        return F.normalize(self.layers(features))


def contrastive_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Return SimCLR's loss (NT-Xent) of unit vectors (N, D) of the two copies of N images."""
    both = torch.cat([first, second])
    logits = both @ both.T / temperature
    logits.fill_diagonal_(-torch.inf)
    count = len(first)
    partner = torch.arange(2 * count).roll(count)
    return F.cross_entropy(logits, partner)


def change(pixels: Tensor, options: SSLOptions, generator: torch.Generator) -> Tensor:
    """Return a changed copy of normalised images (N, 3, H, W): moved, erased, relit, noisy."""
    moved = options.augmentation(pixels, generator)

    def factor(limit: float, channels: int) -> Tensor:
        return 1 + limit * (2 * torch.rand(len(pixels), channels, 1, 1, generator=generator) - 1)

    lit = (moved + 1) * factor(options.brightness, 1) * factor(options.colour, 3) - 1
    mean = lit.mean(dim=(1, 2, 3), keepdim=True)
    return (lit - mean) * factor(options.contrast, 1) + mean


def train_ssl(dataset: Any, options: SSLOptions, progress: Progress | None = None) -> SmallNetwork:
    """Train on the images of ``dataset``, labels unused, and return the network in eval mode.

    Raises:
        ValueError: fewer images than one batch, or an unknown precision.
    """
    check_network_precision(options.precision)
    size = len(dataset)
    if size < options.batch_size:
        raise ValueError(f"{size} images do not fill one batch of {options.batch_size}; lower --batch-size")
    network = SmallNetwork(1, options.widths)
    head = ProjectionHead(options.widths[-1])
    for number, module in enumerate((network, head)):
        initialise(module, make_generator(options.seed, "weights", number))
    network.train().to(memory_format=torch.channels_last)
    parameters = [*network.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, options.learning_rate, weight_decay=options.weight_decay)
    per_epoch = size // options.batch_size
    steps = options.epochs * per_epoch if options.updates is None else options.updates
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.learning_rate, total_steps=steps + 1)
    preprocess = Preprocessing(options.image_size)
    for step in range(steps):
        epoch, place = divmod(step, per_epoch)
        order = torch.randperm(size, generator=make_generator(options.seed, "order", epoch))
        rows = order[place * options.batch_size :][: options.batch_size]
        pixels = preprocess(dataset.__getitems__(rows.tolist())["image"])
        generator = make_generator(options.seed, "change", step)
        copies = torch.cat([change(pixels, options, generator) for _ in range(2)])
        with autocast(options.precision, "cpu"):
            features = network.features(copies.contiguous(memory_format=torch.channels_last))
        first, second = head(features.float()).chunk(2)
        loss = contrastive_loss(first, second, options.temperature)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if progress is not None:
            progress(step + 1, steps, float(loss.detach()))
    return network.eval()


def train_ssl_extractor(
    dataset: Any,
    options: SSLOptions,
    out: Path,
    command: str,
    progress: Progress | None = None,
    compare: bool = True,
) -> dict[str, Any]:
    """Train and write ``out``, the record in its metadata and beside it as JSON; return the record.

    Args:
        dataset: images; labels are not read.
        options: how to train.
        out: the safetensors file to write.
        command: what the user typed, recorded in the file.
        progress: called after every step.
        compare: judge extractors that are installed too.

    Raises:
        ValueError: too few images to tell apart.
    """
    if len(dataset) < LEAST_IMAGES:
        raise ValueError(
            f"{len(dataset)} images: features are learnt by telling images apart, which needs at least "
            f"{LEAST_IMAGES}, and thousands to be of use"
        )
    if len(dataset) < FEW_IMAGES:
        print_log(
            f"features learnt from {len(dataset)} images tell little of others; give thousands",
            logger="current",
            level=logging.WARNING,
        )
    others = installed_extractors() if compare else {}
    start = time.monotonic()
    network = train_ssl(dataset, options, progress)
    trained = time.monotonic()
    record = dict(
        options={**asdict(options), "precision": resolve(options.precision, "cpu")},
        dataset=dict(name=type(dataset).__name__, size=len(dataset), fingerprint=dataset.fingerprint()),
        command=command,
        training_seconds=trained - start,
        quality=neighbour_quality(dataset, network, options, others),
        seconds=round(time.monotonic() - start, 1),
    )
    kept = {key: value for key, value in network.state_dict().items() if not key.startswith("classifier.")}
    state = {key: value.contiguous() for key, value in halve(kept).items()}
    text = json.dumps(record, sort_keys=True)
    write_file(out, tensor_bytes(state, {"format": FORMAT, "record": text}))
    write_file(out.with_suffix(".json"), json.dumps(record, indent=1, sort_keys=True))
    return record
