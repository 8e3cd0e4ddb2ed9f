"""Sliced Wasserstein distance between patches of the Laplacian pyramids of two sets of images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

PATCH = 7
RULES = ("pggan", "mmagic")
SMALLEST = 16  # side of the coarsest level in pixels


def _filter(image: Tensor, rule: str, gain: float = 1.0) -> Tensor:
    """Filter (N, C, H, W) by the binomial 5 x 5 kernel."""
    row = image.new_tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    kernel = (gain * torch.outer(row, row)).expand(image.shape[1], 1, 5, 5)
    border = "reflect" if rule == "pggan" else "constant"
    return F.conv2d(F.pad(image, (2, 2, 2, 2), mode=border), kernel, groups=image.shape[1])


def enlarged(image: Tensor, rule: str) -> Tensor:
    """Double the side, then filter."""
    if rule == "mmagic":
        return _filter(F.interpolate(image, scale_factor=2, mode="nearest"), rule)
    spread = image.new_zeros(*image.shape[:2], 2 * image.shape[2], 2 * image.shape[3])
    spread[:, :, ::2, ::2] = image
    return _filter(spread, rule, gain=4.0)


def laplacian_pyramid(image: Tensor, levels: int, rule: str = "pggan") -> list[Tensor]:
    """Return ``levels`` band-pass images, finest first; the last is the remaining low-pass image.

    Burt and Adelson 1983.

    Args:
        image: float (N, C, H, W).
        levels: at least 1; each further one halves the side.
        rule: ``pggan`` enlarges between zeros and mirrors the borders; ``mmagic`` enlarges by nearest
            neighbours and pads with zeros.

    Raises:
        ValueError: an unknown ``rule``.
    """
    if rule not in RULES:
        raise ValueError(f"rule={rule!r}: choose one of {', '.join(RULES)}")
    pyramid = [image]
    for _ in range(levels - 1):
        pyramid.append(_filter(pyramid[-1], rule)[:, :, ::2, ::2])
    for index in range(levels - 1):
        pyramid[index] = pyramid[index] - enlarged(pyramid[index + 1], rule)
    return pyramid


def cut_patches(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return 7 x 7 patches around centres, (P, C, 7, 7); the horizontal axis comes first, as in PGGAN.

    Args:
        image: (N, C, H, W); consecutive centres belong to one image, P / N of them each.
        x, y: int64 (P,), coordinates of the centres.
    """
    per_image = len(x) // len(image)
    offset = torch.arange(PATCH) - PATCH // 2
    sample = torch.arange(len(image)).repeat_interleave(per_image)[:, None, None, None]
    channel = torch.arange(image.shape[1])[None, :, None, None]
    rows = (y[:, None] + offset)[:, None, None, :]
    columns = (x[:, None] + offset)[:, None, :, None]
    return image[sample, channel, rows, columns]


def normalise_patches(patches: Tensor) -> Tensor:
    """Return patches (P, C, 7, 7) as rows (P, C * 49), every channel with mean 0 and deviation 1."""
    mean = patches.mean(dim=(0, 2, 3), keepdim=True)
    deviation = patches.std(dim=(0, 2, 3), keepdim=True)
    return ((patches - mean) / deviation).flatten(1)


def sliced_wasserstein(first: Tensor, second: Tensor, directions: Tensor) -> float:
    """Return the mean over directions of the 1-Wasserstein distance of the projections.

    Rabin et al. 2011.

    Args:
        first, second: (P, D), of one shape.
        directions: (R, D, K); their columns are normalised here. Repeats are averaged.

    Raises:
        ValueError: sets of different shape.
    """
    if first.shape != second.shape:
        raise ValueError(f"expected two sets of one shape, got {tuple(first.shape)}, {tuple(second.shape)}")
    distances = []
    for repeat in directions:
        unit = repeat / repeat.norm(dim=0, keepdim=True)
        pair = [(value @ unit).sort(dim=0).values for value in (first, second)]
        distances.append((pair[0] - pair[1]).abs().mean())
    return float(torch.stack(distances).mean())


def sliced_wasserstein_distance(
    real: Tensor,
    fake: Tensor,
    generator: torch.Generator,
    *,
    patches_per_image: int = 128,
    repeats: int = 4,
    directions: int = 128,
    rule: str = "pggan",
) -> dict[str, float]:
    """Return the distance x 1000 at every level of the pyramid, ``swd_<side>``, and their mean ``swd``.

    Karras et al. 2018 (PGGAN), section 5: levels from the full size down to 16 pixels.

    Args:
        real: uint8 or float (N, C, H, W), H = W a power of two of 16 or more.
        fake: of the shape of ``real``.
        generator: decides patches and directions.
        patches_per_image: 7 x 7 patches per image and level.
        repeats: groups of directions.
        directions: per group.
        rule: see :func:`laplacian_pyramid`.

    Raises:
        ValueError: shapes that differ, or a side that is no power of two of 16 or more.
    """
    side = real.shape[-1]
    if real.shape != fake.shape or real.ndim != 4:
        raise ValueError(f"SWD needs two equal batches, got {tuple(real.shape)} and {tuple(fake.shape)}")
    if real.shape[2] != side or side < SMALLEST or side & (side - 1):
        raise ValueError(
            f"SWD needs square images with a side of 16, 32, 64, ... pixels, got {real.shape[2]} x {side}"
        )
    levels = side.bit_length() - SMALLEST.bit_length() + 1
    pyramids = [laplacian_pyramid(value.float(), levels, rule) for value in (real, fake)]
    figures = {}
    for first, second in zip(*pyramids, strict=True):
        rows = [
            normalise_patches(_random_patches(level, patches_per_image, generator))
            for level in (first, second)
        ]
        drawn = torch.randn(repeats, rows[0].shape[1], directions, generator=generator)
        figures[f"swd_{first.shape[-1]}"] = 1000 * sliced_wasserstein(rows[0], rows[1], drawn)
    return {**figures, "swd": sum(figures.values()) / len(figures)}


def _random_patches(level: Tensor, per_image: int, generator: torch.Generator) -> Tensor:
    half, side, count = PATCH // 2, level.shape[-1], per_image * len(level)
    x, y = (torch.randint(half, side - half, (count,), generator=generator) for _ in range(2))
    return cut_patches(level, x, y)
