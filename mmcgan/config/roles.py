"""Components that are valid by themselves and stand where another kind of them is meant."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from mmcgan import registry as r
from mmcgan.config.components import Node
from mmcgan.config.problems import Problem, dotted
from mmcgan.contracts import answers
from mmcgan.datasets.base import ImageDataset
from mmcgan.datasets.conditions.latents import SeededLatents
from mmcgan.datasets.order import ResumableSampler
from mmcgan.models.generators.base import Generator
from mmcgan.samplers.base import ConditionSampler, LatentSampler

EVALUATIONS = ("val_dataloader", "test_dataloader")
#: key (or place of a data set) -> what must stand there, and what is taken for it
LAWS: dict[str, tuple[type, type]] = {
    "condition_sampler": (ConditionSampler, LatentSampler),
    "discriminator_condition_sampler": (ConditionSampler, LatentSampler),
    "latent_sampler": (LatentSampler, ConditionSampler),
    "train_dataloader.dataset": (ImageDataset, SeededLatents),
    "reference.dataset": (ImageDataset, SeededLatents),
    "val_dataloader.dataset": (SeededLatents, ImageDataset),
    "test_dataloader.dataset": (SeededLatents, ImageDataset),
}
#: keys under which parts of a model stand by name
NAMED = ("heads", "losses", "regularizers")
#: lists in which the same component twice is a slip, and not a way to do something twice
ONCE_EACH = ("custom_hooks", "vis_backends")


def role_problems(config: Mapping[str, Any], nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield components in the place of others, and those whose place or neighbours make them unusable."""
    for node in nodes:
        yield from _other_law(node)
        yield from _names(node)
        if node.path[0] in EVALUATIONS and len(node.path) == 1:
            yield from _not_all_images(node)
    yield from _equal(nodes)
    yield from _no_room(config, nodes)
    yield from _scope(config.get("default_scope"))


def _other_law(node: Node) -> Iterator[Problem]:
    """Yield what draws latents in the place of what draws conditions, and the like."""
    last = ".".join(node.path[-2:])
    laws = {**LAWS, **_loops()} if node.path[0].endswith("_cfg") else LAWS
    wanted, other = laws.get(last) or laws.get(node.path[-1]) or (None, None)
    if wanted is None or other is None or not isinstance(node.component, type):
        return
    if issubclass(node.component, other) and not issubclass(node.component, wanted):
        message = f"{node.config['type']} is a {other.__name__}, where a {wanted.__name__} must stand"
        yield Problem(dotted((*node.path, "type")), message)


def _loops() -> dict[str, tuple[type, type]]:
    """Return the same of loops, which take a second to import."""
    from mmengine.runner import TestLoop, ValLoop

    return {"val_cfg": (ValLoop, TestLoop), "test_cfg": (TestLoop, ValLoop)}


def _names(node: Node) -> Iterator[Problem]:
    """Yield names of parts of a model by which they could not be found again."""
    if node.path[0] != "model" or node.path[-1] not in NAMED or node.typed:
        return
    for name in node.config:
        if not str(name) or "." in str(name):
            yield Problem(dotted(node.path), f"a name must not be empty or have a dot in it, got {name!r}")
        elif str(name) in _names_of_torch():
            yield Problem(dotted((*node.path, str(name))), "torch keeps this name for itself: take another")


@cache
def _names_of_torch() -> frozenset[str]:
    """Return what no part of a network can be called."""
    from torch import nn  # names are looked up without it

    return frozenset(dir(nn.ModuleDict()))


def _not_all_images(node: Node) -> Iterator[Problem]:
    """Yield an order of an evaluation that never ends, or leaves images out."""
    sampler = next((x for key, x in node.config.items() if key == "sampler" and isinstance(x, Mapping)), {})
    component = r.DATA_SAMPLERS.get(str(sampler.get("type")))
    if _is_endless(component):
        message = f"{sampler['type']} never ends, and an evaluation must: use DefaultSampler"
        yield Problem(dotted((*node.path, "sampler", "type")), message)
    if node.config.get("drop_last"):
        message = "an evaluation counts every image that is asked for: leave it out"
        yield Problem(dotted((*node.path, "drop_last")), message)


def _is_endless(component: Any) -> bool:
    from mmengine.dataset import InfiniteSampler  # with its wrappers of data sets: only where it is asked

    return isinstance(component, type) and issubclass(component, ResumableSampler | InfiniteSampler)


def _equal(nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield the second of two components of a list that are equal in all settings."""
    seen: list[tuple[tuple[str, ...], Any]] = []
    for node in nodes:
        if len(node.path) < 2 or node.path[-2] not in ONCE_EACH or not node.typed:
            continue
        if (node.path[:-1], node.config) in seen:
            yield Problem(dotted(node.path), f"{node.config['type']} stands there twice with equal settings")
        seen.append((node.path[:-1], node.config))


def _no_room(config: Mapping[str, Any], nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield truncations at 0 of latents, of which none is left then."""
    generator = next((node for node in nodes if node.path == ("model", "generator")), None)
    component: Any = None if generator is None else generator.component
    known = isinstance(component, type) and answers(component, Generator)
    if generator is None or not known or not component.truncates_latent:
        return  # others are drawn towards a mean, and 0 is the mean itself
    for node in nodes:
        amount = node.config.get("truncation")
        if node.path[0] != "model" and isinstance(amount, int | float) and amount == 0:
            message = (
                f"must be greater than 0 for {generator.config['type']}, got {amount!r}: no latent is left"
            )
            yield Problem(dotted((*node.path, "truncation")), message)


def _scope(name: Any) -> Iterator[Problem]:
    """Yield a default scope that is no package: nothing would be found in it."""
    if isinstance(name, str) and not _is_package(name):
        yield Problem("default_scope", f"there is no package {name!r}; mmcgan's components are in 'mmcgan'")


def _is_package(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
