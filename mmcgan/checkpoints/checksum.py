"""One checksum over all that a checkpoint says: names, order, types, shapes, numbers, texts and bytes.

Zip archives carry a checksum per member, which torch does not compare, and which does not cover what decides
how a member is read: one flipped bit there turns a tensor into zeros. This one is of the values as they are
after reading, so that it does not matter where the damage was. XXH3 with 128 bits (Y. Collet, xxHash) is
about as fast as memory can be read: it finds damage, not malice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import xxhash
from torch import Tensor

KEY = "checksum"
RULE = "xxh3-128/1"
LEAVES = frozenset((int, float, str, bool, bytes, type(None)))
#: lists of so many numbers are histories, whose bytes are taken in place of their digits
LONG = 16
#: floats that NumPy has, too
NUMPYS = frozenset((torch.float16, torch.float32, torch.float64))


def checksum(state: Mapping[str, Any]) -> str:
    """Return the checksum of plain data (see :func:`mmcgan.checkpoints.files.to_plain`) without :data:`KEY`.

    Raises:
        TypeError: something else than tensors and plain Python.
    """
    tensors: list[Any] = []
    outline = _outline({key: value for key, value in state.items() if key != KEY}, tensors)
    digest = xxhash.xxh3_128(repr(outline).encode("utf-8", "surrogatepass"))
    for content in tensors:
        digest.update(content)
    return f"{RULE}:{digest.hexdigest()}"


def _outline(value: Any, contents: list[Any]) -> Any:
    """Return ``value`` with tensors and histories replaced by outlines; ``contents`` gets their bytes."""
    kind = type(value)
    if kind in LEAVES:
        return value
    if isinstance(value, Tensor):
        if value.numel():
            contents.append(_stored(value))
        # strides too: channels-last tensors are compared in the order in which they are stored
        return ("tensor", str(value.dtype), tuple(value.shape), value.stride())
    if isinstance(value, Mapping):
        return {_outline(key, contents): _outline(item, contents) for key, item in value.items()}
    if kind is list or kind is tuple:
        if len(value) >= LONG and set(map(type, value)) == {float}:
            contents.append(np.asarray(value, np.float64))
            return ("floats", len(value), kind.__name__)
        return kind(_outline(item, contents) for item in value)
    raise TypeError(f"a checkpoint holds no {kind.__name__}")


def _stored(value: Tensor) -> np.ndarray:
    """Return the numbers of a tensor in the order in which they are stored."""
    value = value.detach().cpu()
    if not value.is_contiguous():
        last = value.dim() == 4 and value.is_contiguous(memory_format=torch.channels_last)
        value = value.permute(0, 2, 3, 1) if last else value.contiguous()
    if value.is_floating_point() and value.dtype not in NUMPYS:
        value = value.view(torch.int16 if value.element_size() == 2 else torch.uint8)
    return value.numpy()
