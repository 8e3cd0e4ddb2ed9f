"""A generator's parameters in the order in which an image is made."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from mmcgan.models.generators.base import Generator


def parameter_groups(generator: Generator, tune_embedding: bool = False) -> list[list[nn.Parameter]]:
    """Return group 0, what comes before the first block, and group i, block i with its attention.

    The output layer is in no group, as in the Deep Generative Prior.

    Args:
        generator: says its :meth:`~mmcgan.models.generators.base.Generator.stages`.
        tune_embedding: put the embedding of the condition in group 0.

    Raises:
        ValueError: the generator does not say its stages.
    """
    stages = generator.stages()
    later = [*stages.output, *(module for block in stages.blocks for module in block)]
    left_out = _numbers(later if tune_embedding else [*later, *stages.embedding])
    first = [parameter for parameter in generator.parameters() if id(parameter) not in left_out]
    blocks = [[parameter for module in block for parameter in module.parameters()] for block in stages.blocks]
    return [first, *blocks]


def _numbers(modules: Iterable[nn.Module]) -> set[int]:
    return {id(parameter) for module in modules for parameter in module.parameters()}
