"""Settings of FastGAN's generators, read off names and shapes of their weights."""

from __future__ import annotations

from mmcgan.peers.reading.shapes import Config, Given, MisfitError, Shapes

#: The block of the smallest images that the peer makes, 128 pixels.
FIRST_OUTPUT = 5


def generator(shapes: Shapes, given: Given) -> list[Config]:
    """Return the config of a ``FastGANGenerator``.

    Every model stores the blocks up to 256 pixels; the width that the colours are made of tells which is the
    last one used.

    Raises:
        MisfitError: the shapes are not those of such a network.
    """
    if "output_conv.weight" not in shapes or "blocks.0.conv.weight" not in shapes:
        raise MisfitError("blocks.0.conv.weight or output_conv.weight is missing")
    latent, doubled = shapes["blocks.0.conv.weight"][:2]
    numbers = [number for number in shapes.indices("blocks") if number]
    widths = {number: shapes[f"blocks.{number}.conv1.weight"][0] // 2 for number in numbers}
    colours = shapes["output_conv.weight"][1]
    last = [number for number in numbers if number >= FIRST_OUTPUT and widths[number] == colours]
    if len(last) != 1:
        raise MisfitError(f"no single block from 128 pixels on has the width {colours} of the output")
    label = shapes.get("condition.label.weight")
    return [
        {
            "type": "FastGANGenerator",
            "image_size": 4 << last[0],
            "num_classes": label[0] if label else 0,
            "latent_dim": latent,
            "label_dim": label[1] if label else 0,
            "channels": [doubled // 2, *(widths[number] for number in range(1, last[0] + 1))],
            "light": "blocks.1.conv2.weight" not in shapes,
            "eval_noise": "random",
        }
    ]
