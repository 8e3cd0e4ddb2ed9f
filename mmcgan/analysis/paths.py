"""Ways between latents or embeddings, and small steps away from them."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

METHODS = ("linear", "spherical")
#: below this sine of the angle between two vectors the great circle is a line
SMALL_SINE = 1e-3


def interpolate(first: Tensor, second: Tensor, steps: int, method: str = "linear") -> Tensor:
    """Return ``steps`` evenly spaced points from ``first`` to ``second``, both included, (N, steps, D).

    ``spherical`` moves at constant angular speed along the great circle through both (White 2016,
    "Sampling Generative Networks"), which keeps the length that normal latents have; it is the line
    where they point the same or opposite ways.

    Args:
        first, second: (N, D), or (1, D) for all.
        steps: at least 2.
        method: ``linear`` or ``spherical``.

    Raises:
        ValueError: fewer than two steps, an unknown method, or vectors of different lengths.
    """
    if steps < 2:
        raise ValueError(f"an interpolation has at least 2 steps, got {steps}")
    if method not in METHODS:
        raise ValueError(f"interpolation method={method!r}: choose one of {', '.join(METHODS)}")
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(f"cannot interpolate between {tuple(first.shape)} and {tuple(second.shape)}")
    share = torch.linspace(0, 1, steps, dtype=first.dtype, device=first.device)[:, None]
    first, second = first[:, None], second[:, None]
    line = first.lerp(second, share)
    if method == "linear":
        return line
    unit = [vector / vector.norm(dim=-1, keepdim=True).clamp_min(1e-12) for vector in (first, second)]
    angle = (unit[0] * unit[1]).sum(-1, keepdim=True).clamp(-1, 1).acos()
    sine = angle.sin()
    circle = (((1 - share) * angle).sin() * first + (share * angle).sin() * second) / sine.clamp_min(1e-12)
    way = torch.where(sine < SMALL_SINE, line, circle)
    # rounding must not move the ends, which are images of their own
    return torch.cat([line[:, :1], way[:, 1:-1], line[:, -1:]], dim=1)


def perturb(latent: Tensor, radius: float, generator: Generator, uniform: bool = False) -> Tensor:
    """Return ``latent`` + ``radius`` x fresh noise, (N, D) (zCR; StudioGAN's z + eps).

    Args:
        latent: (N, D).
        radius: greater than 0.
        generator: of the noise.
        uniform: noise from U(-1, 1) instead of N(0, 1), as suits uniform latents.

    Raises:
        ValueError: ``radius`` is not positive.
    """
    if not radius > 0:
        raise ValueError(f"perturb: radius must be greater than 0, got {radius}")
    if uniform:
        noise = 2 * torch.rand(latent.shape, generator=generator, device=generator.device) - 1
    else:
        noise = torch.randn(latent.shape, generator=generator, device=generator.device)
    return latent + radius * noise.to(latent)
