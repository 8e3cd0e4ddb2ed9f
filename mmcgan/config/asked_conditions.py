"""What is asked of a generator, against what it and the discriminator look at: every field of a condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from mmcgan import registry as r
from mmcgan.condition_fields import condition_field, field_names, told_fields
from mmcgan.config.components import find_component, parameters_of
from mmcgan.config.facts import CONDITION_SAMPLERS
from mmcgan.config.problems import Problem
from mmcgan.contracts import ContractError, answers
from mmcgan.losses.arguments import view_arguments
from mmcgan.losses.base import Loss
from mmcgan.models.wiring import PLAYER_VIEWS, sources_of
from mmcgan.returned import check_condition

#: what a sampler of somebody's may fail with; where it does, nothing is known of its fields
REFUSALS = (ValueError, TypeError, LookupError, RuntimeError, AttributeError, OSError, ArithmeticError)


def condition_problems(model: Mapping[str, Any], generator: Any, discriminator: Any) -> Iterator[Problem]:
    """Yield fields of the condition that a network looks at and no sampler draws, or that are asked in vain.

    Args:
        model: its config, in which nothing else is wrong.
        generator, discriminator: built from it.
    """
    looking = {
        f"generator ({type(generator).__name__})": tuple(generator.requires),
        f"backbone ({type(discriminator.backbone).__name__})": tuple(discriminator.backbone.requires),
        **{
            f"head {name!r} ({type(head).__name__})": tuple(head.requires)
            for name, head in discriminator.heads.items()
        },
    }
    for key in CONDITION_SAMPLERS:
        settings = model.get(key)
        if not isinstance(settings, Mapping):
            continue
        try:
            drawn = drawn_fields(settings)
        except ContractError as error:
            yield Problem(f"model.{key}", str(error))
            continue
        yield from (Problem(f"model.{key}", said) for said in _not_drawn(settings, drawn, looking))
        if key == CONDITION_SAMPLERS[0]:
            asked = {name for name, there in drawn.items() if there and name not in generator.requires}
            yield from _in_vain(model, asked, tuple(discriminator.requires))


def drawn_fields(settings: Mapping[str, Any]) -> dict[str, bool]:
    """Return which fields a sampler of these settings draws; one of which that is not known is left out.

    One that draws from a data set is not asked, since that may have to be read: the data set's facts tell.

    Raises:
        ContractError: it returns something else than conditions.
    """
    component = find_component(settings.get("type"), (r.SAMPLERS,))
    if "dataset" in (parameters_of(component) or {}):
        return _told(settings.get("dataset"))
    try:
        sampler = r.SAMPLERS.build(dict(settings))
        drawn = sampler.sample(1, torch.Generator())
        check_condition(sampler, "sample", drawn, 1)
    except ContractError:
        raise
    except REFUSALS:
        return {}
    return {name: name in drawn.present() for name in field_names()}


def _told(dataset: Any) -> dict[str, bool]:
    """Return the fields that a data set is known to have; it may have others, of which facts say nothing."""
    kind = r.DATASETS.own(dataset["type"]) if isinstance(dataset, Mapping) and "type" in dataset else None
    if kind is None:
        return {}
    try:
        facts = kind.facts(**{key: value for key, value in dataset.items() if key != "type"})
    except REFUSALS:
        return {}
    return dict.fromkeys(told_fields(facts), True)


def _not_drawn(
    settings: Mapping[str, Any], drawn: Mapping[str, bool], looking: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    """Yield who looks at fields that are not drawn."""
    there = ", ".join(name for name, is_there in drawn.items() if is_there) or "nothing"
    for who, fields in looking.items():
        absent = [name for name in fields if drawn.get(name) is False]
        if absent:
            yield f"{settings['type']} draws {there}, but the {who} looks at {', '.join(absent)} as well"


def _in_vain(model: Mapping[str, Any], asked: set[str], judged: tuple[str, ...]) -> Iterator[Problem]:
    """Yield fields by which images are judged that the generator is asked for and cannot see.

    An explicit 0 in its config, such as ``num_classes=0``, says that this is meant.
    """
    settings = model["generator"]
    for name in sorted(asked & {*judged, *_wanted_by_losses(model.get("losses"))}):
        facts = condition_field(name).facts
        if facts and settings.get(facts[0]) == 0:
            continue
        able = [
            kind for kind, x in r.GENERATORS.named().items() if {*facts[:1]} & {*(parameters_of(x) or {})}
        ]
        yield Problem(
            "model.generator.type",
            f"the condition sampler asks for {name}, which this generator does not take"
            + (f"; use {' or '.join(able)}" if able else ""),
        )


def _wanted_by_losses(losses: Any) -> set[str]:
    """Return the fields that losses hold generated images against in the generator's step."""
    found: set[str] = set()
    for settings in losses.values() if isinstance(losses, Mapping) else ():
        component: Any = find_component(settings.get("type"), (r.LOSSES,))
        ours = isinstance(component, type) and answers(component, Loss)
        if not ours:
            continue
        weights = settings.get("weights", 1.0)
        inputs = settings.get("inputs") or component.default_inputs
        for view in PLAYER_VIEWS["generator"].intersection(component.implemented_views()):
            if not (weights.get(view, 0.0) if isinstance(weights, Mapping) else weights):
                continue
            takes = view_arguments(component, view)
            wired = {argument: source for argument, source in inputs.items() if argument in takes}
            found |= {source.partition(".")[2] for source in sources_of(wired) if source.startswith("cond.")}
    return found
