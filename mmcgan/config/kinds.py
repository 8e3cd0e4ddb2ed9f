"""What kind of value stands where no constructor says so: at the top of a config, in loaders, under roles."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Union

from mmcgan.config.annotations import annotations_of, described, fits
from mmcgan.config.components import ROLES, Node
from mmcgan.config.problems import Problem, dotted
from mmcgan.optim.players import PLAYERS

Dict = dict[str, Any]
LOADER: Dict = {
    "batch_size": int,
    "num_workers": int,
    "dataset": Dict,
    "sampler": Dict,
    "batch_sampler": Dict | None,
    "collate_fn": Dict,
    "persistent_workers": bool,
    "pin_memory": bool,
    "drop_last": bool,
    "shuffle": bool,
    "prefetch_factor": int | None,
    "timeout": float,
    "in_order": bool,
    "worker_init_fn": Dict | None,
    "pin_memory_device": str,
    "num_batch_per_epoch": int | None,
}
PLAYER: Dict = {"optimizer": Dict, "rules": Dict | None, "adopts": list[str], "clip_grad": Dict | None}
REFERENCE: Dict = {"dataset": Dict, "path": str | None, "batch_size": int, "keep": bool}
#: Dicts without a class of their own: path -> the kinds of what stands in them.
KINDS: dict[str, Dict] = {
    "train_dataloader": LOADER,
    "val_dataloader": LOADER,
    "test_dataloader": LOADER,
    "randomness": {"seed": int | None, "diff_rank_seed": bool, "deterministic": bool},
    "env_cfg": {"cudnn_benchmark": bool, "mp_cfg": Dict, "dist_cfg": Dict, "resource_limit": int},
    "env_cfg.mp_cfg": {"opencv_num_threads": int},
    "custom_imports": {"imports": list[str] | str, "allow_failed_imports": bool},
    "optim_wrapper": {"constructor": str, **dict.fromkeys(PLAYERS, Dict)},
    **{f"optim_wrapper.{player}": PLAYER for player in PLAYERS},
    "visualizer": {"vis_backends": list[Dict] | None, "name": str},
    "auto_scale_lr": {"enable": bool, "base_batch_size": int},
    "val_evaluator": {"metrics": list[Dict] | Dict},
    "test_evaluator": {"metrics": list[Dict] | Dict},
    **dict.fromkeys(("val_evaluator.reference", "test_evaluator.reference"), REFERENCE),
}
#: Keys under which several components stand, named or in a row.
SEVERAL = {
    *("heads", "losses", "regularizers", "augments", "metrics", "datasets", "pipeline", "transforms"),
    *("param_scheduler", "default_hooks", "custom_hooks", "val_evaluator", "test_evaluator", "vis_backends"),
}


def top_level_kinds(config: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield values at the top that MMEngine's Runner could not take; a component is given as a dict there."""
    from mmengine.runner import Runner  # a second to import, and only wanted for whole configs

    annotations = {key: _given_as_dict(kind) for key, kind in annotations_of(Runner).items()}
    for key, value in config.items():
        if key in annotations and not fits(value, annotations[key]):
            yield Problem(key, f"must be {described(annotations[key])}, got {value!r}")
        elif key in SEVERAL and isinstance(value, list | tuple):
            yield from _elements(key, value)


def _elements(place: str, values: Sequence[Any]) -> Iterator[Problem]:
    """Yield what stands in a list of components and is none: text and numbers."""
    for index, element in enumerate(values):
        if isinstance(element, Mapping) and "type" in element:
            continue
        if element is None or isinstance(element, str | bool | int | float | list | tuple | Mapping):
            message = f"must be a dict that names a component, got {element!r}"
            yield Problem(f"{place}.{index}", message)


def _given_as_dict(annotation: Any) -> Any:
    """Return an annotation in which a class that a config describes by a dict is that dict."""
    options = typing.get_args(annotation) if typing.get_origin(annotation) is Union else (annotation,)
    kept = dict.fromkeys(_plain_kind(option) for option in options)
    return Union[tuple(kept)]  # noqa: UP007


def _plain_kind(option: Any) -> Any:
    """Return a plain kind or a list as it is, and a dict for any other class."""
    if option in (bool, int, float, str, type(None)):
        return option
    origin = typing.get_origin(option) or option
    return list if origin in (list, tuple, Sequence, typing.Sequence) else dict


def kind_problems(node: Node) -> Iterator[Problem]:
    """Yield values of the wrong kind where no constructor says so, or in the place of a component."""
    kinds = KINDS.get(dotted(node.path), {})
    annotations = {} if node.component is None else annotations_of(node.component)
    for key, value in node.config.items():
        if key in kinds:
            if not fits(value, kinds[key]):
                yield Problem(dotted((*node.path, key)), f"must be {described(kinds[key])}, got {value!r}")
        elif _names_component(node, key, value, annotations):
            yield from _misplaced(node, key, value)


def _names_component(node: Node, key: str, value: Any, annotations: Mapping[str, Any]) -> bool:
    """Return whether a component must stand under ``key``: its name says so, or all others here are ones."""
    if node.registries and not node.typed and isinstance(value, bool | int | float | str | list | tuple):
        return True
    return key in ROLES and key not in annotations


def _misplaced(node: Node, key: str, value: Any) -> Iterator[Problem]:
    """Yield what cannot name a component: text, numbers, or a list where one component stands."""
    if value is None or isinstance(value, dict) or callable(value):
        return
    # under default_hooks a key is the name of one hook, even if it is that of a list elsewhere
    several = key in SEVERAL and node.path != ("default_hooks",)
    if isinstance(value, list | tuple) and (several or node.path[0] == "param_scheduler"):
        yield from _elements(dotted((*node.path, key)), value)
        return
    yield Problem(dotted((*node.path, key)), f"must be a dict that names a component, got {value!r}")
