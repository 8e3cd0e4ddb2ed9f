"""Values that have the right type but cannot work, found before a work folder is made."""

from __future__ import annotations

from collections.abc import Iterator

from mmcgan.config.components import Node
from mmcgan.config.problems import Problem, dotted
from mmcgan.config.ranges import range_problems
from mmcgan.config.trials import trial_problems
from mmcgan.optim.constructor import PLAYERS
from mmcgan.precision import AUTO, PRECISIONS
from mmcgan.registry import nearest

# Where the precision of training is set.
OPTIMISER_SECTIONS = ("optim_wrapper", *(f"optim_wrapper.{player}" for player in PLAYERS))


def value_problems(node: Node) -> Iterator[Problem]:
    """Yield what the numbers of ``node``, and the constructor of its component, refuse.

    To be asked only about a node whose keys and types are right.
    """
    found = [*range_problems(node)]
    if "precision" in node.config and dotted(node.path) in OPTIMISER_SECTIONS:
        found += _precision_problems(node)
    yield from found or trial_problems(node)


def _precision_problems(node: Node) -> Iterator[Problem]:
    allowed, value = (AUTO, *PRECISIONS), node.config["precision"]
    if value not in allowed:
        hint = nearest(str(value), list(allowed))
        message = f"must be one of {', '.join(allowed)}, got {value!r}.{hint}"
        yield Problem(dotted((*node.path, "precision")), message)
