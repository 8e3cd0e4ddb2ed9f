"""Images that a data set has and networks cannot make or look at: their size, channels and label maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from mmcgan import registry as r
from mmcgan.config.components import Node, parameters_of
from mmcgan.config.problems import Problem, dotted
from mmcgan.image_shapes import image_shapes_of
from mmcgan.structures import height_and_width

#: What looks at whole images, in a model.
LOOKING = (r.GENERATORS, r.BACKBONES, r.MODELS)
RGB = 3


def image_problems(nodes: Sequence[Node], facts: Mapping[str, Any], dataset: str) -> Iterator[Problem]:
    """Yield what keeps networks from the images of the training set.

    Args:
        nodes: of the config, facts filled in.
        facts: of the training set.
        dataset: its type.
    """
    channels = facts.get("image_channels", RGB)
    for node in nodes:
        shapes = image_shapes_of(node.component)
        if shapes is None or node.path[0] != "model" or not any(x in LOOKING for x in node.registries):
            continue
        refused = shapes.refused_size(node.config.get("image_size"))
        if refused:
            path = dotted((*node.path, "image_size"))
            yield Problem(path, f"{refused}{_others(node.registries[0])}")
        refused = shapes.refused_channels(channels) if facts else ""
        if refused:
            yield Problem(dotted((*node.path, "type")), f"{node.config['type']}: {dataset} has {refused}")
        if "image_channels" in node.config and "image_channels" not in (parameters_of(node.component) or {}):
            given = node.config["image_channels"]
            refused = shapes.refused_channels(given) or "images of its own number of channels"
            yield Problem(dotted((*node.path, "image_channels")), f"asks for {refused}; leave it out")
    yield from _of_the_generator(nodes, facts, dataset)


def _others(registry: r.SuggestingRegistry) -> str:
    """Return which networks of the role make images that are not square."""
    declared = {name: image_shapes_of(kind) for name, kind in registry.named().items()}
    able = [name for name, shapes in declared.items() if shapes is not None and not shapes.square]
    return f"; not square can be those of {', '.join(able)}" if able else ""


def _of_the_generator(nodes: Sequence[Node], facts: Mapping[str, Any], dataset: str) -> Iterator[Problem]:
    """Yield a generator of another size than the data, or of label maps that the data does not have."""
    node = next((node for node in nodes if node.path == ("model", "generator")), None)
    if node is None or not facts or r.GENERATORS not in node.registries:
        return
    takes = parameters_of(node.component) or {}
    if "image_size" in takes and "num_map_classes" not in takes:
        return  # it is filled in, and judged by the constructor
    built = _built(node.config)
    if built is None:
        return
    known = facts.get("image_size")
    if "image_size" not in takes and known is not None and _differ(built.image_size, known):
        message = (
            f"{node.config['type']} makes images of {_size(built.image_size)} pixels only, but {dataset}"
        )
        yield Problem("model.generator.type", f"{message} has images of {_size(known)}")
    if "label_map" in built.requires and "num_map_classes" not in facts:
        message = f"{node.config['type']} paints label maps, which {dataset} does not have"
        yield Problem(
            "model.generator.type", f"{message}; docs/semantic_synthesis.md says which data sets do"
        )


def _built(config: Mapping[str, Any]) -> Any:
    """Return the generator without memory for its weights; None if it cannot be made."""
    try:
        with torch.device("meta"):
            return r.GENERATORS.build(dict(config))
    except (ValueError, TypeError, LookupError, RuntimeError, AttributeError, OSError, ArithmeticError):
        return None  # the validation of model.generator says what is wrong with it


def _differ(one: Any, other: Any) -> bool:
    return height_and_width(one) != height_and_width(other)


def _size(size: Any) -> str:
    height, width = height_and_width(size)
    return f"{height} x {width}"
