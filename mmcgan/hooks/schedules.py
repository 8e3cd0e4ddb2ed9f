"""Values that change in the course of training, as functions of how far it is."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmcgan.suggestions import nearest

#: (progress, total) -> value; both in the same unit: iterations, or images
Schedule = Callable[[float, float], float]


def constant(value: float) -> Schedule:
    """Return ``value`` always."""
    return lambda iteration, total: value


def linear(start: float, end: float, begin: float = 0, until: float | None = None) -> Schedule:
    """Go from ``start`` to ``end`` on a straight line between two points of progress."""
    return lambda i, total: start + (end - start) * _progress(i, begin, until or total)


def cosine(
    start: float,
    end: float,
    begin: float = 0,
    until: float | None = None,
    warmup: float = 0,
    warmup_start: float = 0.0,
) -> Schedule:
    """Go from ``start`` to ``end`` along half a cosine between two points of progress.

    Before ``warmup`` the value rises on a straight line from ``warmup_start`` to ``start``; from there to
    ``begin`` it stays.
    """

    def value(progress: float, total: float) -> float:
        if progress < warmup:
            return warmup_start + (start - warmup_start) * progress / warmup
        # from the start: near it the difference is tiny, and 1 - cos keeps it
        share = (1 - math.cos(math.pi * _progress(progress, begin, until or total))) / 2
        return start + (end - start) * share

    return value


def step(start: float, factor: float, milestones: Sequence[float]) -> Schedule:
    """Multiply ``start`` by ``factor`` at each milestone reached."""
    return lambda iteration, total: start * factor ** sum(iteration >= m for m in milestones)


SCHEDULES: dict[str, Callable[..., Schedule]] = {f.__name__: f for f in (constant, linear, cosine, step)}


def _progress(iteration: float, begin: float, until: float) -> float:
    return min(max((iteration - begin) / max(until - begin, 1), 0.0), 1.0)


def _check_argument(place: str, name: str, value: Any) -> None:
    """Raise ValueError for what is no number, and for a negative point of progress."""
    listed = name == "milestones"
    if listed and not isinstance(value, list | tuple):
        raise ValueError(f"{place} must be a list of numbers, got {value!r}")
    for number in value if listed else (value,):
        if name == "until" and number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise ValueError(f"{place} must be a finite number, got {number!r}")
        if name in ("begin", "until", "warmup", "milestones") and number < 0:
            raise ValueError(f"{place} must be at least 0, got {number!r}")


def build_schedule(owner: str, config: Mapping[str, Any]) -> Schedule:
    """Return the schedule of ``config``, a dict with ``kind`` and its arguments.

    Args:
        owner: where the config stands, for messages.
        config: kinds and arguments are those of ``SCHEDULES``.

    Raises:
        ValueError: an unknown kind, or wrong arguments.
    """
    if not isinstance(config, Mapping):
        raise ValueError(f"{owner} must be a dict with 'kind' and its arguments, got {config!r}")
    arguments = dict(config)
    kind = arguments.pop("kind", None)
    if not isinstance(kind, str) or kind not in SCHEDULES:
        raise ValueError(f"{owner}.kind: {kind!r} is unknown.{nearest(str(kind), list(SCHEDULES))}")
    for name, value in arguments.items():
        _check_argument(f"{owner}.{name}", name, value)
    begin, until = arguments.get("begin", 0), arguments.get("until")
    if until is not None and until <= begin:
        raise ValueError(f"{owner}: until must be greater than begin, got begin={begin!r}, until={until!r}")
    try:
        return SCHEDULES[kind](**arguments)
    except TypeError as error:
        raise ValueError(f"{owner}: {error}") from error


def ends_with_training(config: Any) -> bool:
    """Return whether a schedule goes on to the end of training, wherever that is."""
    kind = SCHEDULES.get(str(config.get("kind"))) if isinstance(config, Mapping) else None
    return kind is not None and "until" in inspect.signature(kind).parameters and not config.get("until")
