"""Settings of discriminator backbones, read off names and shapes of their weights.

Which blocks halve the image is not in the weights where channels change; there the published tables
decide, which the rule of a format names.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from mmcgan.models.backbones.biggan import CHANNELS, block_plan
from mmcgan.peers.reading.shapes import LOADED, Config, Given, MisfitError, Shapes, Widths, is_published

#: Number of blocks -> image size, and how many blocks from the first on halve it.
HalvingRule = Mapping[int, tuple[int, int]]


def published_rule() -> HalvingRule:
    """Return the rule of BigGAN-PyTorch's tables, which the backbones of ours have."""
    plans = {size: block_plan(size, 1, None, None) for size in CHANNELS}
    return {len(widths): (size, sum(steps)) for size, (widths, steps) in plans.items()}


PUBLISHED = published_rule()


def _common(shapes: Shapes, first: str) -> Config:
    norm = shapes.spectral(first)
    plain = next((True for key in shapes.shapes if ".norm2.norm." in key), False)
    return {
        "attention_blocks": shapes.indices("attention"),
        "spectral_norm": norm,
        "batch_norm": {} if plain else None,
        "init": LOADED,
    }


def _halving(shapes: Shapes, widths: list[int], given: Given, rule: HalvingRule) -> tuple[int, list[bool]]:
    """Return image size and which blocks halve it.

    A block that keeps its channels has a shortcut if and only if it halves.

    Raises:
        MisfitError: the number of blocks is not a published one, and nothing is given.
    """
    if given.get("downsample"):
        steps = [bool(step) for step in given["downsample"]]
        return int(given.get("image_size", 4 << sum(steps))), steps
    count = len(widths)
    if count not in rule:
        known = ", ".join(map(str, rule))
        raise MisfitError(
            f"{count} blocks; published discriminators have {known}. Give downsample and image_size"
        )
    size, halvings = rule[count]
    steps = [index < halvings for index in range(count)]
    for index, (before, after) in enumerate(zip([3, *widths], widths, strict=False)):
        if before == after:
            steps[index] = f"blocks.{index}.shortcut.weight" in shapes
    return size, steps


def biggan(shapes: Shapes, given: Given, rule: HalvingRule = PUBLISHED) -> list[Config]:
    """Return the config of a ``BigGANBackbone``.

    Raises:
        MisfitError: the shapes are not those of such a network.
    """
    config = _residual(shapes, given, rule)
    wide = [shapes[f"blocks.{i}.conv1.weight"][0] for i in range(shapes.blocks())] == config["channels"]
    return [{"type": "BigGANBackbone", **config, "wide": wide}]


def resnet(shapes: Shapes, given: Given, rule: HalvingRule = PUBLISHED) -> list[Config]:
    """Return the config of a ``ResNetBackbone``.

    Raises:
        MisfitError: the shapes are not those of such a network.
    """
    config = _residual(shapes, given, rule)
    places = config["attention_blocks"]
    if places:
        norm = shapes.spectral(f"attention.{places[0]}.query")
        config["attention_spectral_norm"] = False if norm is None else norm
    return [{"type": "ResNetBackbone", **config}]


def _residual(shapes: Shapes, given: Given, rule: HalvingRule) -> Config:
    widths = [shapes[f"blocks.{i}.conv2.weight"][0] for i in range(shapes.blocks())]
    size, steps = _halving(shapes, widths, given, rule)
    return {"image_size": size, "channels": widths, "downsample": steps, **_common(shapes, "blocks.0.conv1")}


def dcgan(shapes: Shapes, given: Given) -> list[Config]:
    """Return the config of a ``DCGANBackbone``.

    Raises:
        MisfitError: the shapes are not those of such a network.
    """
    count, base_channels = shapes.blocks(), shapes["blocks.0.conv1.weight"][0]
    config = {"type": "DCGANBackbone", "image_size": 4 << count, "base_channels": base_channels}
    return [config | _common(shapes, "blocks.0.conv1")]


def deep(shapes: Shapes, given: Given, tables: Widths | None = None) -> list[Config]:
    """Return configs of a ``BigGANDeepBackbone``, with published tables where several are possible.

    Args:
        shapes: of its weights.
        given: what is known already.
        tables: of the peer's own, beside BigGAN's.

    Raises:
        MisfitError: the shapes are not those of such a network.
    """
    count = shapes.blocks()
    widths = [shapes["input_conv.weight"][0], *(shapes[f"blocks.{i}.conv4.weight"][0] for i in range(count))]
    found = [
        _deep_stages(shapes, widths, depth, given) for depth in range(1, count + 1) if count % depth == 0
    ]
    configs = [config for config in found if config is not None]
    if not configs:
        raise MisfitError(f"channels {widths} do not make stages of equal depth")
    published = [config for config in configs if is_published(config, (CHANNELS, tables or {}))]
    return published or configs


def _deep_stages(shapes: Shapes, widths: list[int], depth: int, given: Given) -> Config | None:
    """Return the config with this depth, None if channels change inside a stage."""
    count = len(widths) - 1
    stages = [widths[0], *widths[depth::depth]]
    inside = any((place + 1) % depth for place in shapes.indices("attention"))
    if inside or any(widths[i + 1] != stages[i // depth + 1] for i in range(count)):
        return None
    size, halvings = PUBLISHED.get(len(stages), (0, 0))
    if not size:
        return None
    return {
        "type": "BigGANDeepBackbone",
        "image_size": size,
        "channels": stages,
        "downsample": [index < halvings for index in range(len(stages) - 1)],
        "depth": depth,
        "projected_shortcut": _projected(shapes, widths),
        **_common(shapes, "blocks.0.conv1"),
    }


def _projected(shapes: Shapes, widths: list[int]) -> bool:
    """Return whether shortcuts make all channels (StudioGAN's own form) or only those that grow."""
    for index, (before, after) in enumerate(itertools.pairwise(widths)):
        made = shapes.get(f"blocks.{index}.shortcut.weight")
        if made and (after == before or made[0] == after):
            return True
    return False
