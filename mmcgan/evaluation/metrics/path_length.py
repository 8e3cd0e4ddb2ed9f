"""Perceptual path length: how much the image changes along a step in latent space."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

INTERPOLATIONS = ("spherical", "linear")


def slerp(first: Tensor, second: Tensor, position: Tensor | float) -> Tensor:
    """Return unit vectors on the great circle between the directions of two sets of vectors.

    Karras et al. 2019 (StyleGAN), section 4.1. Both ends are normalised first.

    Args:
        first, second: (N, D).
        position: 0 gives ``first``, 1 ``second``; a number or (N, 1).
    """
    first, second = (value / value.norm(dim=-1, keepdim=True) for value in (first, second))
    cosine = (first * second).sum(dim=-1, keepdim=True).clamp(-1, 1)
    angle = position * cosine.acos()
    aside = second - cosine * first
    aside = aside / aside.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    found = first * angle.cos() + aside * angle.sin()
    return found / found.norm(dim=-1, keepdim=True)


def trimmed_mean(distances: Tensor, share: float = 0.01) -> float:
    """Return the mean of (N,) values without the ``share`` smallest and largest, in float64.

    The limits are the values at or beyond the percentiles, as in StyleGAN: the lower of two at the low
    end, the higher at the high end.

    Raises:
        ValueError: no distances, or NaN among them.
    """
    if not len(distances) or not torch.isfinite(distances).all():
        raise ValueError("the path length needs distances, all of them finite")
    values = distances.double()
    low = torch.quantile(values, share, interpolation="lower")
    high = torch.quantile(values, 1 - share, interpolation="higher")
    return float(values[(values >= low) & (values <= high)].mean())


def perceptual_path_length(
    synthesize: Callable[[Tensor, slice], Tensor],
    distance: Callable[[Tensor, Tensor], Tensor],
    latents: tuple[Tensor, Tensor],
    generator: torch.Generator,
    *,
    epsilon: float = 1e-4,
    interpolation: str = "spherical",
    whole_path: bool = True,
    batch_size: int = 64,
) -> float:
    """Return the mean of distance(G(z_t), G(z_{t+ε})) / ε² over pairs of latents.

    Karras et al. 2019 (StyleGAN), equations 2-3, without the 1 % extremes on either side.

    Args:
        synthesize: images of latents (n, D); the slice says which rows they are, for their labels.
        distance: of two batches of images, (n,), for instance ``lpips.LPIPS``.
        latents: two ends (N, D).
        generator: decides where on the path each pair is looked at.
        epsilon: length of the step.
        interpolation: ``spherical`` for normal latents z, ``linear`` for mapped latents w.
        whole_path: position uniform in 0..1; False looks at the start only ("end").
        batch_size: pairs per call.

    Raises:
        ValueError: ends of different shape, or an unknown ``interpolation``.
    """
    first, second = latents
    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"interpolation={interpolation!r}: choose one of {', '.join(INTERPOLATIONS)}")
    if first.shape != second.shape or first.ndim != 2:
        raise ValueError(f"expected two ends (N, D), got {tuple(first.shape)} and {tuple(second.shape)}")
    if epsilon <= 0:
        raise ValueError(f"epsilon must be positive, got {epsilon}")
    between = slerp if interpolation == "spherical" else torch.lerp
    position = torch.rand(len(first), 1, generator=generator).to(first) * whole_path
    found = []
    for start in range(0, len(first), batch_size):
        rows = slice(start, start + batch_size)
        ends = first[rows], second[rows]
        images = [synthesize(between(*ends, position[rows] + step), rows) for step in (0.0, epsilon)]
        found.append(distance(images[0], images[1]).flatten().double() / epsilon**2)
    return trimmed_mean(torch.cat(found))
