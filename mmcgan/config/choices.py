"""Settings that are one of a few words, or name something that must be there."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mmcgan import registry as r
from mmcgan.checkpoints.file_kind import unlike_weights
from mmcgan.config.components import Node
from mmcgan.config.problems import Problem, dotted
from mmcgan.contracts import declared
from mmcgan.extractors.resizing import RESIZE_RULES
from mmcgan.suggestions import nearest
from mmcgan.weights import read_index

#: dotted path -> the words that may stand there
CHOICES: dict[str, tuple[str, ...]] = {
    "log_level": ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
    "launcher": ("none", "pytorch", "slurm", "mpi"),
    "sync_bn": ("torch", "mmcv"),
    "env_cfg.mp_cfg.mp_start_method": tuple(multiprocessing.get_all_start_methods()),
}
#: registry -> argument -> the words that any component of it takes there
WORDS_OF: dict[str, dict[str, tuple[str, ...]]] = {r.EXTRACTORS.name: {"resize": tuple(RESIZE_RULES)}}
#: dotted path -> where the name that stands there is looked up
REGISTERED: dict[str, r.SuggestingRegistry] = {
    "runner_type": r.RUNNERS,
    "optim_wrapper.constructor": r.OPTIM_WRAPPER_CONSTRUCTORS,
}
#: dotted path -> kinds of a setting that MMEngine's Runner does not know, in words
OURS: dict[str, tuple[tuple[type, ...], str]] = {
    "compile": ((bool, Mapping), "True, False or a dict of options"),
    "distributed": ((Mapping,), "a dict that names a component"),
    "custom_imports": ((Mapping, str, list, tuple), "a list of modules, or dict(imports=[...])"),
}


def choice_problems(config: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield words that are none of those that may stand in their place."""
    for path, words in CHOICES.items():
        value = _at(config, path)
        if value is not None and value is not False and value not in _numbers_too(path, words):
            hint = nearest(str(value), list(words))
            yield Problem(path, f"must be one of {', '.join(words)}, got {value!r}.{hint}")
    for path, registry in REGISTERED.items():
        parent, _, last = path.rpartition(".")
        owner = _at(config, parent) if parent else config
        if not isinstance(owner, Mapping) or last not in owner:
            continue
        name = owner[last]
        if not isinstance(name, str) or registry.get(name) is None:
            hint = nearest(str(name), registry.names())
            yield Problem(path, f"no {registry.name} named {name!r}.{hint}")
    for path, (kinds, meant) in OURS.items():
        value = config.get(path)
        if value is not None and not isinstance(value, kinds):
            yield Problem(path, f"must be {meant}, got {value!r}")
    yield from _weights_to_load(config.get("load_from"))


def _numbers_too(path: str, words: Sequence[str]) -> Sequence[Any]:
    """Return the words, and for a level of logging its numbers."""
    return (*words, *(getattr(logging, word) for word in words)) if path == "log_level" else words


def _at(config: Any, path: str) -> Any:
    for key in path.split("."):
        config = config.get(key) if isinstance(config, Mapping) else None
    return config


def _weights_to_load(name: Any) -> Iterator[Problem]:
    """Yield a ``load_from`` that is no file; a shipped name or an address is found later."""
    if not isinstance(name, str) or not name or name in read_index():
        return
    if "://" in name:
        if not urlsplit(name).netloc:
            yield Problem("load_from", f"no host in the address {name!r}")
        return
    path = Path(name).expanduser()
    kind = unlike_weights(path) if path.exists() else ""
    if not path.exists():
        yield Problem("load_from", f"no such file: {name!r}")
    elif kind:
        yield Problem("load_from", f"{name!r} is {kind}, and no weights")


def priority_problems(node: Node) -> Iterator[Problem]:
    """Yield a hook's priority that MMEngine does not know."""
    if r.HOOKS not in node.registries or "priority" not in node.config:
        return
    from mmengine.runner import Priority, get_priority  # loads the runner: only where a priority is given

    try:
        get_priority(node.config["priority"])
    except (ValueError, TypeError, KeyError):
        names = ", ".join(priority.name for priority in Priority)
        message = f"must be a number from 0 to 100 or one of {names}, got {node.config['priority']!r}"
        yield Problem(dotted((*node.path, "priority")), message)


def word_problems(node: Node) -> Iterator[Problem]:
    """Yield words that are none of those that the arguments of a role may be."""
    for registry, tables in WORDS_OF.items():
        for key, words in tables.items() if registry in [x.name for x in node.registries] else ():
            value = node.config.get(key)
            if isinstance(value, str) and value not in words:
                said = f"must be one of {', '.join(words)}, got {value!r}.{nearest(value, list(words))}"
                yield Problem(dotted((*node.path, key)), said)


def file_problems(node: Node) -> Iterator[Problem]:
    """Yield files of an extractor (``disk_arguments`` of its class) that are not there."""
    if r.EXTRACTORS not in node.registries or node.component is None:
        return
    for name in declared(node.component, "disk_arguments") or ():
        value = node.config.get(name)
        if not isinstance(value, str) or "://" in value or value.removesuffix(".safetensors") in _shipped():
            continue
        later = node.path[0] == "test_evaluator" and bool(Path(value).suffix)  # a file that is yet to be made
        if not later and not Path(value).expanduser().exists():
            hint = nearest(value, _shipped())
            message = f"is neither a file nor shipped weights: {value!r}.{hint}"
            yield Problem(dotted((*node.path, name)), message)
        elif Path(value).expanduser().exists() and (kind := unlike_weights(Path(value).expanduser())):
            yield Problem(dotted((*node.path, name)), f"{value!r} is {kind}, and no weights")


def _shipped() -> list[str]:
    return list(read_index())
