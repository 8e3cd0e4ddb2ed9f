"""Settings of BigGAN-deep's generators, read off names and shapes of their weights."""

from __future__ import annotations

from itertools import pairwise

from mmcgan.models.generators.biggan import CHANNELS
from mmcgan.peers.reading.generators import output, read_norm
from mmcgan.peers.reading.shapes import LOADED, Config, Given, MisfitError, Shapes, Widths, is_published, side


def deep(shapes: Shapes, given: Given, tables: Widths | None = None) -> list[Config]:
    """Return configs of ``BigGANDeepGenerator`` with stages of equal depth, published ones where there are.

    Args:
        shapes: of its weights.
        given: what is known already.
        tables: channels of the peer's own, beside BigGAN's.

    Raises:
        MisfitError: the shapes are not those of such a network.
    """
    widths = _deep_widths(shapes)
    bottom = side(shapes["linear.weight"][0], widths[0])
    base = _deep_base(shapes, widths, bottom)
    plan = given.get("block_plan")
    if plan:
        size = bottom << sum(bool(step[0]) for step in plan)
        return [{**base, "block_plan": [list(step) for step in plan], "image_size": size}]
    count = len(widths) - 1
    found = []
    for depth in range(1, count + 1):
        stages = widths[::depth]
        inside = [place for place in base["attention_blocks"] if (place + 1) % depth]
        if count % depth or inside or any(widths[i] != stages[i // depth] for i in range(count)):
            continue
        found.append({**base, "depth": depth, "channels": stages, "image_size": bottom << (count // depth)})
    if not found:
        raise MisfitError(f"channels {widths} do not make stages of equal depth; give block_plan")
    published = [config for config in found if is_published(config, (CHANNELS, tables or {}))]
    return published or found


def _deep_widths(shapes: Shapes) -> list[int]:
    count = shapes.blocks()
    return [
        shapes["blocks.0.conv1.weight"][1],
        *(shapes[f"blocks.{i}.conv4.weight"][0] for i in range(count)),
    ]


def _deep_base(shapes: Shapes, widths: list[int], bottom: int) -> Config:
    norms = [(f"blocks.{i}.norm1", width) for i, width in enumerate(widths[:-1])]
    kinds, length = read_norm(shapes, norms)
    label, instance = shapes.get("condition.label.weight"), shapes.get("condition.instance.weight")
    codes = shapes.get("codes.linear.weight")
    entry = shapes["linear.weight"][1]
    config: Config = {
        "type": "BigGANDeepGenerator",
        "bottom_size": bottom,
        "attention_blocks": shapes.indices("attention"),
        "projected_shortcut": "blocks.0.shortcut.weight" in shapes,
        "spectral_norm": shapes.spectral("blocks.0.conv1"),
        **output(shapes),
        "init": LOADED,
    }
    if "implicit" not in config and shapes["output_conv.weight"][0] != 3:
        config["image_filters"] = shapes["output_conv.weight"][0]
    if "table" in kinds and not label and length != entry:
        classes = shapes["blocks.0.norm1.gain.weight"][0]
        return config | {"num_classes": classes, "shared_embedding": False, "latent_dim": entry}
    embedded = (label[1] if label else 0) + (instance[0] if instance else 0) + (codes[0] if codes else 0)
    apart = not codes and length == embedded and length != entry
    if length != entry and not apart:
        raise MisfitError(f"batch norms see {length} values, the first map {entry}")
    config |= {"num_classes": label[0] if label else 0, "latent_dim": entry - (0 if apart else embedded)}
    if apart:
        config["concatenate_latent"] = False
    if label:
        config["shared_dim"] = label[1]
    if instance:
        config |= {"instance_dim": instance[1], "instance_embedding_dim": instance[0]}
    if codes:
        config |= {"code_dim": codes[1], "shared_dim": codes[0]}
    return config


def published_deep(shapes: Shapes, given: Given) -> list[Config]:
    """Return configs of the published BigGAN-deep: every second block enlarges, unless a plan is given.

    Raises:
        MisfitError: the shapes are not those of such a network, or do not allow that rule.
    """
    widths = _deep_widths(shapes)
    plan = given.get("block_plan")
    if not plan:
        if len(widths) % 2 == 0 or any(widths[i] != widths[i + 1] for i in range(0, len(widths) - 1, 2)):
            raise MisfitError(
                f"channels {widths} are not the published ones; give block_plan or a config.json"
            )
        plan = [[bool(i % 2), a, b] for i, (a, b) in enumerate(pairwise(widths))]
    configs = deep(shapes, {**given, "block_plan": plan})
    rows = shapes["output_norm.norm.means"][0]
    norm = {"batch_norm": {"rows": rows}, "output_batch_norm": {"rows": rows}}
    return [config | norm for config in configs]
