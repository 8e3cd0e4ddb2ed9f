"""Settings of projected discriminators, read off names and shapes of their weights."""

from __future__ import annotations

from mmcgan.peers.reading.shapes import UNSEEN, Config, Given, MisfitError, Shapes


def backbone(shapes: Shapes, given: Given) -> list[Config]:
    """Return the config of a ``ProjectedBackbone``; no weight shows the size of images.

    Raises:
        MisfitError: the shapes are not those of such a network, or no image size is given.
    """
    scales = shapes.blocks()
    mixed = [shapes[f"mixing.channels.{i}.weight"][0] for i in shapes.indices("mixing.channels")]
    if not mixed:
        raise MisfitError("mixing.channels.0.weight is missing")
    if "image_size" not in given:
        raise MisfitError(f"{UNSEEN} discriminator.backbone.image_size")
    entry = "blocks.0.0.0.weight" in shapes
    layers = [shapes.indices(f"blocks.{scale}")[int(entry) :] for scale in range(scales)]
    widths = [
        shapes[f"blocks.{scale}.{layer}.conv.weight"][0] for scale in range(scales) for layer in layers[scale]
    ]
    norm = f"blocks.0.{layers[0][0]}.conv"
    return [
        {
            "type": "ProjectedBackbone",
            "image_size": given["image_size"],
            "mixing": "scales" if shapes.indices("mixing.scales") else "channels",
            "mixed_channels": mixed[0],
            "expand": len(mixed) > 1 and mixed[1] == 2 * mixed[0],
            "down_blocks": [len(own) for own in layers],
            "max_channels": max(widths),
            "min_channels": min(widths),
            "entry_convolution": entry,
            "separable": f"blocks.0.{layers[0][0]}.depthwise.weight" in shapes,
            "patch": f"blocks.0.{layers[0][0]}.patch_conv.weight" in shapes,
            "spectral_norm": shapes.spectral(norm),
        }
    ]
