"""What the writers of settings ask a network of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from torch import nn

from mmcgan.models.layers.spectral_norm import SpectralNorm
from mmcgan.peers.reading.shapes import Config, Shapes
from mmcgan.peers.translation import GENERATOR, complete


def own_config(role: str, config: Config, network: nn.Module) -> Config:
    """Return the config of a generator or of a discriminator's backbone with all defaults.

    A latent that is cut into chunks has the length that is used, not the one that was asked for. Codes at its
    end are counted apart.
    """
    if role != GENERATOR:
        return complete(config["backbone"])
    length = int(network.latent_dim) - int(config.get("code_dim") or 0)  # type: ignore[arg-type]
    return {**complete(config), "latent_dim": length}


def inner_shapes(network: nn.Module) -> Shapes:
    """Return the shapes of a generator's weights, or of a discriminator's backbone."""
    shapes = Shapes(network.state_dict())
    return shapes.below("backbone.") if shapes.indices("backbone.blocks") else shapes


def spectral_options(network: nn.Module) -> tuple[bool, Config]:
    """Return whether the network has spectral norm, and its options."""
    first = next((m for m in network.modules() if isinstance(m, SpectralNorm)), None)
    return (False, {}) if first is None else (True, asdict(first.options))


def classes_of(config: Config) -> int:
    """Return the number of classes that a generator, or any head of a discriminator, knows."""
    parts = config["heads"].values() if "heads" in config else [config]
    return max((int(part.get("num_classes") or 0) for part in parts), default=0)


def attention_places(network: nn.Module) -> list[int]:
    """Return the indices of the blocks that self-attention follows."""
    return inner_shapes(network).indices("attention")


def base_width(network: nn.Module, size: int, table: Mapping[int, Sequence[int]]) -> int:
    """Return the unit of a peer's channel table whose last entry the network has.

    Where the network differs from the table elsewhere, comparing what it builds shows it.

    Raises:
        ValueError: the peer has no networks of this size.
    """
    published = {known: multiples for known, multiples in table.items() if known >= 32}
    if size not in published:
        raise ValueError(f"image_size={size}, the format has {', '.join(map(str, published))}")
    return max(1, last_width(inner_shapes(network)) // published[size][-1])


def last_width(shapes: Shapes) -> int:
    """Return the channels behind the last residual block."""
    return block_widths(shapes)[-1]


def block_widths(shapes: Shapes) -> list[int]:
    """Return the channels behind every residual block, by its last convolution."""
    found: dict[int, tuple[int, int]] = {}
    for key, shape in shapes.shapes.items():
        match = re.match(r"blocks\.(\d+)\.conv(\d)\.weight$", key)
        if match:
            found[int(match[1])] = max(found.get(int(match[1]), (0, 0)), (int(match[2]), shape[0]))
    return [width for _, (_, width) in sorted(found.items())]


def eps_of(config: Mapping[str, Any], name: str = "batch_norm") -> float:
    """Return the epsilon of the batch norms that an option of a generator is for."""
    return float((config.get(name) or {}).get("eps", 1e-5))
