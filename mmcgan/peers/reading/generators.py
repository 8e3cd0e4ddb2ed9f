"""Settings of convolutional generators, read off names and shapes of their weights.

Every function takes our names and returns all configs that the shapes allow, usually one.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise, product

from mmcgan.peers.reading.shapes import LOADED, Config, Given, MisfitError, Shapes, side

Norm = tuple[str, int]


def read_norm(shapes: Shapes, norms: Iterable[tuple[str, int]]) -> tuple[list[str], int]:
    """Return how conditional batch norms may take their condition, and its length.

    Args:
        shapes: of the generator.
        norms: name and channels of every batch norm.

    Returns:
        ``vector`` (gains are a linear map) and/or ``table`` (one row per class), and the length of
        the vector or number of classes; no kind and 0 for plain batch norms.

    Raises:
        MisfitError: neither layout fits all of them.
    """
    given = [(shapes[f"{name}.gain.weight"], c) for name, c in norms if f"{name}.gain.weight" in shapes]
    if not given:
        return [], 0
    lengths = {
        "vector": {s[1] for s, c in given if s[0] == c},
        "table": {s[0] for s, c in given if s[1] == c},
    }
    complete = {
        "vector": all(s[0] == c for s, c in given),
        "table": all(s[1] == c for s, c in given),
    }
    kinds = [kind for kind in ("vector", "table") if complete[kind] and len(lengths[kind]) == 1]
    if not kinds:
        raise MisfitError(f"the gains of the batch norms have shapes {[s for s, _ in given][:4]}")
    return kinds, next(iter(lengths[kinds[0]]))


def _widths(shapes: Shapes) -> list[int]:
    """Return the channels before the first and after every residual block."""
    count = shapes.blocks()
    return [
        shapes["blocks.0.conv1.weight"][1],
        *(shapes[f"blocks.{i}.conv1.weight"][0] for i in range(count)),
    ]


def _norms(widths: list[int]) -> list[Norm]:
    pairs = pairwise(widths)
    return [
        (f"blocks.{i}.norm{k + 1}", width) for i, pair in enumerate(pairs) for k, width in enumerate(pair)
    ]


def _residual(shapes: Shapes, widths: list[int]) -> Config:
    bottom = side(shapes["linear.weight"][0], widths[0])
    return {
        "image_size": bottom << (len(widths) - 1),
        "channels": widths,
        "bottom_size": bottom,
        "attention_blocks": shapes.indices("attention"),
        "spectral_norm": shapes.spectral("blocks.0.conv1"),
        **output(shapes),
    }


def output(shapes: Shapes) -> Config:
    """Return the settings of the last layer: an implicit one, or nothing to say."""
    layers = shapes.indices("implicit.layers")
    if not layers:
        return {}
    return {"implicit": {"hidden": [shapes[f"implicit.layers.{i}.weight"][0] for i in layers[:-1]]}}


def implicit_choices(shapes: Shapes, channels: int) -> list[Config]:
    """Return what the first implicit layer's width allows: its neighbourhood and what it is told.

    Raises:
        MisfitError: nothing.
    """
    if "implicit.layers.0.weight" not in shapes:
        return [{}]
    width = shapes["implicit.layers.0.weight"][1]
    # two values may be the position or the size of a pixel: the weights do not say which
    told = {0: [("none", False)], 2: [("none", True), ("relative", False)], 4: [("relative", True)]}
    found = [(kernel, *choice) for kernel in (3, 1) for choice in told.get(width - channels * kernel**2, [])]
    if not found:
        raise MisfitError(f"the implicit layer sees {width} values of {channels} channels")
    choices = []
    for kernel, cell, coordinates in found:
        choices.append({"kernel": kernel, "cell": cell, "coordinates": coordinates})
    return choices


def _with_implicit(configs: list[Config], shapes: Shapes, channels: int) -> list[Config]:
    choices = implicit_choices(shapes, channels)
    return [
        {**config, "implicit": {**config["implicit"], **choice}} if choice else config
        for config, choice in product(configs, choices)
    ]


# --- BigGAN ---------------------------------------------------------------------------------------
def biggan(shapes: Shapes, given: Given, raw_instances: bool = False) -> list[Config]:
    """Return configs of ``BigGANGenerator``.

    Args:
        shapes: of its weights.
        given: what is known already; ``instance_dim`` and the like are taken from the shapes.
        raw_instances: instance features may enter without a map (IC-GAN), which leaves no weights.

    Raises:
        MisfitError: the shapes are not those of a BigGAN.
    """
    widths = _widths(shapes)
    chunk = shapes["linear.weight"][1]
    kinds, length = read_norm(shapes, _norms(widths))
    base = {"type": "BigGANGenerator", **_residual(shapes, widths), "init": LOADED}
    found: list[Config] = []
    if "table" in kinds and "condition.label.weight" not in shapes:
        classes = shapes["blocks.0.norm1.gain.weight"][0]
        found.append(_biggan_parts(base, chunk, classes=classes, shared=False, hierarchical=False))
    if "vector" in kinds:
        found += _vector_routes(base, shapes, chunk, length, raw_instances)
    if not kinds:
        found.append(_biggan_parts(base, chunk, classes=0, shared=True, hierarchical=False))
    if not found:
        raise MisfitError(f"batch norms see {length} values, which no condition of the weights makes")
    return _with_implicit(found, shapes, widths[-1])


def _biggan_parts(base: Config, chunk: int, *, classes: int, shared: bool, hierarchical: bool) -> Config:
    slots = len(base["channels"]) if hierarchical else 1
    parts = {
        "num_classes": classes,
        "latent_dim": chunk * slots,
        "shared_embedding": shared,
        "hierarchical": hierarchical,
    }
    return base | parts


def _vector_routes(base: Config, shapes: Shapes, chunk: int, length: int, raw: bool) -> list[Config]:
    """Return configs whose parts of the conditioning vector add up to ``length``."""
    label, instance = shapes.get("condition.label.weight"), shapes.get("condition.instance.weight")
    codes = shapes.get("codes.linear.weight")
    found: list[Config] = []
    raw_routes: list[Config] = []
    for uses_label, hierarchical in product([True, False] if label else [False], [True, False]):
        known = (label[1] if label and uses_label else 0) + (instance[0] if instance else 0)
        known += (codes[0] if codes else 0) + (chunk if hierarchical else 0)
        rest = length - known
        unexplained = label and not uses_label and not instance and not rest
        if unexplained or rest < 0 or (rest and (instance or not raw)):
            continue
        classes = label[0] if label and uses_label else 0
        config = _biggan_parts(base, chunk, classes=classes, shared=True, hierarchical=hierarchical)
        if label:
            config["shared_dim"] = label[1]
        if instance:
            config |= {"instance_dim": instance[1], "instance_embedding_dim": instance[0]}
        elif rest:
            config |= {"instance_dim": rest, "instance_embedding_dim": 0}
        if codes:
            config |= {"code_dim": codes[1], "shared_dim": codes[0]}
        (raw_routes if rest else found).append(config)
    # features without a map leave no trace: only where nothing else explains the length
    return found or raw_routes


# --- SNGAN and SAGAN ------------------------------------------------------------------------------
def resnet(shapes: Shapes, given: Given) -> list[Config]:
    """Return configs of ``ResNetGenerator``; each group of layers may have a spectral norm of its own.

    Raises:
        MisfitError: the shapes are not those of such a network.
    """
    widths = _widths(shapes)
    kinds, length = read_norm(shapes, _norms(widths))
    codes = shapes.get("codes.linear.weight")
    base = {
        "type": "ResNetGenerator",
        **_residual(shapes, widths),
        "latent_dim": shapes["linear.weight"][1],
        "outer_spectral_norm": _explicit(shapes.spectral("linear")),
        "condition_spectral_norm": shapes.spectral("blocks.0.norm1.gain"),
        "init": LOADED,
    }
    places = base["attention_blocks"]
    if places:
        base["attention_spectral_norm"] = _explicit(shapes.spectral(f"attention.{places[0]}.query"))
    return [base | part for part in _class_parts(shapes, kinds, length, codes, "blocks.0.norm1")]


def _explicit(norm: Config | None) -> Config | bool:
    """Return a norm, or an explicit no where None would mean that of the blocks."""
    return False if norm is None else norm


def _class_parts(
    shapes: Shapes, kinds: list[str], length: int, codes: tuple[int, ...] | None, first: str
) -> list[Config]:
    """Return how label and codes may make up ``length`` values that batch norms see."""
    extra = {"code_dim": codes[1]} if codes else {}
    if not kinds:
        return [{"num_classes": 0, **extra}]
    found: list[Config] = []
    if "vector" in kinds:
        classes = length - (codes[0] if codes else 0)
        if classes >= 0:
            found.append({"num_classes": classes, "one_hot": True, **extra})
    if "table" in kinds and not codes:
        found.append({"num_classes": shapes[f"{first}.gain.weight"][0], "one_hot": False})
    if not found:
        raise MisfitError(f"batch norms see {length} values, fewer than the codes make")
    return found


# --- DCGAN ----------------------------------------------------------------------------------------
def dcgan(shapes: Shapes, given: Given) -> list[Config]:
    """Return configs of ``DCGANGenerator``.

    Raises:
        MisfitError: the shapes are not those of such a network.
    """
    count, base_channels = shapes.blocks(), shapes["output_conv.weight"][1]
    widths = [shapes[f"blocks.{i}.conv.weight"][1] for i in range(count)]
    kinds, length = read_norm(shapes, [(f"blocks.{i}.norm", width) for i, width in enumerate(widths)])
    config = {
        "type": "DCGANGenerator",
        "image_size": side(shapes["linear.weight"][0], shapes["blocks.0.conv.weight"][0]) << count,
        "base_channels": base_channels,
        "latent_dim": shapes["linear.weight"][1],
        "attention_blocks": shapes.indices("attention"),
        "spectral_norm": shapes.spectral("blocks.0.conv"),
        "condition_spectral_norm": shapes.spectral("blocks.0.norm.gain"),
        "init": LOADED,
    }
    codes = shapes.get("codes.linear.weight")
    return [config | part for part in _class_parts(shapes, kinds, length, codes, "blocks.0.norm")]


# --- codes mixed into the latent ------------------------------------------------------------------
def coded(shapes: Shapes, inner: list[Config]) -> list[Config]:
    """Return configs of ``CodedGenerator`` around those of the inner generator."""
    latent, whole = shapes["mix.weight"]
    return [
        {
            "type": "CodedGenerator",
            "generator": config,
            "code_dim": whole - latent,
            "spectral_norm": shapes.spectral("mix"),
            "init": LOADED,
        }
        for config in inner
    ]
