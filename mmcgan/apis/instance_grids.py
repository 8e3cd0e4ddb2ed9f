"""What to generate from instances: lists and grids of conditions and latents."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from mmcgan.structures import Condition

GRIDS = ("latents", "classes", "interpolate")
Latents = Callable[[int], Tensor]  # number of an image -> its latent (1, D)


@dataclass(frozen=True)
class Request:
    """Images to generate.

    Attributes:
        condition: what each shows.
        latent: (N, D).
        columns: of the picture of all.
        names: part of a file name for each.
        rows: number of the instance that each belongs to, in order of the instances.
    """

    condition: Condition
    latent: Tensor
    columns: int
    names: list[str]
    rows: list[int]

    def __len__(self) -> int:
        return len(self.latent)


@dataclass(frozen=True)
class Instances:
    """Instances to condition on.

    Attributes:
        feature: float32 (M, F).
        names: for files.
        label: int64 (M,), or None: the label that came with each.
    """

    feature: Tensor
    names: list[str]
    label: Tensor | None = None

    def __len__(self) -> int:
        return len(self.feature)


def short_names(texts: Sequence[str]) -> list[str]:
    """Return texts as parts of file names."""
    return [re.sub(r"[^A-Za-z0-9.-]+", "-", text)[:40] for text in texts]


def over_latents(instances: Instances, labels: Sequence[int], columns: int, latents: Latents) -> Request:
    """Return a row per instance, a column per latent; labels in turn down the rows."""
    rows = [row for row in range(len(instances)) for _ in range(columns)]
    label = torch.tensor([labels[row % len(labels)] for row in rows]) if labels else None
    latent = torch.cat([latents(column) for column in range(columns)]).repeat(len(instances), 1)
    return _request(instances, rows, label, latent, columns)


def over_classes(instances: Instances, labels: Sequence[int], latents: Latents) -> Request:
    """Return a row per instance, a column per label, all of one latent.

    Raises:
        ValueError: no labels.
    """
    if not labels:
        raise ValueError("--grid classes needs a class-conditional model")
    rows = [row for row in range(len(instances)) for _ in labels]
    label = torch.tensor(list(labels) * len(instances))
    return _request(instances, rows, label, latents(0).expand(len(rows), -1), len(labels))


def interpolated(instances: Instances, labels: Sequence[int], steps: int, latents: Latents) -> Request:
    """Return from the first instance to the second across, from the first latent to the second down.

    Features are interpolated along the line between them and brought back to length 1, latents along the line
    (IC-GAN, Fig. 6).

    Raises:
        ValueError: not two instances, fewer than two steps, or more than one label.
    """
    if len(instances) != 2:
        raise ValueError(f"--grid interpolate is between two instances, got {len(instances)}")
    if steps < 2:
        raise ValueError(f"--columns must be at least 2 to interpolate, got {steps}")
    if len(labels) > 1:
        raise ValueError(f"--grid interpolate takes one label, got {len(labels)}")
    share = torch.linspace(0, 1, steps)[:, None]
    feature = normalize((1 - share) * instances.feature[:1] + share * instances.feature[1:])
    feature[0], feature[-1] = instances.feature[0], instances.feature[1]  # not rounded once more
    latent = (1 - share) * latents(0) + share * latents(1)
    between = Instances(feature, [f"step{i}" for i in range(steps)])
    label = torch.full((steps * steps,), labels[0]) if labels else None
    if label is None and instances.label is not None:
        label = instances.label[:1].expand(steps * steps)
    rows = list(range(steps)) * steps
    return _request(between, rows, label, latent.repeat_interleave(steps, 0), steps)


def _request(
    instances: Instances, rows: list[int], label: Tensor | None, latent: Tensor, columns: int
) -> Request:
    if label is None and instances.label is not None:
        label = instances.label[torch.tensor(rows)]
    condition = Condition(label=label, instance=instances.feature[torch.tensor(rows)])
    return Request(condition, latent, columns, [instances.names[row] for row in rows], rows)
