"""Components built for a moment, without memory for their weights, to hear what their constructors refuse."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import torch

from mmcgan import registry as r
from mmcgan.config.components import Node, parameters_of, taken_before
from mmcgan.config.made_up import joining_trial, pipeline_trial
from mmcgan.config.problems import Problem, dotted
from mmcgan.contracts import ContractError, declared
from mmcgan.memory import check_weights_fit

# Cheap components that own no data: their constructors know what they allow.
TRIED = (
    r.LOSSES,
    r.REGULARIZERS,
    r.AUGMENTS,
    r.SAMPLERS,
    r.HOOKS,
    r.GRADIENT_EXCHANGES,
    r.GENERATION_METRICS,
    r.TRANSFORMS,
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
#: Loaders, and what of them is not torch's: made by the runner of their settings.
LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
BUILT_FROM = ("dataset", "sampler", "batch_sampler", "collate_fn", "worker_init_fn", "num_batch_per_epoch")
#: dicts in a data set of conditions that name nothing on the disk
READ_NOTHING = ("latent_sampler", "attribute_groups", "attributes")
REFUSALS = (ValueError, OSError, RuntimeError, AssertionError, ZeroDivisionError, OverflowError)


def trial_problems(node: Node, networks: bool = True) -> Iterator[Problem]:
    """Yield what the constructor of ``node``'s component refuses.

    To be asked only about a node whose keys, types and ranges are right.

    Args:
        node: as above.
        networks: whether networks and made-up conditions are tried too, which need sizes and class counts.
    """
    needs_facts = _is_network(node) or _is_made_up(node)
    build = _builder(node) if networks or not needs_facts else None
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
    if node.component is None or r.PARAM_SCHEDULERS in node.registries:
        return True
    try:
        inspect.signature(node.component).bind(**_arguments(node))
    except TypeError:
        return False
    return True


def _builder(node: Node) -> Callable[[], object] | None:
    component = node.component
    if component is None:
        return _parts_of_torch(node)
    if any(registry in TRIED for registry in node.registries):
        return lambda: _check(node, component(**_arguments(node)))
    if _is_network(node):
        return lambda: _shapes_of(component, node)
    if r.OPTIMIZERS in node.registries:
        return lambda: _optimize(component, _arguments(node))
    if r.PARAM_SCHEDULERS in node.registries:
        return lambda: _schedule(component, _arguments(node))
    if _is_made_up(node):
        takes = parameters_of(component) or {}
        if "latent_dim" in takes and node.config.get("latent_dim") is None:
            return None  # the generator would have said it, and cannot be built itself
        return lambda: _check(node, component(**_arguments(node)))
    if r.DATASETS in node.registries and (images := pipeline_trial(component, _arguments(node))):
        return images
    if r.DATASETS in node.registries and dotted(node.path) != "train_dataloader.dataset":
        return _telling(component, node)
    return None


def _is_made_up(node: Node) -> bool:
    """Return whether a data set draws conditions of an evaluation, and reads nothing."""
    of_evaluation = node.path[0] in LOADERS[1:] and node.path[1:] == ("dataset",)
    inner = any(isinstance(value, Mapping) for key, value in node.config.items() if key not in READ_NOTHING)
    return of_evaluation and not inner and declared(node.component, "disk_arguments") == ()


def _telling(component: Any, node: Node) -> Callable[[], object] | None:
    """Return what asks a data set for its facts, which it tells without reading images.

    Files that are not there are no mistake of the config: it may be looked at before they are fetched.
    """
    facts = declared(component, "facts")
    if facts is None:
        return None

    def ask() -> None:
        with suppress(FileNotFoundError):
            facts(**_arguments(node))

    return ask


def _optimizer() -> torch.optim.Optimizer:
    """Return an optimiser of nothing, whose numbers a schedule may set."""
    with torch.device("cpu"):
        return torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1.0)


def _optimize(component: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Make an optimiser and take a step, as the training does: without a closure, with a dense gradient."""
    with torch.device("cpu"):
        parameter = torch.nn.Parameter(torch.zeros(2, 2))
        parameter.grad = torch.zeros(2, 2)
        optimizer = component([parameter], **arguments)
        try:
            optimizer.step()
        except (TypeError, RuntimeError, AssertionError) as error:
            raise ValueError(
                f"{type(optimizer).__name__} cannot take this training's steps: {error}"
            ) from error


def _schedule(component: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Make a schedule and go two steps."""
    optimizer = _optimizer()
    schedule = component(optimizer, **arguments)
    for _ in range(2):
        optimizer.step()
        schedule.step()


def _parts_of_torch(node: Node) -> Callable[[], object] | None:
    """Return what tries settings that are torch's own: of a data loader, of the clipping of gradients."""
    path, settings = dotted(node.path), dict(node.config)
    if path in LOADERS and "dataset" in settings:
        given = {key: value for key, value in settings.items() if key not in BUILT_FROM}
        order = {"sampler": torch.utils.data.SequentialSampler(range(1))} if settings.get("sampler") else {}
        join = joining_trial(settings) if path == LOADERS[0] else None
        return lambda: _loader(given, order, join)
    if node.path[-1] == "clip_grad" and node.path[0] == "optim_wrapper":
        return lambda: _clipping(settings)
    return None


def _loader(given: Mapping[str, Any], order: Mapping[str, Any], join: Callable[[], object] | None) -> None:
    """Make a loader of nothing, and join made-up items.

    Raises:
        ValueError: torch refuses the settings, or waits for workers that there are not.
    """
    if given.get("timeout") and not given.get("num_workers"):
        raise ValueError(f"timeout={given['timeout']!r} is for workers: set num_workers, or leave it out")
    if given.get("pin_memory_device") and not given.get("pin_memory"):
        raise ValueError(
            f"pin_memory_device={given['pin_memory_device']!r} is read with pin_memory=True only"
        )
    torch.utils.data.DataLoader(range(1), **order, **given)  # type: ignore[arg-type]
    if join is not None:
        join()


def _clipping(settings: dict[str, Any]) -> None:
    """Clip nothing.

    Raises:
        TypeError, ValueError: torch takes no such settings.
    """
    kind = settings.pop("type", "norm")
    clips: dict[str, Callable[..., Any]] = {
        "norm": torch.nn.utils.clip_grad_norm_,
        "value": torch.nn.utils.clip_grad_value_,
    }
    if kind not in clips:
        raise ValueError(f"type must be one of {', '.join(clips)}, got {kind!r}")
    inspect.signature(clips[kind]).bind([], **settings)
    clips[kind]([], **settings)


def _is_network(node: Node) -> bool:
    return any(registry in NETWORKS for registry in node.registries)


def _shapes_of(component: Callable[..., Any], node: Node) -> object:
    with torch.device("meta"):
        built = _check(node, component(**_arguments(node)))
    check_weights_fit(built)
    return built


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
