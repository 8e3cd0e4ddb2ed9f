"""Components built for a moment, without memory for their weights, to hear what their constructors refuse."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from mmcgan import registry as r
from mmcgan.config.components import Node, parameters_of, taken_before
from mmcgan.config.problems import Problem, dotted
from mmcgan.contracts import ContractError

# Cheap components that own no data: their constructors know what they allow.
TRIED = (
    r.LOSSES,
    r.REGULARIZERS,
    r.AUGMENTS,
    r.SAMPLERS,
    r.HOOKS,
    r.GRADIENT_EXCHANGES,
    r.GENERATION_METRICS,
)
#: beginning of the message of a constructor that trips
CANNOT_BE_BUILT = "cannot be built: "
# Networks, of which only the shapes are made.
NETWORKS = (r.GENERATORS, r.BACKBONES, r.HEADS)
# What code around a component would give it, for the trial only.
STAND_INS: dict[str, dict[str, Any]] = {
    r.SAMPLERS.name: {"latent_dim": 1 << 20},
    r.HEADS.name: {"in_channels": 64},
}
REFUSALS = (ValueError, OSError, RuntimeError, AssertionError, ZeroDivisionError, OverflowError)


def trial_problems(node: Node, networks: bool = True) -> Iterator[Problem]:
    """Yield what the constructor of ``node``'s component refuses.

    To be asked only about a node whose keys, types and ranges are right.

    Args:
        node: as above.
        networks: whether networks are tried too, which need sizes and class counts.
    """
    build = _builder(node) if networks or not _is_network(node) else None
    if build is None:
        return
    try:
        build()
    except ContractError as error:
        yield Problem(dotted(node.path), str(error))
    except REFUSALS as error:  # OSError: a store of instances is not there
        yield Problem(dotted(node.path), _sentence(error))
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        # with None in it the data set's value is missing; a component within is unknown: reported elsewhere
        unknown = isinstance(error, KeyError) or None in node.config.values() or not networks
        if not unknown and _can_be_called(node):
            yield Problem(dotted(node.path), _sentence(error))


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, ValueError | OSError) else f"{CANNOT_BE_BUILT}{text}"


def _can_be_called(node: Node) -> bool:
    """Return whether all arguments are there that the component must have."""
    assert node.component is not None
    try:
        inspect.signature(node.component).bind(**_arguments(node))
    except TypeError:
        return False
    return True


def _builder(node: Node) -> Callable[[], object] | None:
    component = node.component
    if component is None:
        return None
    if any(registry in TRIED for registry in node.registries):
        return lambda: _check(node, component(**_arguments(node)))
    if _is_network(node):
        return lambda: _shapes_of(component, node)
    if r.OPTIMIZERS in node.registries:
        return lambda: component([torch.nn.Parameter(torch.zeros(1))], **_arguments(node))
    return None


def _is_network(node: Node) -> bool:
    return any(registry in NETWORKS for registry in node.registries)


def _shapes_of(component: Callable[..., Any], node: Node) -> object:
    with torch.device("meta"):
        return _check(node, component(**_arguments(node)))


def _check(node: Node, built: Any) -> object:
    """Return what was built if it keeps the contract of its role."""
    for registry in node.registries:
        if isinstance(registry, r.ClosedRegistry):
            registry.check_built(built)
    return built


def _arguments(node: Node) -> Mapping[str, Any]:
    assert node.component is not None
    takes = parameters_of(node.component) or {}
    stand_ins = {key: value for x in node.registries for key, value in STAND_INS.get(x.name, {}).items()}
    given = {key: value for key, value in node.config.items() if key not in taken_before(node)}
    return {**{key: value for key, value in stand_ins.items() if key in takes}, **given}
