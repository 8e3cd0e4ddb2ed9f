"""Settings of discriminator heads, read off names and shapes of their weights."""

from __future__ import annotations

import math
import re
from itertools import product

from mmcgan.models.backbones.patch import map_name
from mmcgan.peers.reading.shapes import Config, MisfitError, Shapes

Heads = dict[str, Config]


def read_heads(shapes: Shapes) -> list[Heads]:
    """Return all sets of heads that weights under ``heads.`` may belong to.

    Args:
        shapes: of the discriminator, by our names.

    Raises:
        MisfitError: none.
    """
    names = sorted({key.split(".")[1] for key in shapes.shapes if key.startswith("heads.")})
    choices = [
        [(name, choice) for choice in _choices(name, shapes.below(f"heads.{name}."))] for name in names
    ]
    empty = [name for name, found in zip(names, choices, strict=True) if not found]
    if empty or not names:
        raise MisfitError(f"no head has weights like those of {', '.join(empty) or 'none at all'}")
    return [heads for chosen in product(*choices) if _agree(heads := dict(chosen))]


def _agree(heads: Heads) -> bool:
    """Return whether all heads know the same number of classes."""
    return len({head["num_classes"] for head in heads.values() if head.get("num_classes")}) <= 1


def _choices(name: str, shapes: Shapes) -> list[Config]:
    if re.fullmatch(r"patch_\d+", name):
        return [_patch(shapes, int(name.removeprefix("patch_")))]
    reader = {"adv": _adversarial, "omni": _omni, "discrete_code": _discrete, "continuous_code": _continuous}
    return reader.get(name, _classes)(shapes)


def _linear(shapes: Shapes) -> int:
    return shapes["linear.weight"][0]


def _with_norm(shapes: Shapes, layer: str, head: Config) -> Config:
    return {**head, "spectral_norm": shapes.spectral(layer)}


def _adversarial(shapes: Shapes) -> list[Config]:
    if shapes.indices("parts"):
        return [_each_scale(shapes)]
    if shapes.indices("mapping.layers"):
        return [_mapped(shapes)]
    rows = _linear(shapes)
    if "linear.bias" not in shapes and shapes.spectral("linear") is None:
        return [_inner_product(shapes, rows)]
    labels = _table(shapes)
    instance = shapes.get("instance.weight")
    if rows > 1:
        kinds = [("PerClassHead", rows), ("FakeClassHead", rows - 1)]
        return [_with_norm(shapes, "linear", {"type": kind, "num_classes": n}) for kind, n in kinds]
    if instance:
        head = {"type": "ConditionProjectionHead", "num_classes": labels, "instance_dim": instance[1]}
    elif labels:
        head = {"type": "ProjectionHead", "num_classes": labels}
    else:
        head = {"type": "AdversarialHead"}
    return [_with_norm(shapes, "linear", head)]


def _each_scale(shapes: Shapes) -> Config:
    """Return Projected GAN's head on every scale: one for patches, which may see a label."""
    part = shapes.below("parts.0.")
    size, label = part["conv.weight"], part.get("condition.label.weight")
    head: Config = {"kernel_size": size[-1], "padding": 0, "spectral_norm": part.spectral("conv") or False}
    if label:
        sizes = {"num_classes": label[0], "embedding_dim": label[1], "dim": size[0]}
        head = {"type": "PatchProjectionHead", **sizes, **head}
    else:
        head = {"type": "PatchHead", "bias": "conv.bias" in part, **head}
    return {"type": "EachScale", "scales": shapes.blocks("parts"), "head": head}


def _inner_product(shapes: Shapes, rows: int) -> Config:
    """Return R3GAN's head: an inner product with the embedded condition, without any bias."""
    label, instance = shapes.get("condition.label.weight"), shapes.get("condition.instance.weight")
    return {
        "type": "InnerProductHead",
        "num_classes": label[0] if label else 0,
        "instance_dim": instance[1] if instance else 0,
        "dim": rows if label or instance else 0,
    }


def _table(shapes: Shapes) -> int:
    """Return the number of rows of a table of classes, which may be a network over one-hot labels."""
    plain, mapped = shapes.get("embed.weight"), shapes.get("embed.network.label.weight")
    return plain[0] if plain else mapped[1] if mapped else 0


def _mapped(shapes: Shapes) -> Config:
    """Return StyleGAN2-ADA's projection onto a mapping of the condition."""
    label, instance = shapes.get("mapping.label.weight"), shapes.get("mapping.instance.weight")
    head = {
        "type": "MappedProjectionHead",
        "num_classes": label[1] if label else 0,
        "dim": _linear(shapes),
        "num_layers": shapes.blocks("mapping.layers"),
    }
    if label:
        head["label_dim"] = label[0]
    if instance:
        head |= {"instance_dim": instance[1], "instance_embedding_dim": instance[0]}
    return head


def _omni(shapes: Shapes) -> list[Config]:
    return [_with_norm(shapes, "linear", {"type": "OmniHead", "num_classes": _linear(shapes) - 2})]


def _classes(shapes: Shapes) -> list[Config]:
    """Return classifiers or proxies, of real images alone or of real and generated ones (ADC)."""
    rows = _table(shapes)
    if rows:
        proxies = {"embed_dim": _linear(shapes)}
        kinds = [("ProxyHead", rows), ("DiscriminativeProxyHead", rows // 2 if rows % 2 == 0 else 0)]
        configs = [{"type": kind, "num_classes": n, **proxies} for kind, n in kinds if n]
    else:
        rows, bias = _linear(shapes), "linear.bias" in shapes
        kinds = [
            ("ClassifierHead", rows),
            ("DiscriminativeClassifierHead", rows // 2 if rows % 2 == 0 else 0),
        ]
        configs = [{"type": kind, "num_classes": n, "bias": bias} for kind, n in kinds if n]
    return [_with_norm(shapes, "linear", config) for config in configs]


def _discrete(shapes: Shapes) -> list[Config]:
    """Return every way in which codes of equal size fill the columns."""
    columns, bias = _linear(shapes), "linear.bias" in shapes
    sizes = [values for values in range(2, columns + 1) if columns % values == 0]
    configs = [{"type": "DiscreteCodeHead", "codes": columns // n, "values": n, "bias": bias} for n in sizes]
    return [_with_norm(shapes, "linear", config) for config in configs]


def _continuous(shapes: Shapes) -> list[Config]:
    config = {"type": "ContinuousCodeHead", "codes": shapes["mean.weight"][0], "bias": "mean.bias" in shapes}
    return [_with_norm(shapes, "mean", config)]


def _patch(shapes: Shapes, scale: int) -> Config:
    """Return the head of one scale of a multi-scale discriminator."""
    norm = shapes.spectral("conv")
    return {
        "type": "PatchHead",
        "kernel_size": math.isqrt(math.prod(shapes["conv.weight"][2:])),
        "feature": map_name(scale),
        "spectral_norm": norm or False,
    }
