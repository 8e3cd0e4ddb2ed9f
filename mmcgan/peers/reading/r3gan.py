"""Settings of R3GAN's networks, read off names and shapes of their weights."""

from __future__ import annotations

from mmcgan.peers.reading.shapes import Config, Given, MisfitError, Shapes, one_of

#: The peer's presets compute this many stages, from the image on, in bfloat16, but never the smallest maps.
LOW_PRECISION_STAGES = 4


def _stages(shapes: Shapes) -> Config:
    """Return what both players read alike, stage by stage in the order of the weights.

    Raises:
        MisfitError: a stage without blocks, or blocks of different kinds.
    """
    channels, groups, blocks, kinds = [], [], [], []
    for stage in shapes.indices("blocks"):
        places = shapes.indices(f"blocks.{stage}")
        inside = [place for place in places if f"blocks.{stage}.{place}.conv1.weight" in shapes]
        if not inside:
            raise MisfitError(f"stage {stage} has no block, so that its width and groups are not known")
        first = f"blocks.{stage}.{inside[0]}"
        inner, width = shapes[f"{first}.conv1.weight"][:2]
        middle = shapes[f"{first}.conv2.weight"]
        channels.append(width)
        groups.append(inner // middle[1])
        blocks.append(len(inside))
        kinds.append((inner // width, middle[2]))
    expansion, kernel = one_of(kinds, "expansion and kernel size of the blocks")
    stages = len(channels)
    return {
        "image_size": 4 << (stages - 1),
        "channels": channels,
        "groups": groups,
        "blocks": blocks,
        "expansion": expansion,
        "kernel_size": kernel,
        "full_precision_stages": max(1, stages - LOW_PRECISION_STAGES),
    }


def generator(shapes: Shapes, given: Given) -> list[Config]:
    """Return the config of an ``R3GANGenerator``.

    Raises:
        MisfitError: the shapes are not those of such a network.
    """
    latent = shapes["blocks.0.0.linear.weight"][1]
    label = shapes.get("condition.label.weight")
    config = {"type": "R3GANGenerator", **_stages(shapes), "num_classes": label[0] if label else 0}
    if label:
        config["label_dim"] = label[1]
    return [{**config, "latent_dim": latent - (label[1] if label else 0)}]


def backbone(shapes: Shapes, given: Given) -> list[Config]:
    """Return the config of an ``R3GANBackbone``.

    Raises:
        MisfitError: the shapes are not those of such a network.
    """
    if "basis.conv.weight" not in shapes:
        raise MisfitError("basis.conv.weight is missing")
    return [{"type": "R3GANBackbone", **_stages(shapes)}]
