"""Which class each dict of a config will build, and which keys it may have.

The registry is told by the class that the dict is an argument of, if that declares ``parts`` (argument ->
registry), or by the key it stands under (``generator=dict(type=...)``); a dict without ``type`` is a
container (``heads``, ``default_hooks``) or a structure with fixed keys (``train_dataloader``).
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from mmcgan import registry as r
from mmcgan.contracts import declared
from mmcgan.optim.players import PLAYERS

Registries = tuple[r.SuggestingRegistry, ...]
Parameters = Mapping[str, inspect.Parameter]

# The key a component stands under -> the registries its `type` is looked up in.
ROLES: dict[str, Registries] = {
    "model": (r.MODELS,),
    "data_preprocessor": (r.MODELS,),
    "generator": (r.GENERATORS,),
    "backbone": (r.BACKBONES,),
    "heads": (r.HEADS,),
    "head": (r.HEADS,),
    "losses": (r.LOSSES,),
    "regularizers": (r.REGULARIZERS,),
    "augment": (r.AUGMENTS,),
    "augments": (r.AUGMENTS,),
    "transform": (r.AUGMENTS,),
    "loss": (r.LOSSES,),
    "noise": (r.SAMPLERS,),
    "latent_sampler": (r.SAMPLERS,),
    "latent_move": (r.SAMPLERS,),
    "condition_sampler": (r.SAMPLERS,),
    "discriminator_condition_sampler": (r.SAMPLERS,),
    "extractor": (r.EXTRACTORS,),
    "metrics": (r.GENERATION_METRICS, r.METRICS),
    "dataset": (r.DATASETS,),
    "datasets": (r.DATASETS,),
    "sampler": (r.DATA_SAMPLERS,),
    "batch_sampler": (r.DATA_SAMPLERS,),
    "collate_fn": (r.FUNCTIONS,),
    "pipeline": (r.TRANSFORMS,),
    "transforms": (r.TRANSFORMS,),
    "optimizer": (r.OPTIMIZERS,),
    "param_scheduler": (r.PARAM_SCHEDULERS,),
    "default_hooks": (r.HOOKS,),
    "custom_hooks": (r.HOOKS,),
    "train_cfg": (r.LOOPS,),
    "val_cfg": (r.LOOPS,),
    "test_cfg": (r.LOOPS,),
    "val_evaluator": (r.EVALUATOR, r.METRICS),
    "test_evaluator": (r.EVALUATOR, r.METRICS),
    "distributed": (r.GRADIENT_EXCHANGES,),
    "visualizer": (r.VISUALIZERS,),
    "vis_backends": (r.VISBACKENDS,),
    "log_processor": (r.LOG_PROCESSORS,),
}
# Top-level keys under which `generator` is a player's section, not a network (of hooks: a roll-back's).
PLAYER_SECTIONS = ("optim_wrapper", "param_scheduler", "default_hooks", "custom_hooks")

# Dicts without a `type` whose keys are fixed: dotted path -> what takes them, by name until it is needed.
_LOADER = "torch.utils.data:DataLoader"
_REFERENCE, _SECTION = "mmcgan.evaluation.evaluator:REFERENCE_KEYS", "mmcgan.optim.constructor:SECTION_KEYS"
STRUCTURES: dict[str, str | tuple[str, ...]] = {
    **{f"{phase}_dataloader": _LOADER for phase in ("train", "val", "test")},
    "model.discriminator": "mmcgan.models.discriminator:Discriminator",
    "model.step": "mmcgan.models.step_options:StepOptions",
    **{f"{phase}_evaluator.reference": _REFERENCE for phase in ("val", "test")},
    "randomness": "mmengine.runner:Runner.set_randomness",
    "env_cfg": ("cudnn_benchmark", "mp_cfg", "dist_cfg", "resource_limit", "tf32"),
    "env_cfg.dist_cfg": ("timeout",),
    "env_cfg.mp_cfg": ("mp_start_method", "opencv_num_threads"),
    "custom_imports": ("imports", "allow_failed_imports"),
    "optim_wrapper": ("constructor", "precision", *PLAYERS),
    **{f"optim_wrapper.{player}": _SECTION for player in PLAYERS},
}
# Keys taken out of a component's config before its constructor sees the rest.
TAKEN_BEFORE: dict[str, tuple[str, ...]] = {
    r.LOSSES.name: ("inputs", "weights"),
    r.HOOKS.name: ("priority",),
    r.PARAM_SCHEDULERS.name: ("convert_to_iter_based",),
}
# Top-level keys beyond the arguments of MMEngine's Runner: ours and GANRunner's.
TOP_LEVEL = ("runner_type", "custom_imports", "compile", "distributed", "sync_bn")


@dataclass(frozen=True)
class Node:
    """One dict of a config.

    Attributes:
        path: keys from the top.
        config: the dict itself, not a copy.
        registries: where its ``type`` is looked up; empty when the key does not tell.
        component: the class or function of ``type``; None if there is no type or none is found.
    """

    path: tuple[str, ...]
    config: dict[str, Any]
    registries: Registries
    component: Callable[..., Any] | None

    @property
    def typed(self) -> bool:
        """Whether the dict names a component."""
        return "type" in self.config

    @property
    def parameters(self) -> Parameters | None:
        """The named parameters of the component; None without one, or if it takes any keyword."""
        return None if self.component is None else parameters_of(self.component)


def walk(config: Mapping[str, Any]) -> Iterator[Node]:
    """Yield every dict below the known top-level keys of ``config``, outer before inner."""
    for key in config:
        if key in top_level_keys():
            yield from _walk(config[key], (key,), ROLES.get(key, ()))


def _walk(value: Any, path: tuple[str, ...], role: Registries) -> Iterator[Node]:
    if isinstance(value, list | tuple):
        for index, element in enumerate(value):
            yield from _walk(element, (*path, str(index)), role)
    if not isinstance(value, dict):
        return
    component = find_component(value["type"], role) if "type" in value else None
    yield Node(path, value, role, component)
    inherited = () if "type" in value else role
    parts = declared(component, "parts")
    for key, child in value.items():
        own = (parts[key],) if key in parts else _role_of(path, str(key), inherited)
        yield from _walk(child, (*path, str(key)), own)


def _role_of(parent: tuple[str, ...], key: str, inherited: Registries) -> Registries:
    """Return the role of what stands under ``key``; in a container (``heads``) keys are free names."""
    if inherited or (parent[0] in PLAYER_SECTIONS and key in PLAYERS):
        return inherited
    return ROLES.get(key, ())


def find_component(kind: Any, registries: Registries) -> Callable[..., Any] | None:
    """Return what ``type=kind`` builds, searching every registry when ``registries`` is empty."""
    if not isinstance(kind, str):
        return kind if callable(kind) else None
    # without a role, those that have the name come first: the others would import what they know not to have
    unknown = sorted(r.every_registry(), key=lambda registry: not registry.declares(kind))
    for registry in registries or unknown:
        found = registry.get(kind)
        if found is not None:
            return found
    return None


@cache
def structure_at(path: str) -> Callable[..., Any] | tuple[str, ...] | None:
    """Return what takes the keys of the dict at a dotted path, or the keys; None if neither is known."""
    named = STRUCTURES.get(path)
    if not isinstance(named, str):
        return named
    module, _, attribute = named.partition(":")
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


@cache
def top_level_keys() -> tuple[str, ...]:
    """Return the top-level keys a config may have."""
    from mmengine.runner import Runner

    # `cfg` is where a runner keeps the whole config
    taken = (key for key in inspect.signature(Runner.__init__).parameters if key not in ("self", "cfg"))
    return (*taken, *TOP_LEVEL)


def parameters_of(component: Callable[..., Any] | None) -> Parameters | None:
    """Return the named parameters of a constructor or function; None if it takes any keyword, or is none."""
    from torch import nn

    if component is None:
        return None

    if isinstance(component, type) and component.__init__ is nn.Module.__init__:  # type: ignore[misc]
        return {}  # its signature says **kwargs, but it refuses all of them
    try:
        parameters = inspect.signature(component).parameters
    except (TypeError, ValueError):
        return None
    kinds = {parameter.kind for parameter in parameters.values()}
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return None
    return {name: p for name, p in parameters.items() if p.kind is not inspect.Parameter.VAR_POSITIONAL}


def taken_before(node: Node) -> tuple[str, ...]:
    """Return keys a node may have that are not arguments of its constructor."""
    return ("type", "_scope_", *(key for x in node.registries for key in TAKEN_BEFORE.get(x.name, ())))


def allowed_keys(node: Node) -> set[str] | None:
    """Return the keys ``node`` may have, or None if any will do."""
    if node.typed:
        parameters = None if node.component is None else parameters_of(node.component)
        return None if parameters is None else {*parameters, *taken_before(node)} - {"self"}
    structure = structure_at(".".join(node.path))
    if structure is None:
        return None
    if isinstance(structure, tuple):
        return set(structure)
    return set(parameters_of(structure) or ()) - {"self", "cls"}


def arguments_at(config: Mapping[str, Any], path: Sequence[str]) -> set[str] | None:
    """Return the keys the dict at ``path`` may have, or None if it is open or not a dict."""
    if not path:
        return set(top_level_keys())
    wanted = tuple(path)
    found = next((node for node in walk(config) if node.path == wanted), None)
    return None if found is None else allowed_keys(found)
