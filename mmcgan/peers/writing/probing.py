"""What two networks make of the same random inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmcgan.peers.reading.shapes import Config
from mmcgan.peers.translation import GENERATOR
from mmcgan.random import make_generator
from mmcgan.structures import Condition

BATCH = 2
#: Side of the images for discriminators that take any size.
ANY_SIDE = 64


@torch.no_grad()
def probe(network: Any, role: str, config: Config) -> dict[str, Tensor]:
    """Return what a network makes of two random inputs in evaluation, without noise in its layers.

    How noise is drawn in evaluation is a setting of ours that no weight shows and no peer has.

    Args:
        network: a generator or discriminator of ours; left in evaluation mode.
        role: which of them.
        config: its settings.

    Returns:
        The images under the name ``""``, or the discriminator's outputs without its features.
    """
    network.eval()
    for module in network.modules():
        if "eval_noise" in vars(module):
            module.eval_noise = "none"
    source = make_generator("export probe")
    settings = [config, config.get("backbone", {}), *config.get("heads", {}).values()]
    size = _size(settings)
    condition = _condition(network.requires, settings, size, source)
    if role == GENERATOR:
        latent = torch.randn(BATCH, int(network.latent_dim), generator=source)
        return {"": network(latent, condition)}
    outputs = network(torch.randn(BATCH, 3, *size, generator=source), condition)
    return {name: value for name, value in outputs.items() if not name.startswith("feature.")}


def _size(settings: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    size = _largest(settings, "image_size", ANY_SIDE)
    return (int(size[0]), int(size[1])) if isinstance(size, Sequence) else (int(size), int(size))


def _largest(settings: Sequence[Mapping[str, Any]], name: str, default: Any) -> Any:
    return next((part[name] for part in settings if part.get(name)), default)


def _condition(
    requires: Sequence[str], settings: Sequence[Mapping[str, Any]], size: tuple[int, int], source: Any
) -> Condition:
    """Return a random condition with the fields that a network requires."""
    classes, features = _largest(settings, "num_map_classes", 1), _largest(settings, "instance_dim", 0)
    made = {
        "label": lambda: torch.zeros(BATCH, dtype=torch.int64),
        "instance": lambda: torch.randn(BATCH, features, generator=source),
        "label_map": lambda: torch.randint(0, classes, (BATCH, *size), generator=source),
        "edge_map": lambda: torch.rand(BATCH, *size, generator=source) < 0.5,
    }
    return Condition.of({name: made[name]() for name in requires if name in made})
