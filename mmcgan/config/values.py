"""Values that have the right type but cannot work, found before a work folder is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmcgan.config.choices import file_problems, priority_problems
from mmcgan.config.components import Node
from mmcgan.config.problems import Problem, dotted
from mmcgan.config.ranges import range_problems
from mmcgan.config.trials import trial_problems
from mmcgan.distributed import check_timeout
from mmcgan.optim.players import PLAYERS
from mmcgan.precision import AUTO, PRECISIONS
from mmcgan.suggestions import nearest

# Where the precision of training is set.
OPTIMISER_SECTIONS = ("optim_wrapper", *(f"optim_wrapper.{player}" for player in PLAYERS))


def value_problems(node: Node, facts_known: bool = True) -> Iterator[Problem]:
    """Yield what the numbers of ``node``, and the constructor of its component, refuse.

    To be asked only about a node whose keys and types are right.

    Args:
        node: as above.
        facts_known: False if the data set could not tell its facts: networks are not built then.
    """
    found = [*range_problems(node), *priority_problems(node), *file_problems(node)]
    if dotted(node.path) == "env_cfg":
        found += _environment_problems(node.config)
    if "precision" in node.config and dotted(node.path) in OPTIMISER_SECTIONS:
        found += _precision_problems(node)
    yield from found or trial_problems(node, facts_known)


def _environment_problems(config: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what the settings of the process refuse."""
    ranks = config.get("dist_cfg")
    if isinstance(ranks, Mapping) and "timeout" in ranks:
        try:
            check_timeout(ranks["timeout"])
        except ValueError as error:
            yield Problem("env_cfg.dist_cfg.timeout", str(error).removeprefix("env_cfg.dist_cfg.timeout "))
    for key in ("tf32", "cudnn_benchmark"):
        if not isinstance(config.get(key), bool | None):
            yield Problem(f"env_cfg.{key}", f"must be True or False, got {config[key]!r}")


def _precision_problems(node: Node) -> Iterator[Problem]:
    allowed, value = (AUTO, *PRECISIONS), node.config["precision"]
    if value not in allowed:
        hint = nearest(str(value), list(allowed))
        message = f"must be one of {', '.join(allowed)}, got {value!r}.{hint}"
        yield Problem(dotted((*node.path, "precision")), message)
