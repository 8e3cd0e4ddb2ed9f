"""``--cfg-options key=value``: values are read as Python literals, keys must exist."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from mmcgan.checkpoints.literals import evaluate
from mmcgan.config.components import arguments_at
from mmcgan.config.problems import Problem, dotted
from mmcgan.suggestions import nearest

WORDS = {"true": True, "false": False, "none": None, "null": None}


def parse_options(items: Sequence[str]) -> dict[str, Any]:
    """Return ``{"a.b": value}`` for ``["a.b=value", ...]``.

    Raises:
        ValueError: an item has no ``=`` or no key, or a key is given twice.

    Examples:
        >>> parse_options(["train_cfg.max_iters=100", "visualizer.name=mine"])
        {'train_cfg.max_iters': 100, 'visualizer.name': 'mine'}
    """
    options: dict[str, Any] = {}
    for item in items:
        key, equals, text = item.partition("=")
        if not equals or not key.strip("."):
            raise ValueError(f"--cfg-options: expected KEY=VALUE, got {item!r}")
        if key in options:
            raise ValueError(f"--cfg-options: {key!r} is given twice")
        options[key] = parse_value(text)
    return options


def parse_value(text: str) -> Any:
    """Read one value: Python literals, ``dict(...)``, ``true/false/none``, ``a,b`` as list, else text."""
    stripped = text.strip()
    try:
        tree = ast.parse(stripped, mode="eval").body
        value = evaluate(tree, WORDS)
    except (SyntaxError, ValueError):
        return stripped.split(",") if "," in stripped and stripped[0] not in "[({" else text
    bare = isinstance(tree, ast.Tuple) and not stripped.startswith("(")
    return list(value) if bare else value


def apply_options(config: dict[str, Any], options: Mapping[str, Any]) -> list[Problem]:
    """Set every option in ``config`` and return those that name no existing path.

    A path exists when the config has the key, or when the component it would be given to has
    such an argument and the config is silent about it.
    """
    problems = [_apply(config, key.split("."), value) for key, value in options.items()]
    return [problem for problem in problems if problem is not None]


def _apply(config: dict[str, Any], path: list[str], value: Any) -> Problem | None:
    parent: Any = config
    for depth, key in enumerate(path[:-1]):
        step = _step(config, parent, path[:depth], key)
        if isinstance(step, Problem):
            return step
        parent = step
    return _assign(config, parent, path, value)


def _step(config: dict[str, Any], parent: Any, at: list[str], key: str) -> Any:
    """Return the child ``key`` of ``parent``, or the Problem of there being none."""
    if isinstance(parent, list):
        problem = _index_problem(parent, at, key)
        return problem or parent[int(key)]
    if not isinstance(parent, dict):
        return Problem(dotted([*at, key]), f"{dotted(at)} is {parent!r}, which has no keys")
    if key not in parent or parent[key] is None:
        problem = _unknown(config, parent, at, key)
        if problem:
            return problem
        parent[key] = {}
    return parent[key]


def _assign(config: dict[str, Any], parent: Any, path: list[str], value: Any) -> Problem | None:
    at, key = path[:-1], path[-1]
    if isinstance(parent, list):
        problem = _index_problem(parent, at, key)
        if problem is None:
            parent[int(key)] = value
        return problem
    if not isinstance(parent, dict):
        return Problem(dotted(path), f"{dotted(at)} is {parent!r}, which has no keys")
    problem = None if key in parent else _unknown(config, parent, at, key)
    if problem is None:
        parent[key] = value
    return problem


def _index_problem(parent: list[Any], at: list[str], key: str) -> Problem | None:
    if key.isdigit() and int(key) < len(parent):
        return None
    return Problem(
        dotted([*at, key]), f"{dotted(at)} is a list of {len(parent)}; give 0 to {len(parent) - 1}"
    )


def _unknown(config: dict[str, Any], parent: dict[str, Any], at: list[str], key: str) -> Problem | None:
    arguments = arguments_at(config, at)
    if arguments is not None and key in arguments:
        return None
    known = {*parent, *(arguments or ())} - {"type", "_scope_"}
    where = dotted(at) or "the config"
    return Problem(dotted([*at, key]), f"--cfg-options: {where} has no {key!r}.{nearest(key, sorted(known))}")
