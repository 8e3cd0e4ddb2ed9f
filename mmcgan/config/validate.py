"""Checks a whole config against what its components really take, before anything is built."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mmengine.dist import get_world_size

from mmcgan import registry as r
from mmcgan.condition_fields import fact_names
from mmcgan.config.annotations import annotations_of, described, fits
from mmcgan.config.choices import choice_problems
from mmcgan.config.components import (
    Node,
    allowed_keys,
    find_component,
    parameters_of,
    structure_at,
    taken_before,
    top_level_keys,
    walk,
)
from mmcgan.config.facts import section
from mmcgan.config.kinds import kind_problems, top_level_kinds
from mmcgan.config.networks import network_problems
from mmcgan.config.problems import Problem, dotted
from mmcgan.config.relations import figure_problems, label_problems
from mmcgan.config.trials import CANNOT_BE_BUILT
from mmcgan.config.values import value_problems
from mmcgan.config.whole import whole_problems
from mmcgan.contracts import Emitting, Reading, answers
from mmcgan.losses.base import Loss
from mmcgan.models.step_options import StepOptions
from mmcgan.models.wiring import input_problems
from mmcgan.suggestions import nearest

# Arguments that the code around a component gives it, so that a config need not.
GIVEN: dict[str, tuple[str, ...]] = {
    r.HEADS.name: ("in_channels",),
    r.SAMPLERS.name: ("latent_dim",),
    r.OPTIMIZERS.name: ("params",),
    r.PARAM_SCHEDULERS.name: ("optimizer",),
    r.LOOPS.name: ("runner", "dataloader", "evaluator"),
    r.DATA_SAMPLERS.name: ("dataset", "data_source"),
    r.VISBACKENDS.name: ("save_dir",),
    r.FUNCTIONS.name: ("batch", "data_batch", "samples"),
}
REQUIRED_AT_TOP = ("model",)
EMPTY = inspect.Parameter.empty


def find_problems(config: Mapping[str, Any], facts_known: bool = True) -> list[Problem]:
    """Return everything wrong with ``config`` (facts already filled), in its own order.

    Args:
        config: the whole config.
        facts_known: False if the data set cannot tell its facts: their absence is no problem then.
    """
    supplied = () if facts_known else fact_names()
    nodes = list(walk(config))
    problems = [*_top_level(config), *top_level_kinds(config)]
    for node in nodes:
        found = [
            *_unknown_type(node),
            *_unknown_keys(node),
            *_missing(node, supplied, section(config, "train_dataloader").get("dataset")),
            *_wrong_types(node),
            *kind_problems(node),
        ]
        problems += found or value_problems(node, facts_known)
    problems = _without_consequences(problems)
    named = [*_wiring(config), *_reading(config, nodes)]
    named += [*_batch_size(config), *figure_problems(config), *label_problems(config, nodes)]
    problems += [*named, *choice_problems(config), *whole_problems(config, nodes)]
    return problems if problems or not facts_known else list(network_problems(config, nodes))


def _without_consequences(problems: list[Problem]) -> list[Problem]:
    """Leave out components that could not be built where something inside them is named."""
    paths = [problem.path for problem in problems]
    return [
        problem
        for problem in problems
        if not problem.message.startswith(CANNOT_BE_BUILT)
        or not any(path.startswith(f"{problem.path}.") for path in paths)
    ]


def _top_level(config: Mapping[str, Any]) -> Iterator[Problem]:
    known = list(top_level_keys())
    for key in config:
        if key not in known and not key.startswith("_"):
            hint = nearest(key, known)
            yield Problem(key, f"unknown top-level key.{hint} (an auxiliary variable starts with '_')")
    for key in REQUIRED_AT_TOP:
        if not isinstance(config.get(key), dict):
            yield Problem(key, "is missing")


def _unknown_type(node: Node) -> Iterator[Problem]:
    kind = node.config.get("type")
    if not node.typed or node.component is not None:
        return
    if not isinstance(kind, str):
        yield Problem(dotted((*node.path, "type")), f"must be a name or a class, got {kind!r}")
        return
    names = [name for x in node.registries or r.every_registry() for name in x.names()]
    role = " or ".join(x.name for x in node.registries) or "component"
    yield Problem(
        dotted((*node.path, "type")), f"no {role} named {kind!r}.{nearest(kind, names)}{r.failures()}"
    )


def _unknown_keys(node: Node) -> Iterator[Problem]:
    allowed = allowed_keys(node)
    if allowed is None:
        return
    owner = _owner(node)
    for key in node.config:
        if key not in allowed:
            hint = nearest(str(key), sorted(allowed - {"type", "_scope_"}))
            yield Problem(dotted((*node.path, str(key))), f"{owner} takes no {key!r}.{hint}")


def _owner(node: Node) -> str:
    taker = node.component if node.typed else structure_at(dotted(node.path))
    if isinstance(taker, type) or inspect.isfunction(taker):
        return taker.__name__
    return dotted(node.path)


def _missing(node: Node, supplied: Sequence[str], dataset: Any) -> Iterator[Problem]:
    if node.component is None or not node.registries:
        return
    given = {*supplied, *(key for x in node.registries for key in GIVEN.get(x.name, ()))}
    for name, parameter in (parameters_of(node.component) or {}).items():
        keyword = parameter.kind is not inspect.Parameter.POSITIONAL_ONLY
        if keyword and parameter.default is EMPTY and name not in given and name not in node.config:
            told = _untold(name, dataset)
            yield Problem(dotted(node.path), f"{_owner(node)} needs {name!r}, which is not given{told}")


def _untold(name: str, dataset: Any) -> str:
    """Return that the data set could have said a value, if it could."""
    if name not in fact_names() or not isinstance(dataset, Mapping) or "type" not in dataset:
        return ""
    return f": neither here nor by the facts() of the data set {dataset['type']} (docs/extending/dataset.md)"


def _wrong_types(node: Node) -> Iterator[Problem]:
    taker = node.component if node.typed else structure_at(dotted(node.path))
    if taker is None or isinstance(taker, tuple):
        return
    annotations, takes = annotations_of(taker), parameters_of(taker) or {}
    for key, value in node.config.items():
        if key in taken_before(node):
            continue
        if key not in annotations and key in takes and isinstance(takes[key].default, bool):
            annotations[key] = bool  # nobody says so, but what stands there without it is one
        if key in annotations and not fits(value, annotations[key]):
            wanted = described(annotations[key])
            yield Problem(dotted((*node.path, key)), f"must be {wanted}, got {value!r}")


def _wiring(config: Mapping[str, Any]) -> Iterator[Problem]:
    model = config.get("model")
    losses = model.get("losses") if isinstance(model, dict) else None
    if not isinstance(model, dict) or not isinstance(losses, dict):
        return
    emitted = _emitted(model)
    available = None if emitted is None else [*emitted, *_codes(model)]
    for name, loss in losses.items():
        component = _component(loss, r.LOSSES)
        if _is(component, Loss):
            path = f"model.losses.{name}"
            for message in _wired(component, loss.get("inputs"), available):
                yield Problem(f"{path}.inputs", message)
            yield from _weights(path, loss.get("weights", 1.0), list(component.implemented_views()))


def _wired(component: Any, inputs: Any, available: list[str] | None) -> Iterator[str]:
    """Yield what is wrong with the inputs of a loss, of those that are available if that is known."""
    wiring = component.default_inputs if inputs is None else inputs
    if not isinstance(wiring, Mapping):
        yield f"must be a dict of argument='head.tensor', got {wiring!r}"
        return
    if not all(fits(source, str | Sequence[str]) for source in wiring.values()):
        yield f"must name tensors as 'head.tensor', or lists of such names, got {dict(wiring)!r}"
        return
    if available is not None:
        yield from input_problems(component, wiring, available)


def _reading(config: Mapping[str, Any], nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield what augmentations, regularisers and moves of latents read although nothing emits it."""
    model = config.get("model")
    available = _emitted(model) if isinstance(model, dict) else None
    for node in nodes:
        if available is None or not _is(node.component, Reading):
            continue
        verb = "watches" if r.AUGMENTS in node.registries else "reads"
        for source in _answer(node.component.reads_with, node.config) or ():  # type: ignore[union-attr]
            if source not in available:
                message = f"{verb} {source!r}, which nothing emits.{nearest(source, available)}"
                yield Problem(dotted(node.path), f"{_owner(node)} {message}")


def _codes(model: Mapping[str, Any]) -> list[str]:
    """Return the named tensors that the latents may carry."""
    coded = _emits(model.get("latent_sampler"), r.SAMPLERS) or ()
    encoded = _emits(model.get("generator"), r.GENERATORS) or ()
    return [f"latent.{name}" for name in (*coded, *encoded)]


def _weights(path: str, weights: Any, views: list[str]) -> Iterator[Problem]:
    by_view = weights if isinstance(weights, Mapping) else dict.fromkeys(views, weights)
    for view in by_view:
        if view not in views:
            yield Problem(f"{path}.weights.{view}", f"the loss has no such view.{nearest(view, views)}")
    wrong = [value for value in by_view.values() if not fits(value, float)]
    if wrong:
        yield Problem(f"{path}.weights", f"must be a number or a number per view, got {wrong[0]!r}")


def _emitted(model: Mapping[str, Any]) -> list[str] | None:
    """Return the named tensors of the discriminator, or None if a part of it is not known."""
    discriminator = model.get("discriminator")
    if not isinstance(discriminator, dict) or not isinstance(discriminator.get("heads"), dict):
        return None
    parts = {"feature": _emits(discriminator.get("backbone"), r.BACKBONES)}
    parts |= {name: _emits(head, r.HEADS) for name, head in discriminator["heads"].items()}
    if any(emits is None for emits in parts.values()):
        return None
    return [f"{name}.{tensor}" for name, emits in parts.items() for tensor in emits or ()]


def _emits(config: Any, registry: r.SuggestingRegistry) -> tuple[str, ...] | None:
    """Return what a backbone or head emits, which may depend on its settings; None if not known."""
    component = _component(config, registry)
    return _answer(component.emits_with, config) if _is(component, Emitting) else None


def _answer(ask: Callable[[Any], tuple[str, ...]], config: Any) -> tuple[str, ...] | None:
    """Return what a class says about its settings; None if it cannot, since one of them is wrong."""
    try:
        return ask(config)
    except (TypeError, ValueError, LookupError, AttributeError):
        return None  # a value of a wrong kind, which is found where it stands


def _is(component: Any, base: type) -> bool:
    """Return whether a component is a class that derives from ``base``; a function may make anything."""
    return isinstance(component, type) and answers(component, base)


def _component(config: Any, registry: r.SuggestingRegistry) -> Any:
    return find_component(config.get("type"), (registry,)) if isinstance(config, dict) else None


def _batch_size(config: Mapping[str, Any]) -> Iterator[Problem]:
    size = section(config, "train_dataloader").get("batch_size")
    model = config.get("model")
    step = model.get("step") if isinstance(model, dict) else None
    if not isinstance(size, int) or not isinstance(step or {}, dict):
        return
    if any(isinstance(value, float) for value in (step or {}).values()):
        return  # counts that are not whole are found elsewhere
    try:
        parts = StepOptions(**(step or {})).real_mini_batches
    except (TypeError, ValueError) as error:
        if isinstance(error, ValueError):  # a TypeError is a wrong key or type, found elsewhere
            yield Problem("model.step", str(error))
        return
    if size < 1 or size % parts:
        yield Problem(
            "train_dataloader.batch_size",
            f"{size} cannot be cut into {parts} mini-batches (n_critic x d_accumulation); "
            f"nearest that can: {max(round(size / parts), 1) * parts}",
        )
    elif isinstance(model, dict):
        yield from _too_small(model, size, parts)


def _too_small(model: Mapping[str, Any], size: int, parts: int) -> Iterator[Problem]:
    """Yield losses that compare images with each other and would see too few of them."""
    losses = model.get("losses")
    ranks = get_world_size()
    for name, loss in losses.items() if isinstance(losses, dict) else ():
        component = _component(loss, r.LOSSES)
        least = component.smallest_batch if _is(component, Loss) else 1
        if size // parts * ranks < least:
            yield Problem(
                "train_dataloader.batch_size",
                f"{size} makes mini-batches of {size // parts}, but model.losses.{name} ({loss['type']}) "
                f"compares images and needs at least {least}: use {least * parts} or more",
            )
