"""Whether a checkpoint holds what a run can be continued from: every part there and of the right kind.

A file can be readable and still be none: written by something else, or by an older or newer version. The
parts are tried out on throw-away objects, so that a run that is about to continue meets no surprise half-way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any

from mmengine.logging import HistoryBuffer
from torch import Tensor

from mmcgan.engine.random_state import preserved_random_state, set_random_state

State = dict[str, Any]
REQUIRED = ("meta", "state_dict", "optimizer", "message_hub", "random")


def faults(checkpoint: Mapping[str, Any]) -> Iterator[str]:
    """Yield what keeps a checkpoint from being continued from, as the end of a sentence about the file."""
    missing = [key for key in REQUIRED if key not in checkpoint]
    if missing:
        yield f"cannot be resumed: it lacks {', '.join(missing)}; use load_from without resume"
        return
    for name, look in PARTS.items():
        try:
            reason = next(look(checkpoint.get(name, {})), None)
        except Exception as error:  # whatever a part of another kind makes of being read as one
            reason = f"{type(error).__name__}: {error}"
        if reason is not None:
            yield f"cannot be resumed: its {name} is not that of a run ({reason})"


def _meta(meta: Any) -> Iterator[str]:
    for key in ("iter", "images_seen"):
        value = meta[key]
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            yield f"{key} is {value!r}"
    seed = meta.get("seed")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
        yield f"seed is {seed!r}"
    for key in ("cfg", "seal"):
        if not isinstance(meta.get(key, ""), str | None):
            yield f"{key} is {meta[key]!r}"
    if not isinstance(meta.get("dataset_meta") or {}, Mapping):
        yield f"dataset_meta is {meta['dataset_meta']!r}"


def _weights(state: Any) -> Iterator[str]:
    if not state:
        yield "it is empty"
    for name, value in state.items():
        if not isinstance(name, str):
            yield f"a name is {name!r}"
        elif not isinstance(value, Tensor) and not isinstance(value, Mapping):
            yield f"{name} is {value!r}"


def _optimizer(state: Any) -> Iterator[str]:
    """An optimiser's state, or several by name."""
    parts = {"": state} if "param_groups" in state else state
    if not parts:
        yield "it is empty"
    for name, part in parts.items():
        if not isinstance(part, Mapping) or not isinstance(part["param_groups"], list):
            yield f"{name} is {part!r}"
            continue
        yield from (f"{name}: {fault}" for group in part["param_groups"] for fault in _group(group))
        yield from (
            f"{name}: {key} is {value!r}"
            for values in part["state"].values()
            for key, value in values.items()
            if not isinstance(key, str) or not isinstance(value, Tensor | Real | None)
        )


def _group(group: Any) -> Iterator[str]:
    if not all(isinstance(number, int) for number in group["params"]):
        yield f"params is {group['params']!r}"
    for key in ("lr", "weight_decay", "eps", "momentum"):
        if not isinstance(group.get(key, 0.0), Real | Tensor):
            yield f"{key} is {group[key]!r}"


def _schedulers(state: Any) -> Iterator[str]:
    for name, scheduler in ((name, scheduler) for name, many in state.items() for scheduler in many):
        if not isinstance(scheduler, Mapping):
            yield f"{name} is {scheduler!r}"
        for key in ("last_step", "_global_step"):
            if not isinstance(scheduler.get(key, 0), int):
                yield f"{name}: {key} is {scheduler[key]!r}"


def _hub(state: Any) -> Iterator[str]:
    for key, history in state["scalars"].items():
        if not isinstance(history, Mapping) or not isinstance(history["values"], list):
            yield f"{key!r} has no history"
        buffer = HistoryBuffer(history["values"], history["counts"])
        if not isinstance(key, str) or len(buffer.data[0]) != len(buffer.data[1]):
            yield f"{key!r} has no history"
        float(buffer.data[0].sum())
    if not isinstance(state["info"], Mapping) or not all(isinstance(key, str) for key in state["info"]):
        yield "its information has no names"


def _random(states: Any) -> Iterator[str]:
    if not isinstance(states, list) or not states:
        yield "there is no state"
    for state in states:
        with preserved_random_state():
            set_random_state(state)


PARTS = {
    "meta": _meta,
    "state_dict": _weights,
    "optimizer": _optimizer,
    "param_schedulers": _schedulers,
    "message_hub": _hub,
    "random": _random,
}
