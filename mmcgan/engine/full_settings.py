"""A config with what its components take where it says nothing: two configs that mean the same compare equal.

A default that is written out changes nothing, and leaving out what stood against a default changes much.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from mmcgan.models.discriminator import Discriminator
from mmcgan.models.step_options import StepOptions
from mmcgan.registry import LOSSES, SCOPE, every_registry
from mmcgan.samplers.default_law import latent_law

Config = Mapping[str, Any]
#: by dotted path, what takes the keys of a dict without ``type``
STRUCTURES: dict[str, Callable[..., Any]] = {"model.discriminator": Discriminator, "model.step": StepOptions}
#: by dotted path, what stands there if nothing is given
DEFAULTS: dict[str, Callable[[], Any]] = {
    "sync_bn": lambda: False,
    "model.step": dict,
    "model.latent_sampler": lambda: latent_law(None),
    "model.data_preprocessor": lambda: {"type": "GANDataPreprocessor"},
    "train_dataloader.drop_last": lambda: False,
}
#: hooks of MMEngine that its runner has unless they are given as None, and that change the training
STANDARD_HOOKS = {
    "sampler_seed": {"type": "DistSamplerSeedHook"},
    "param_scheduler": {"type": "ParamSchedulerHook"},
}


def written_out(config: Config) -> dict[str, Any]:
    """Return a copy of ``config`` in which components have all their arguments that have a default."""
    given = dict(config)
    given["default_hooks"] = {**STANDARD_HOOKS, **(given.get("default_hooks") or {})}
    full = dict(_written_out(given, ""))
    model = full.get("model") or {}
    latent, generator = model.get("latent_sampler"), model.get("generator")
    if isinstance(latent, dict) and isinstance(generator, dict):  # filled from the generator
        latent.setdefault("latent_dim", generator.get("latent_dim"))
    return full


def _written_out(value: Any, path: str) -> Any:
    if isinstance(value, list | tuple):
        return [_written_out(item, f"{path}.{number}") for number, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    full = {**_defaults(value, path), **value}
    for place, default in DEFAULTS.items():
        owner, _, key = place.rpartition(".")
        if owner == path and full.get(key) is None:
            full[key] = default()
    return {key: _written_out(item, f"{path}.{key}".strip(".")) for key, item in full.items()}


def _defaults(config: Config, path: str) -> dict[str, Any]:
    """Return the arguments that whatever is built of ``config`` has by default."""
    kind = config.get("type")
    if kind is None:
        structure = STRUCTURES.get(path)
        return {} if structure is None else _of_signature(structure)
    found = [_of_signature(component) for component in components_named(kind)]
    if not found:
        return {}
    # a name that means several things: what all of them agree on
    shared = {key: value for key, value in found[0].items() if all(_has(each, key, value) for each in found)}
    return {**shared, **_of_losses(kind)}


def _has(defaults: Config, key: str, value: Any) -> bool:
    return key in defaults and type(defaults[key]) is type(value) and bool(defaults[key] == value)


def components_named(kind: Any) -> list[Any]:
    """Return what the registries have under a name."""
    found: list[Any] = []
    for registry in every_registry():
        held = component_named(registry, kind)
        if held is not None and held not in found:
            found.append(held)
    return found


def component_named(registry: Any, kind: Any) -> Any:
    """Return what a registry, or MMEngine's of which it is a child, has under a name; None if nothing.

    MMEngine's own look-up would import what a dotted name names, and the config may be a stranger's.
    """
    if not isinstance(kind, str):
        return None
    held = registry.in_namespace(kind)
    name = kind.removeprefix(f"{SCOPE}.")
    if held is not None or "." in name:
        return held
    if registry.declares(name):
        return registry.get(name)
    return None if registry.parent is None else registry.parent.module_dict.get(name)


def _of_losses(kind: Any) -> dict[str, Any]:
    """Return what the wiring of a loss is by default."""
    if not isinstance(kind, str) or not LOSSES.declares(kind):
        return {}
    bases = inspect.getmro(LOSSES.get(kind)) if inspect.isclass(LOSSES.get(kind)) else ()
    inputs = next((vars(base)["default_inputs"] for base in bases if "default_inputs" in vars(base)), None)
    return {"weights": 1.0, **({"inputs": dict(inputs)} if isinstance(inputs, Mapping) else {})}


def _of_signature(component: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(component):
        fields = dataclasses.fields(component)
        return {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}
    try:
        parameters = inspect.signature(component).parameters
    except (TypeError, ValueError):
        return {}
    return {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
