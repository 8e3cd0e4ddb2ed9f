"""Whether what was read from a checkpoint is as plain as it should be, and no larger than its file.

A pickle can hold one list in a hundred places, lists of such lists, and tensors that show a single number a
billion times: a file of a kilobyte that nobody can walk through. Files of weights say everything once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

#: values, and bytes of tensors and texts, that a file may hold times its own bytes; tied weights count twice
TIMES = 64
#: that any file may hold
FREE = 1 << 20
NUMBERS = frozenset((int, float, bool, type(None)))


def excess(content: Any, size: int) -> str:
    """Return why what a file holds cannot be used; "" if nothing is known against it.

    Args:
        content: containers, tensors and plain values; of objects with a ``state``, that.
        size: bytes of the file.
    """
    count, held, most = 0, 0, FREE + TIMES * size
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Tensor) and (fault := _unusable(value)):
            return f"it holds a tensor that is {fault}"
        inner = _inside(value)
        held += _bytes_of(value)
        count += len(inner)
        waiting += _worth_a_look(inner)
        if count > most or held > most:
            return "it says the same thing over and over, far more than a file of this size can hold"
    return ""


def _bytes_of(value: Any) -> int:
    """Return the bytes that a value holds itself: tensors and texts do."""
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    return len(value) if isinstance(value, str | bytes) else 0


def _inside(value: Any) -> list[Any]:
    """Return what a container, or the state of an object, holds."""
    if isinstance(value, Mapping):
        return [*value, *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    return [value.state] if isinstance(getattr(value, "state", None), Mapping) else []


def _worth_a_look(values: list[Any]) -> Iterable[Any]:
    """Return the values that are no numbers; of lists of nothing else none."""
    kinds = set(map(type, values))
    if kinds <= NUMBERS:
        return ()
    return [value for value in values if type(value) not in NUMBERS]


def _unusable(tensor: Tensor) -> str:
    """Return in what way a tensor is no dense array in memory; "" if it is one."""
    if tensor.is_nested or tensor.layout is not torch.strided:
        return f"not dense ({'nested' if tensor.is_nested else tensor.layout})"
    if tensor.is_quantized:
        return f"quantised ({tensor.dtype})"
    if tensor.device.type == "meta":
        return "without numbers (meta)"
    if tensor.is_conj() or tensor.is_neg():
        return "a view that computes"
    return ""
