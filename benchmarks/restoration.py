"""Restoring held-out images: three generators as the prior, interpolation and a deep image prior beside them.

    python benchmarks/restoration.py --out work_dirs/restoration

Reconstruction and super-resolution of Fashion-MNIST test images of different classes, as Omni-GAN's Table 3
does for ImageNet. All generators are tuned for the same number of iterations, and one discriminator compares
for all: the only one that ships. Rows that are there are not made again. Writes ``rows.json``, ``table.md``
and a sheet for each task.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

import mmcgan.datasets  # noqa: F401  (registers the data sets)
from mmcgan.checkpoints.atomic import atomic_write
from mmcgan.pictures import contact_sheet, write_png
from mmcgan.progress import progress_bar
from mmcgan.random import make_generator
from mmcgan.registry import DATASETS, DEGRADATIONS
from mmcgan.restoration import (
    Degradation,
    Problem,
    figures,
    load_prior,
    parameter_groups,
    preset_plan,
    restore_image,
)
from mmcgan.restoration.presets import for_size, shortened

MODELS = {
    "BigGAN": "biggan_fashion-mnist-32",
    "Omni-GAN": "omnigan_biggan_fashion-mnist-32",
    "Omni-INR-GAN": "omni-inr_biggan_fashion-mnist-32",
}
COMPARED_BY = "omni-inr_biggan_fashion-mnist-32-discriminator"
TASKS: dict[str, dict[str, Any]] = {
    "reconstruction": {"type": "reconstruct"},
    "SR x2": {"type": "sr", "factor": 2},
    "SR x4": {"type": "sr", "factor": 4},
}
CANDIDATES = 100
DIP_ITERATIONS, DIP_RATE, DIP_CHANNELS = 300, 1e-2, 32

Method = Callable[[Tensor, Degradation, str], Tensor]


def interpolated(filter_name: str) -> Method:
    """Return the method that shrinks with Lanczos' filter, as the task does, and enlarges with another."""

    def method(original: Tensor, degradation: Degradation, task: str) -> Tensor:
        side = original.shape[2] // TASKS[task]["factor"]
        levels = ((original[0] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
        small = Image.fromarray(levels).resize((side, side), Image.Resampling.LANCZOS)
        large = small.resize((original.shape[3], original.shape[2]), Image.Resampling[filter_name])
        return torch.from_numpy(np.array(large)).permute(2, 0, 1)[None].float() / 127.5 - 1

    return method


def deep_image_prior(original: Tensor, degradation: Degradation, task: str) -> Tensor:
    """Return what a small untrained network, fitted to the degraded image, makes (Ulyanov et al. 2018)."""
    source = make_generator(0, "deep image prior")
    target, width = degradation.target(original), DIP_CHANNELS
    noise = torch.randn(1, width, *original.shape[2:], generator=source) * 0.1
    network = nn.Sequential(
        _convolution(width, width, 2),
        _convolution(width, 2 * width, 2),
        _convolution(2 * width, 2 * width, 1),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        _convolution(2 * width, width, 1),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        _convolution(width, width, 1),
        nn.Conv2d(width, original.shape[1], 1),
        nn.Tanh(),
    )
    for parameter in network.parameters():
        if parameter.ndim > 1:
            bound = parameter[0].numel() ** -0.5
            parameter.data = (torch.rand(parameter.shape, generator=source) * 2 - 1) * bound
    optimizer = torch.optim.Adam(network.parameters(), lr=DIP_RATE)
    for _ in range(DIP_ITERATIONS):
        optimizer.zero_grad()
        F.mse_loss(degradation.degrade(network(noise)), target).backward()
        optimizer.step()
    return network(noise).detach()


def _convolution(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, 1), nn.BatchNorm2d(out_channels), nn.LeakyReLU(0.2)
    )


def generative_prior(name: str, share: float) -> Method:
    """Return the method that tunes a shipped generator."""
    prior = load_prior(name, discriminator=COMPARED_BY)

    def method(original: Tensor, degradation: Degradation, task: str) -> Tensor:
        plan = preset_plan(TASKS[task]["type"], len(parameter_groups(prior.generator)))
        plan = shortened(for_size(plan, original.shape[2]), share)
        problem = Problem(degradation.target(original), degradation, prior.distance)
        return restore_image(prior, problem, replace(plan, candidates=CANDIDATES)).image

    return method


def held_out(count: int) -> list[Tensor]:
    """Return the first test image (1, 3, 32, 32) of each class in turn, then the second, ..."""
    data = DATASETS.build({"type": "FashionMNIST", "split": "test", "image_size": 32})
    by_class: dict[int, list[Tensor]] = {}
    for index in range(500):
        item = data[index]
        by_class.setdefault(int(item["label"]), []).append(item["image"])
    chosen = [by_class[i % 10][i // 10] for i in range(count)]
    return [image[None].float() / 127.5 - 1 for image in chosen]


def methods_of(task: str, share: float) -> dict[str, Method]:
    """Return the methods that are compared at a task; where nothing is missing, generators only."""
    priors = {name: generative_prior(model, share) for name, model in MODELS.items()}
    if "factor" not in TASKS[task]:
        return priors
    simple = {"bilinear": interpolated("BILINEAR"), "bicubic": interpolated("BICUBIC")}
    return {**simple, "deep image prior": deep_image_prior, **priors}


def run(out: Path, images: Sequence[Tensor], share: float) -> list[dict[str, Any]]:
    """Restore every image by every method and return the rows; those on disk are kept."""
    file = out / "rows.json"
    rows: list[dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else []
    done = {(row["task"], row["method"], row["image"]) for row in rows}
    jobs = [(task, name) for task in TASKS for name in methods_of(task, share)]
    with progress_bar("Restoring", len(jobs) * len(images)) as advance:
        for (task, name), (index, original) in product(jobs, enumerate(images)):
            if (task, name, index) not in done:
                degradation = DEGRADATIONS.build(dict(TASKS[task]))
                restored = methods_of(task, share)[name](original, degradation, task).clamp(-1, 1)
                found = figures(restored, original, degradation)
                rows.append({"task": task, "method": name, "image": index, **found})
                _save(file, json.dumps(rows, indent=1))
                write_png(contact_sheet(restored, 1), _picture(out, task, name, index))
            advance()
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the means and deviations over images as a Markdown table."""
    lines = ["| task | method | PSNR (dB) | SSIM |", "|---|---|---|---|"]
    for task in TASKS:
        for name in dict.fromkeys(row["method"] for row in rows if row["task"] == task):
            own = [row for row in rows if row["task"] == task and row["method"] == name]
            cells = [_spread([row[key] for row in own], digits) for key, digits in (("psnr", 2), ("ssim", 3))]
            lines.append(f"| {task} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _spread(values: Sequence[float], digits: int) -> str:
    deviation = stdev(values) if len(values) > 1 else 0.0
    return f"{mean(values):.{digits}f} ± {deviation:.{digits}f}"


def sheet(out: Path, task: str, rows: Sequence[dict[str, Any]], images: Sequence[Tensor]) -> None:
    """Write a picture of a task: originals, what was given, then a row of images per method."""
    degradation = DEGRADATIONS.build(dict(TASKS[task]))
    names = dict.fromkeys(row["method"] for row in rows if row["task"] == task)
    first = [contact_sheet(torch.cat(list(images)), len(images))]
    if "factor" in TASKS[task]:
        first.append(contact_sheet(torch.cat([degradation.target(each) for each in images]), len(images)))
    below = [
        np.concatenate(
            [np.asarray(Image.open(_picture(out, task, name, i))) for i in range(len(images))], axis=1
        )
        for name in names
    ]
    write_png(np.concatenate([*first, *below]), out / f"{task.replace(' ', '-')}.png")


def _picture(out: Path, task: str, method: str, index: int) -> Path:
    return out / "pictures" / f"{task}_{method}_{index}.png".replace(" ", "-")


def _save(file: Path, text: str) -> None:
    atomic_write(file, lambda stream: stream.write(text.encode()) and None)


def main(argv: Sequence[str] | None = None) -> int:
    """Restore, write and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--images", type=int, default=8, metavar="N", help="default: %(default)s")
    parser.add_argument("--share", type=float, default=0.2, metavar="S", help="of the plans' iterations")
    given = parser.parse_args(argv)
    images = held_out(given.images)
    rows = run(given.out, images, given.share)
    for task in TASKS:
        sheet(given.out, task, rows, images)
    _save(given.out / "table.md", table(rows))
    print(table(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
