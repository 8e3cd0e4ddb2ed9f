"""Directions of a latent that change an image most, in closed form (SeFa, Shen & Zhou 2021)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmcgan.models.generators import (
    BigGANDeepGenerator,
    BigGANGenerator,
    CodedGenerator,
    DCGANGenerator,
    ResNetGenerator,
    StyleGAN2Generator,
)
from mmcgan.models.layers.equalized import EqualizedLinear
from mmcgan.structures import Condition

LATENT, STYLE = "latent", "style"


@dataclass(frozen=True)
class Directions:
    """Unit vectors to move along.

    Attributes:
        vectors: (K, D), the strongest first. The sign is a convention: the entry of largest size is
            positive.
        singular_values: (K,), descending.
        space: ``latent`` or, for StyleGAN2, ``style``.
    """

    vectors: Tensor
    singular_values: Tensor
    space: str


def effective_weight(layer: nn.Module) -> Tensor:
    """Return the weight that ``layer`` applies in evaluation, spectral norm included."""
    spectral, weight = getattr(layer, "spectral", None), layer.weight
    assert isinstance(weight, Tensor)
    if spectral is None:
        return weight.detach()
    was_training = spectral.training
    with torch.no_grad():
        normalised = spectral.eval()(weight)
    spectral.train(was_training)
    return normalised


def sefa_directions(generator: nn.Module, count: int) -> Directions:
    """Return the right singular vectors of the map that meets the latent first (SeFa, Eq. 4).

    That map is the first linear one; of it, the columns that see the latent. A hierarchical
    :class:`BigGANGenerator` shows it only the first chunk, so that directions are 0 in the others.
    :class:`CodedGenerator` puts its own map in front. StyleGAN2's are directions of the style, from the
    style maps of all convolutions together.

    Args:
        generator: one of this package's generators.
        count: number of directions, at least 1.

    Raises:
        ValueError: more directions than dimensions, or an unknown generator.
    """
    matrix, space = _first_map(generator)
    seen = int((matrix != 0).any(0).sum()) if space == LATENT else matrix.shape[1]
    if not 1 <= count <= min(seen, *matrix.shape):
        raise ValueError(f"count of directions must lie in 1..{min(seen, *matrix.shape)}, got {count}")
    _, values, vectors = torch.linalg.svd(matrix.double(), full_matrices=False)
    chosen = vectors[:count]
    largest = chosen.gather(1, chosen.abs().argmax(1, keepdim=True))
    return Directions((chosen * largest.sign()).float(), values[:count].float(), space)


def _first_map(generator: nn.Module) -> tuple[Tensor, str]:
    """Return the matrix (outputs, D) by which latents or styles enter, and which of both."""
    if isinstance(generator, CodedGenerator):
        matrix, space = _first_map(generator.generator)
        if space == STYLE:
            return matrix, space
        return matrix @ effective_weight(generator.mix), space
    if isinstance(generator, StyleGAN2Generator):
        return _style_maps(generator), STYLE
    if isinstance(generator, ResNetGenerator | DCGANGenerator | BigGANGenerator):
        return _padded(effective_weight(generator.linear), generator.latent_dim), LATENT
    if isinstance(generator, BigGANDeepGenerator):
        return _deep_map(generator), LATENT
    raise ValueError(f"SeFa knows no first map of {type(generator).__name__}")


def _padded(weight: Tensor, latent_dim: int) -> Tensor:
    """Return ``weight`` with columns of zeros for what it does not see."""
    return torch.cat([weight, weight.new_zeros(len(weight), latent_dim - weight.shape[1])], dim=1)


def _deep_map(generator: BigGANDeepGenerator) -> Tensor:
    """Return the columns of the first map that see the noise; it sees the embedded condition as well."""
    weight = effective_weight(generator.linear)
    noise = generator.latent_dim - (generator.codes.code_dim if generator.codes is not None else 0)
    columns = weight[:, :noise] if generator.latent_first else weight[:, weight.shape[1] - noise :]
    return _padded(columns, generator.latent_dim)


def _style_maps(generator: StyleGAN2Generator) -> Tensor:
    """Return the weights by which all convolutions but those to colours read the style, stacked."""
    named = generator.blocks.named_modules()
    maps = [module for name, module in named if name.endswith(".style") and "to_rgb" not in name]
    scaled = [
        m.weight * (m.lr_mult / math.sqrt(m.in_features)) for m in maps if isinstance(m, EqualizedLinear)
    ]
    return torch.cat(scaled).detach()


@torch.no_grad()
def move(
    generator: nn.Module,
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
    if directions.space == LATENT:
        return generator(latent + step[None], condition)
    styles = generator.map(latent, condition)  # type: ignore[operator]
    return generator.synthesize_styles(styles + step)  # type: ignore[operator]


@torch.no_grad()
def walk(
    generator: nn.Module,
    latent: Tensor,
    condition: Condition,
    directions: Directions,
    strengths: Sequence[float],
) -> Tensor:
    """Return images (K, S, 3, H, W): one latent moved along every direction by every strength.

    Args:
        generator: the one that ``directions`` are of, in evaluation mode.
        latent: (1, D).
        condition: of one image.
        directions: K of them.
        strengths: S multiples of the unit vectors, negative ones too.

    Raises:
        ValueError: more than one latent.
    """
    if len(latent) != 1:
        raise ValueError(f"walk: one latent is moved, got {len(latent)}")
    scale = torch.tensor(list(strengths), dtype=latent.dtype, device=latent.device)
    steps = scale[None, :, None] * directions.vectors.to(latent)[:, None]
    asked = condition.map(lambda value: value.expand(len(scale), *value.shape[1:]))
    if directions.space == LATENT:
        return torch.stack([generator(latent + row, asked) for row in steps])
    styles = generator.map(latent, condition)  # type: ignore[operator]
    return torch.stack([generator.synthesize_styles(styles + row[:, None]) for row in steps])  # type: ignore[operator]
