"""How much memory the settings in a stranger's file may ask for: in proportion to the file.

A record of a few bytes can name a network of terabytes, whose weights the file cannot hold. Whoever builds
from such settings counts what torch allocates meanwhile, as far as it can be known before, and stops in time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from mmcgan.origin import Origin

#: bytes that anything may take: a frozen network whose weights are in a file of their own, tables, noise
FREE = 1 << 30
#: times the file's bytes: half precision doubles, drawing initial values takes several copies
TIMES = 64
#: bytes that the least tensor counts, so that a million of them is not free
LEAST = 1 << 15


class TooLargeError(MemoryError):
    """More memory is asked for than a file of this size can need."""


@contextmanager
def bounded(file_size: int) -> Iterator[None]:
    """Refuse to allocate tensors of more than :data:`TIMES` the bytes of a file and :data:`FREE` in all.

    Args:
        file_size: bytes of the file whose settings are built from.

    Raises:
        TooLargeError: before the allocation that is too much.
    """
    with _Counting(FREE + TIMES * file_size):
        yield


@contextmanager
def bounded_by(origin: Origin) -> Iterator[None]:
    """Do the same for the file that settings come from; what is the user's own may take anything.

    Raises:
        TooLargeError: see :func:`bounded`.
    """
    if origin.own:
        yield
        return
    file = Path(origin.source)
    with bounded(file.stat().st_size if file.is_file() else 0):
        yield


class _Counting(TorchDispatchMode):
    """Adds up what is allocated while it is active, whether it is kept or not."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit, self.taken = limit, 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        settings = dict(kwargs or {})
        given = [value for value in _flat(args) if isinstance(value, Tensor)]
        if given:
            known = {_storage(value) for value in given}
            if self._may_be_much(func, args, given):
                self._take(_made(func, tuple(map(_on_meta, args)), settings))
        else:
            known = set()
            if torch.device(settings.get("device") or "cpu").type != "meta":
                self._take(_made(func, args, {**settings, "device": "meta"}))
        result = func(*args, **settings)
        if given:
            self._take(sum(_size(value) for value in _flat((result,)) if _storage(value) not in known))
        return result

    def _may_be_much(self, func: Any, args: tuple[Any, ...], given: list[Tensor]) -> bool:
        """Return whether a result could be much larger than what it is made of."""
        numbers = [abs(n) for n in _flat(args) if isinstance(n, int) and n]
        most = math.prod(max(value.numel(), 1) for value in given)
        return 8 * most * math.prod(numbers) > self.limit - self.taken

    def _take(self, size: int) -> None:
        if size:
            self.taken += max(size, LEAST)
        if self.taken > self.limit:
            raise TooLargeError(
                f"more than {self.limit / 1e9:,.1f} GB of memory, which weights of this size cannot fill"
            )


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        else:
            yield value


def _storage(value: Any) -> int:
    """Return where a tensor's numbers lie; 0 if nowhere."""
    strided = isinstance(value, Tensor) and value.layout is torch.strided
    return value.untyped_storage().data_ptr() if strided else 0


def _size(value: Any) -> int:
    """Return the bytes of a result that lies in memory."""
    strided = isinstance(value, Tensor) and value.layout is torch.strided
    return value.untyped_storage().nbytes() if strided and value.device.type != "meta" else 0


def _on_meta(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_on_meta(item) for item in value]
    return value.to("meta") if isinstance(value, Tensor) else value


def _made(func: Any, args: tuple[Any, ...], settings: Mapping[str, Any]) -> int:
    """Return the bytes of what a function would make, found without making it; 0 if that cannot be known."""
    try:
        shape = func(*args, **settings)
    except Exception:  # no such function without memory, or arguments that it will refuse itself
        return 0
    found = [value for value in _flat((shape,)) if isinstance(value, Tensor)]
    return sum(value.numel() * value.element_size() for value in found)
