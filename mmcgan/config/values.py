"""Values that have the right type but cannot work, found before a work folder is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmcgan import registry as r
from mmcgan.config.components import Node, parameters_of, taken_before
from mmcgan.config.problems import Problem, dotted
from mmcgan.distributed import check_timeout
from mmcgan.optim.constructor import PLAYERS
from mmcgan.precision import AUTO, PRECISIONS
from mmcgan.registry import nearest

# Components that are cheap to build and own no data: their constructors know what they allow.
TRIED = (r.LOSSES, r.REGULARIZERS, r.AUGMENTS, r.SAMPLERS, r.HOOKS, r.GRADIENT_EXCHANGES)
# What code around a component would give it, for the trial only.
STAND_INS: dict[str, dict[str, Any]] = {r.SAMPLERS.name: {"latent_dim": 1 << 20}}
# Least value of a number, by the last part of its path; a component whose own default is less allows less.
LEAST = {
    "base_channels": 1,
    "batch_size": 1,
    "image_size": 1,
    "latent_dim": 1,
    "num_workers": 0,
    "shared_dim": 1,
}

# Where the precision of training is set.
OPTIMISER_SECTIONS = ("optim_wrapper", *(f"optim_wrapper.{player}" for player in PLAYERS))


def value_problems(node: Node) -> Iterator[Problem]:
    """Yield what the numbers of ``node``, and the constructor of a cheap component, refuse.

    To be asked only about a node whose keys and types are right.
    """
    for key, usual in LEAST.items():
        value, least = node.config.get(key), min(usual, _default(node, key, usual))
        if isinstance(value, int | float) and (value < least or value != int(value)):
            path = dotted((*node.path, key))
            yield Problem(path, f"must be a whole number of at least {least}, got {value!r}")
            return
    if dotted(node.path) == "env_cfg":
        yield from _environment_problems(node.config)
    if "precision" in node.config and dotted(node.path) in OPTIMISER_SECTIONS:
        yield from _precision_problems(node)
    if node.component is None or not any(registry in TRIED for registry in node.registries):
        return
    try:
        node.component(**_arguments(node))
    except (ValueError, OSError) as error:  # OSError: a store of instances is not there
        yield Problem(dotted(node.path), str(error))
    except (TypeError, KeyError):
        return  # the data set's value is missing, or a component within is unknown: reported elsewhere


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


def _default(node: Node, key: str, otherwise: int) -> int:
    parameters = (parameters_of(node.component) if node.component is not None else None) or {}
    default = parameters[key].default if key in parameters else None
    return default if isinstance(default, int) else otherwise


def _arguments(node: Node) -> Mapping[str, Any]:
    assert node.component is not None
    takes = parameters_of(node.component) or {}
    stand_ins = {key: value for x in node.registries for key, value in STAND_INS.get(x.name, {}).items()}
    given = {key: value for key, value in node.config.items() if key not in taken_before(node)}
    return {**{key: value for key, value in stand_ins.items() if key in takes}, **given}
