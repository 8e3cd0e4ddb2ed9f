"""Directions of a latent that change an image most, in closed form (SeFa, Shen & Zhou 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmcgan.models.generators.base import LATENT, Generator
from mmcgan.structures import Condition


@dataclass(frozen=True)
class Directions:
    """Unit vectors to move along.

    Attributes:
        vectors: (K, D), the strongest first. The sign is a convention: the entry of largest size is
            positive.
        singular_values: (K,), descending.
        space: ``latent`` or, of a generator that has styles, ``style``.
    """

    vectors: Tensor
    singular_values: Tensor
    space: str


def sefa_directions(generator: Generator, count: int) -> Directions:
    """Return the right singular vectors of the map that meets the latent first (SeFa, Eq. 4).

    The generator says which (:meth:`~mmcgan.models.generators.base.Generator.first_map`): of the first
    linear map the columns that see the latent. A hierarchical BigGAN shows it only the first chunk, so that
    directions are 0 in the others. StyleGAN2's are directions of the style, from the style maps of all
    convolutions.

    Args:
        generator: any that says its first map.
        count: number of directions, at least 1.

    Raises:
        ValueError: more directions than dimensions, or a generator that does not say.
    """
    first = generator.first_map()
    matrix, space = first.matrix, first.space
    seen = int((matrix != 0).any(0).sum()) if space == LATENT else matrix.shape[1]
    if not 1 <= count <= min(seen, *matrix.shape):
        raise ValueError(f"count of directions must lie in 1..{min(seen, *matrix.shape)}, got {count}")
    _, values, vectors = torch.linalg.svd(matrix.double(), full_matrices=False)
    chosen = vectors[:count]
    largest = chosen.gather(1, chosen.abs().argmax(1, keepdim=True))
    return Directions((chosen * largest.sign()).float(), values[:count].float(), space)


@torch.no_grad()
def move(
    generator: Generator,
    latent: Tensor,
    condition: Condition,
    directions: Directions,
    strengths: Sequence[float],
) -> Tensor:
    """Return the image (1, 3, H, W) of one latent moved along all directions together.

    Args:
        generator: the one that ``directions`` are of, in evaluation mode.
        latent: (1, D).
        condition: of one image.
        directions: K of them.
        strengths: K multiples of the unit vectors, one for each.

    Raises:
        ValueError: more than one latent, or another number of strengths than of directions.
    """
    if len(latent) != 1 or len(strengths) != len(directions.vectors):
        raise ValueError(
            f"move: one latent and {len(directions.vectors)} strengths are needed, got {len(latent)} and "
            f"{len(strengths)}"
        )
    scale = torch.tensor(list(strengths), dtype=latent.dtype, device=latent.device)
    step = scale @ directions.vectors.to(latent)
    return generator.moved(latent, condition, step[None], directions.space)


@torch.no_grad()
def walk(
    generator: Generator,
    latent: Tensor,
    condition: Condition,
    directions: Directions,
    strengths: Sequence[float],
) -> Tensor:
    """Return images (K, S, 3, H, W): one latent moved along every direction by every strength.

    Args:
        generator, latent, condition, directions: see :func:`move`.
        strengths: S multiples of the unit vectors, negative ones too.

    Raises:
        ValueError: more than one latent.
    """
    if len(latent) != 1:
        raise ValueError(f"walk: one latent is moved, got {len(latent)}")
    scale = torch.tensor(list(strengths), dtype=latent.dtype, device=latent.device)
    steps = scale[None, :, None] * directions.vectors.to(latent)[:, None]
    return torch.stack([generator.moved(latent, condition, row, directions.space) for row in steps])
