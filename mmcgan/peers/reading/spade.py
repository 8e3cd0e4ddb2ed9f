"""Settings of SPADE's networks, read off names and shapes of their weights."""

from __future__ import annotations

from mmcgan.models.encoder import BOTTOM
from mmcgan.models.generators.spade import UPSAMPLING
from mmcgan.peers.reading.shapes import LOADED, UNSEEN, Config, Given, MisfitError, Shapes, one_of


def _maps(channels: int) -> list[Config]:
    """Return both ways to explain the channels of a map: the last one may be instance edges."""
    return [
        {"num_map_classes": channels - edges, "has_edges": bool(edges)}
        for edges in (1, 0)
        if channels > edges
    ]


def generator(shapes: Shapes, given: Given) -> list[Config]:
    """Return configs of ``SPADEGenerator``; the image size has to be given, which no weight shows.

    Raises:
        MisfitError: the shapes are not those of such a network, or no image size is given.
    """
    count = shapes.blocks()
    depths = [name for name, doubled in UPSAMPLING.items() if len(doubled) == count]
    if not depths:
        raise MisfitError(f"{count} blocks; SPADE has {sorted({len(d) for d in UPSAMPLING.values()})}")
    if "image_size" not in given:
        raise MisfitError(f"{UNSEEN} generator.image_size, such as [256,512] or 256 (height, width)")
    stem = shapes["stem.weight"]
    widths = [
        shapes["blocks.0.conv1.weight"][1],
        *(shapes[f"blocks.{i}.conv2.weight"][0] for i in range(count)),
    ]
    shared = shapes["blocks.0.norm1.shared.weight"]
    config: Config = {
        "type": "SPADEGenerator",
        "image_size": given["image_size"],
        "channels": widths,
        "latent_dim": stem[1] if len(stem) == 2 else 0,
        "norm": "batch" if "blocks.0.norm1.norm.running_mean" in shapes else "instance",
        "hidden_channels": shared[0],
        "kernel_size": shared[-1],
        "spectral_norm": shapes.spectral("blocks.0.conv1"),
        "init": LOADED,
    }
    first = shapes.get("encoder.blocks.0.weight")
    if first:
        config["encoder"] = {"base_channels": first[0], "side": BOTTOM << shapes.blocks("encoder.blocks")}
    return [config | maps | {"upsampling": depth} for maps in _maps(shared[1]) for depth in depths]


def backbone(shapes: Shapes, given: Given) -> list[Config]:
    """Return configs of a ``PatchBackbone``.

    Raises:
        MisfitError: the shapes are not those of such a network.
    """
    scales = shapes.blocks()
    layers = one_of(
        (len(shapes.indices(f"blocks.{scale}")) for scale in range(scales)), "the number of layers"
    )
    widths = [shapes[f"blocks.0.{index}.conv.weight"][0] for index in range(layers)]
    inner = "blocks.0.1" if layers > 1 else "blocks.0.0"
    norm = "batch" if f"{inner}.norm.running_mean" in shapes else "instance"
    config: Config = {
        "type": "PatchBackbone",
        "base_channels": widths[0],
        "num_scales": scales,
        "num_layers": layers,
        "max_channels": max(widths),
        "norm": "none" if f"{inner}.conv.bias" in shapes else norm,
        "spectral_norm": shapes.spectral(f"{inner}.conv"),
        "init": LOADED,
    }
    channels = shapes["blocks.0.0.conv.weight"][1] - 3
    return [config | maps for maps in _maps(channels)] if channels else [config | {"num_map_classes": 0}]
