"""Settings of StyleGAN2, read off names and shapes of its weights."""

from __future__ import annotations

from mmcgan.peers.reading.shapes import Config, Given, MisfitError, Shapes, one_of

BOTTOM = 4


def _sizes(shapes: Shapes, prefix: str, smallest: int) -> list[int]:
    """Return the sizes of all blocks, smallest first.

    Raises:
        MisfitError: they do not double.
    """
    sizes = shapes.indices(prefix)
    if not sizes or sizes != [smallest << step for step in range(len(sizes))]:
        raise MisfitError(f"{prefix} have sizes {sizes}, which do not double from {smallest}")
    return sizes


def _architecture(shapes: Shapes, images: str, count: int) -> str:
    if any(".shortcut." in key for key in shapes.shapes):
        return "resnet"
    return "skip" if count > 1 else "orig"


def generator(shapes: Shapes, given: Given) -> list[Config]:
    """Return the config of a ``StyleGAN2Generator``.

    Raises:
        MisfitError: the shapes are not those of such a network.
    """
    sizes = _sizes(shapes, "blocks", BOTTOM)
    channels = [shapes[f"blocks.{size}.conv1.weight"][-4] for size in sizes]
    style = one_of(
        (s[1] for k, s in shapes.shapes.items() if k.endswith(".style.weight")), "the length of styles"
    )
    label, instance = shapes.get("mapping.label.weight"), shapes.get("mapping.instance.weight")
    condition = sum(part[0] for part in (label, instance) if part)
    config: Config = {
        "type": "StyleGAN2Generator",
        "image_size": sizes[-1],
        "num_classes": label[1] if label else 0,
        "latent_dim": shapes["mapping.layers.0.weight"][1] - condition,
        "style_dim": style,
        "mapping_layers": shapes.blocks("mapping.layers"),
        "channels": channels,
        "architecture": _architecture(
            shapes, "to_rgb", sum(".to_rgb.weight" in key for key in shapes.shapes)
        ),
    }
    if label:
        config["label_dim"] = label[0]
    if instance:
        config |= {"instance_dim": instance[1], "instance_embedding_dim": instance[0]}
    if "mean_style" not in shapes:
        config["mean_decay"] = None
    return [config]


def backbone(shapes: Shapes, given: Given) -> list[Config]:
    """Return the config of a ``StyleGAN2Backbone``.

    Raises:
        MisfitError: the shapes are not those of such a network.
    """
    sizes = _sizes(shapes, "blocks", 2 * BOTTOM)
    last = shapes["last_conv.weight"]
    channels = [last[0], *(shapes[f"blocks.{size}.conv0.weight"][1] for size in sizes)]
    return [
        {
            "type": "StyleGAN2Backbone",
            "image_size": sizes[-1],
            "channels": channels,
            "architecture": _architecture(shapes, "from_rgb", len(shapes.indices("from_rgb"))),
            "minibatch_channels": last[1] - last[0],
        }
    ]
