"""A generator's parameters in the order in which an image is made."""

from __future__ import annotations

from torch import nn

#: What every generator makes colours with at its end.
OUTPUTS = ("output_norm", "output_conv", "output_activation", "implicit")
#: Where labels and instances become vectors.
EMBEDDING = "condition"


def parameter_groups(generator: nn.Module, tune_embedding: bool = False) -> list[list[nn.Parameter]]:
    """Return group 0, what comes before the first block, and group i, block i with its attention.

    The output layer is in no group, as in the Deep Generative Prior.

    Args:
        generator: has ``blocks``.
        tune_embedding: put the embedding of the condition in group 0.

    Raises:
        ValueError: the generator has no ``blocks``.
    """
    blocks = getattr(generator, "blocks", None)
    if not isinstance(blocks, nn.ModuleList | nn.ModuleDict):
        raise ValueError(
            f"{type(generator).__name__} has no list of blocks, so that it cannot be tuned from its first "
            "block on; generators such as BigGANGenerator can"
        )
    attention = getattr(generator, "attention", {})
    later: set[nn.Module | None] = {blocks, attention if isinstance(attention, nn.Module) else None}
    first = [
        parameter
        for name, child in generator.named_children()
        if child not in later and name not in OUTPUTS and (tune_embedding or name != EMBEDDING)
        for parameter in child.parameters()
    ]
    groups = [[*generator.parameters(recurse=False), *first]]
    for index, block in enumerate(blocks.children()):
        beside = [attention[str(index)]] if str(index) in attention else []
        groups.append([parameter for module in (block, *beside) for parameter in module.parameters()])
    return groups
