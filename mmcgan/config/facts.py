"""Dataset facts: written once in the dataset, filled in wherever a constructor asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import torch

from mmcgan.condition_fields.known import size_facts
from mmcgan.config.components import Node, find_component, parameters_of, walk
from mmcgan.config.images import image_problems
from mmcgan.config.problems import Problem, dotted
from mmcgan.plain_values import plain
from mmcgan.registry import DATASETS, EXTRACTORS, GENERATORS, SAMPLERS
from mmcgan.returned import check_facts
from mmcgan.samplers.default_law import latent_law

SOURCE = "train_dataloader.dataset"
#: keys of the model under which conditions are drawn
CONDITION_SAMPLERS = ("condition_sampler", "discriminator_condition_sampler")
# Where a silent config gets the dataset's values. Evaluators are left out: an extractor's
# image size or class count is its own.
FILLED_AT = (("model",), ("val_dataloader", "dataset"), ("test_dataloader", "dataset"))


def section(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return what stands at the top of a config; an empty dict if that is none."""
    found = config.get(key)
    return found if isinstance(found, Mapping) else {}


def dataset_facts(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the training dataset knows without decoding an image; empty if there is none.

    Raises:
        ValueError, FileNotFoundError, TypeError: from the dataset, about its own arguments.
    """
    dataset = section(config, "train_dataloader").get("dataset")
    if not isinstance(dataset, dict) or not isinstance(dataset.get("type"), str):
        return {}
    kind = DATASETS.own(dataset["type"])
    if kind is None:  # one of MMEngine's, or none: the validation says which
        return {}
    known = kind.facts(**{key: value for key, value in dataset.items() if key != "type"})
    check_facts(kind, "facts", known)
    return {name: value for name, value in known.items() if value is not None}


def fill_facts(config: dict[str, Any]) -> list[Problem]:
    """Fill dataset facts and the latent size into ``config`` and return the contradictions."""
    try:
        facts = dataset_facts(config)
    except (ValueError, OSError, ImportError) as error:
        return [Problem(SOURCE, str(error))]
    except TypeError as error:
        return [Problem(SOURCE, _unasked(config["train_dataloader"]["dataset"], error))]
    nodes = list(_receivers(config))
    kind = config["train_dataloader"]["dataset"]["type"] if facts else ""
    problems = [problem for node in nodes for problem in _fill(node, facts, kind)]
    _fill_latent_dim(config, nodes)
    _fill_sampled_set(config)
    problems += _other_latent_dim(config, nodes)
    _fill_asked_conditions(config, nodes)
    problems += _batch_beyond(config, facts)
    problems += image_problems([node for node in walk(config) if node.path[0] == "model"], facts, kind)
    return [*problems, *_fill_latent_law(config, nodes)]


def _unasked(dataset: Mapping[str, Any], error: TypeError) -> str:
    """Return why a data set cannot tell its facts: arguments that it does not take, or of another kind."""
    given = ", ".join(f"{key}={value!r}" for key, value in dataset.items() if key != "type")
    about_value = "object" in str(error) or "NoneType" in str(error)
    return (
        f"{dataset['type']} cannot do anything with {given or 'no arguments'}" if about_value else str(error)
    )


def _batch_beyond(config: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a batch that would hold images of the training set twice, where its size is known."""
    counts, batch = facts.get("class_counts"), config["train_dataloader"].get("batch_size") if facts else None
    if counts is not None and isinstance(batch, int) and batch > sum(counts):
        message = f"{batch} is more than the {sum(counts)} images of the training set"
        yield Problem("train_dataloader.batch_size", message)


def _fill_sampled_set(config: Mapping[str, Any]) -> None:
    """Let a condition sampler that draws from a data set draw from the training one if it names none."""
    dataset = section(config, "train_dataloader").get("dataset")
    for sampler in map(section(config, "model").get, CONDITION_SAMPLERS):
        if (
            not isinstance(sampler, dict)
            or not isinstance(dataset, dict)
            or sampler.get("dataset") is not None
        ):
            continue
        component = find_component(sampler.get("type"), (SAMPLERS,))
        if component is not None and "dataset" in (parameters_of(component) or {}):
            sampler["dataset"] = deepcopy(dataset)


def _fill_asked_conditions(config: Mapping[str, Any], nodes: list[Node]) -> None:
    """Let evaluations that take any sampler of conditions ask for the model's, if silent."""
    sampler = section(config, "model").get("condition_sampler")
    for node in nodes:
        takes = parameters_of(node.component) or {}
        optional = "condition_sampler" in takes and takes["condition_sampler"].default is None
        silent = node.path[0] != "model" and node.config.get("condition_sampler") is None
        if optional and silent and isinstance(sampler, dict):
            node.config["condition_sampler"] = deepcopy(sampler)


def _receivers(config: Mapping[str, Any]) -> Iterator[Node]:
    for node in walk(config):
        inside = any(node.path[: len(place)] == place for place in FILLED_AT)
        if inside and node.component is not None and EXTRACTORS not in node.registries:
            yield node


def _fill(node: Node, facts: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    assert node.component is not None
    parameters = parameters_of(node.component) or {}
    for name in (name for name in facts if name in parameters):
        given = node.config.get(name)
        if given is None:
            node.config[name] = facts[name]
        elif _contradicts(name, given, facts[name]):
            yield Problem(
                dotted((*node.path, name)),
                f"{_short(given)} contradicts {SOURCE} ({kind}), which has {name} {_short(facts[name])}; "
                "leave it out to use the dataset's",
            )


def _contradicts(name: str, given: Any, known: Any) -> bool:
    if given == 0 and (name.startswith("num_") or name in size_facts()):
        return False  # an explicit 0 means: does not use this field of the condition
    if name == "instance_store":  # instances of other images may be asked for
        return False
    return plain(given) != plain(known)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _fill_latent_dim(config: Mapping[str, Any], nodes: list[Node]) -> None:
    """Give evaluation datasets that ask for it the latent size of the built generator."""
    asking = [node for node in nodes if node.path[0] != "model" and _asks_latent_dim(node)]
    generator = section(config, "model").get("generator")
    if not asking or not isinstance(generator, dict):
        return
    try:
        latent_dim = effective_latent_dim(generator)
    except (KeyError, TypeError, ValueError, RuntimeError):
        return  # the validation of model.generator says what is wrong with it
    for node in asking:
        node.config["latent_dim"] = latent_dim


def _other_latent_dim(config: Mapping[str, Any], nodes: list[Node]) -> Iterator[Problem]:
    """Yield evaluation data sets whose latents have another length than the generator's."""
    generator = section(config, "model").get("generator")
    given = [node for node in nodes if node.path == ("model", "latent_sampler")]
    given += [node for node in nodes if node.path[0] != "model" and _takes_latent_dim(node)]
    given = [node for node in given if isinstance(node.config.get("latent_dim"), int)]
    if not given or not isinstance(generator, dict):
        return
    try:
        latent_dim = effective_latent_dim(generator)
    except (KeyError, TypeError, ValueError, RuntimeError):
        return
    for node in given:
        if node.config["latent_dim"] != latent_dim:
            message = (
                f"{node.config['latent_dim']} contradicts model.generator, whose latents have {latent_dim}"
            )
            yield Problem(dotted((*node.path, "latent_dim")), f"{message}; leave it out")


def _takes_latent_dim(node: Node) -> bool:
    return node.component is not None and "latent_dim" in (parameters_of(node.component) or {})


def _fill_latent_law(config: Mapping[str, Any], nodes: list[Node]) -> Iterator[Problem]:
    """Let evaluations draw latents from the law of the model, and yield those that say otherwise."""
    model = section(config, "model")
    own = latent_law(section(model, "latent_sampler"))
    for node in nodes:
        if node.path[0] == "model" or "latent_sampler" not in (node.parameters or {}):
            continue
        given = node.config.get("latent_sampler")
        if given is None:
            node.config["latent_sampler"] = deepcopy(own)
        elif _law(given) != _law(own):
            yield Problem(
                dotted((*node.path, "latent_sampler")),
                f"{_short(given)} contradicts model.latent_sampler, which is {_short(own)}; leave it out to "
                "evaluate with the law that the model is trained with (truncation=... narrows it)",
            )


def _law(config: Any) -> Any:
    """Return a latent law with the defaults of its arguments, without the size, to be compared."""
    component = find_component(config.get("type"), (SAMPLERS,)) if isinstance(config, Mapping) else None
    if component is None:
        return config  # the validation says what is wrong with it
    defaults = {name: p.default for name, p in (parameters_of(component) or {}).items()}
    return plain({key: value for key, value in {**defaults, **config}.items() if key != "latent_dim"})


def _asks_latent_dim(node: Node) -> bool:
    component: Callable[..., Any] | None = node.component
    parameters = {} if component is None else parameters_of(component) or {}
    return "latent_dim" in parameters and node.config.get("latent_dim") is None


def effective_latent_dim(generator: Mapping[str, Any]) -> int:
    """Return ``latent_dim`` of the built generator (hierarchical ones round it); uses no memory."""
    with torch.device("meta"):
        return int(GENERATORS.build(dict(generator)).latent_dim)
