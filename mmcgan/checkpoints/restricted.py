"""Reads pickles of strangers as data: tensors and plain containers come out, nothing runs.

For files that a weights-only load does not understand: StyleGAN ``.pkl`` and old ``.pth`` with
settings, NumPy arrays or whole modules inside. What a file may ask for is the table ``ALLOWED``;
objects of classes that are not here come out as :class:`Record`, never as the class itself.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import torch
from torch import Tensor

from mmcgan.checkpoints.archive import ARCHIVE, check_archive
from mmcgan.checkpoints.content import excess
from mmcgan.checkpoints.file_kind import unlike_weights
from mmcgan.checkpoints.files import CheckpointError
from mmcgan.checkpoints.stand_ins import (
    ALLOWED,
    NAMES,
    Array,
    LayerClass,
    NumpyType,
    Record,
    RefusedError,
    StandIn,
    called,
    layer_class,
)

# A tensor inside a pickle holds bytes of a file of its own, and that file no further one.
DEEPEST = 2
#: what the readers of damaged pickles raise
FAULTS = (
    *(pickle.UnpicklingError, EOFError, struct.error),
    *(RuntimeError, ValueError, LookupError, TypeError),
)


class Unpickler(pickle._Unpickler):
    """The Python unpickler with only the operations that build data.

    Given to ``torch.load`` as that of a pickle module, it keeps torch's way of reading storages.
    """

    stack: list[Any]
    pop_mark: Callable[[], list[Any]]
    read: Callable[[int], bytes]
    append: Callable[[Any], None]
    depth: ClassVar[int] = 0
    largest: ClassVar[int] = 0
    largest_read: ClassVar[int] = 2**34
    storage_sizes: ClassVar[Mapping[str, int]] = {}
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in of ``module.name``.

        Raises:
            RefusedError: nothing that a data file needs has this name.
        """
        if (module, name) in ALLOWED:
            return ALLOWED[module, name]
        if (module, name) in NAMES:
            return NAMES[module, name]
        if (module, name) == ("torch.storage", "_load_from_bytes"):
            return _nested(self.depth)
        value = vars(torch).get(name) if module == "torch" else None
        is_storage = isinstance(value, type) and name.endswith("Storage")
        if isinstance(value, torch.dtype) or is_storage:
            return value
        layer = layer_class(module, name)
        if layer is not None:
            return layer
        raise RefusedError(f"it asks for {module}.{name}, which is not data")

    @property
    def persistent_load(self) -> Callable[[Any], Any]:
        """What fetches a storage; torch sets it, a plain pickle has none."""
        return self._fetch

    @persistent_load.setter
    def persistent_load(self, fetch: Callable[[Any], Any]) -> None:
        self._storage_of = fetch

    def _fetch(self, pid: Any) -> Any:
        fetch = getattr(self, "_storage_of", None)
        if fetch is None or not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
            raise RefusedError("it refers to something outside the file")
        name, size = str(pid[2]), int(pid[4]) * _item_size(pid[1])
        if not 0 <= size <= self.storage_sizes.get(name, self.largest):
            raise RefusedError(f"its tensor data {name!r} is said to have {size} bytes, more than there are")
        return fetch(pid)

    def load_reduce(self) -> None:
        """Call a function of the table."""
        arguments = self.stack.pop()
        function = self.stack[-1]
        if not _is_allowed(function) or not isinstance(arguments, tuple):
            raise RefusedError(f"it calls {called(function)}")
        self.stack[-1] = function(*arguments)

    def load_newobj(self) -> None:
        """Make an object, which is the same as calling the stand-in of its class."""
        arguments = self.stack.pop()
        if isinstance(self.stack[-1], LayerClass) and isinstance(arguments, tuple):
            self.stack[-1] = self.stack[-1]()
            return
        self.stack.append(arguments)
        self.load_reduce()

    def load_build(self) -> None:
        """Give an object its attributes: to stand-ins only."""
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, StandIn):
            target.take_state(state)
        elif not (isinstance(target, OrderedDict | Tensor) and isinstance(state, dict | tuple)):
            raise RefusedError(f"it sets attributes of a {type(target).__name__}")

    def load_refused(self) -> None:
        """Refuse an operation that no data file of torch or NumPy has."""
        raise RefusedError("it uses a pickle operation that builds objects in other ways")

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.NEWOBJ[0]] = load_newobj
    dispatch[pickle.BUILD[0]] = load_build
    for _operation in (
        pickle.INST, pickle.OBJ, pickle.NEWOBJ_EX, pickle.EXT1, pickle.EXT2, pickle.EXT4,
        pickle.NEXT_BUFFER, pickle.READONLY_BUFFER,
    ):  # fmt: skip
        dispatch[_operation[0]] = load_refused

    def load_bytearray8(self) -> None:
        """Read bytes, and only as many as there are (the original first allocates what is claimed)."""
        claimed = int.from_bytes(self.read(8), "little")
        content = self.read(min(claimed, self.largest_read))
        if len(content) != claimed:
            raise RefusedError(f"it claims {claimed} bytes and holds {len(content)}")
        self.append(content)

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8

    def load_setitems(self) -> None:
        """Fill a dict or a record that is used as one."""
        items = self.pop_mark()
        self._set(self.stack[-1], items)

    def load_setitem(self) -> None:
        """Set one item of a dict or record."""
        value, key = self.stack.pop(), self.stack.pop()
        self._set(self.stack[-1], [key, value])

    @staticmethod
    def _set(target: Any, items: list[Any]) -> None:
        content = target.state if isinstance(target, Record) else target
        if not isinstance(content, dict):
            raise RefusedError(f"it sets items of a {type(target).__name__}")
        content.update(zip(items[::2], items[1::2], strict=True))

    def load_append(self) -> None:
        """Append one value to a list."""
        self._extend(self.stack[-2], [self.stack.pop()])

    def load_appends(self) -> None:
        """Append values to a list."""
        items = self.pop_mark()
        self._extend(self.stack[-1], items)

    @staticmethod
    def _extend(target: Any, items: list[Any]) -> None:
        if not isinstance(target, list):
            raise RefusedError(f"it appends to a {type(target).__name__}")
        target.extend(items)

    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.APPEND[0]] = load_append
    dispatch[pickle.APPENDS[0]] = load_appends


def _is_allowed(function: Any) -> bool:
    return any(function is allowed for allowed in ALLOWED.values()) or isinstance(function, _Nested)


def _item_size(kind: Any) -> int:
    dtype = getattr(kind, "dtype", None)
    if kind is torch.UntypedStorage:
        return 1
    if not isinstance(dtype, torch.dtype):
        raise RefusedError(f"it has tensor data of type {called(kind)}")
    return dtype.itemsize


class _Nested:
    """Reads the bytes of one tensor's storage, which are a file in torch's format."""

    __slots__ = ("depth",)

    def __init__(self, depth: int) -> None:
        self.depth = depth

    def __call__(self, content: Any) -> Any:
        if not isinstance(content, bytes) or self.depth >= DEEPEST:
            raise RefusedError("it holds files within files")
        return _torch_file(io.BytesIO(content), len(content), self.depth + 1)


def _nested(depth: int) -> _Nested:
    return _Nested(depth)


# --- reading files ------------------------------------------------------------------------------
def read_untrusted(path: str | Path) -> Any:
    """Return what a pickle of a stranger holds, without running anything from it.

    Args:
        path: a StyleGAN ``.pkl``, or a ``.pth`` of any age (zip or plain pickle).

    Returns:
        Dicts, lists, numbers, text, tensors (NumPy arrays become tensors), and :class:`Record` for
        objects of other classes.

    Raises:
        FileNotFoundError: no such file.
        RefusedError: the file asks for more than data; the message names it.
        CheckpointError: the file is damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint file {path}")
    if kind := unlike_weights(path):
        raise RefusedError(f"cannot read {path}: it is {kind}")
    try:
        with open(path, "rb") as file:
            content = _plain(_read(file, path.stat().st_size), {})
        fault = excess(content, path.stat().st_size)
        if fault:
            raise RefusedError(fault)
        return content
    except RefusedError as error:
        raise RefusedError(f"refused {path}: {error}") from None
    except RecursionError as error:
        raise CheckpointError(f"cannot read {path}: it nests too deep") from error
    except FAULTS as error:
        raise CheckpointError(f"cannot read {path}: {_fault(error)}") from error
    except (AttributeError, AssertionError, OverflowError, MemoryError, OSError) as error:
        raise CheckpointError(f"cannot read {path}: damaged ({type(error).__name__})") from error


def _fault(error: Exception) -> str:
    """Return why a file is no whole pickle, in words that do not presume to know how pickles are read."""
    if isinstance(error, EOFError | struct.error) or "exhausted" in str(error) or "truncated" in str(error):
        return "it is cut off: the pickle in it does not end"
    if isinstance(error, IndexError | KeyError | TypeError):  # unknown operations, empty stacks
        return "it is no pickle, or a damaged one"
    return str(error) or type(error).__name__


def _read(file: BinaryIO, size: int) -> Any:
    start = file.read(265)
    file.seek(0)
    if start[257:262] == b"ustar":
        raise RefusedError("it is a tar archive; torch has not written these since 2017")
    if start.startswith(ARCHIVE) or _is_torch_pickle(start):
        return _torch_file(file, size, 0)
    return Unpickler(file).load()


def _is_torch_pickle(start: bytes) -> bool:
    """Return whether the file begins with torch's magic number, pickled."""
    magic = torch.serialization.MAGIC_NUMBER
    return magic.to_bytes(10, "little") in start[:16]


def _torch_file(file: BinaryIO, size: int, depth: int) -> Any:
    """Let torch find the storages, with our unpickler for everything else."""
    start = file.read(len(ARCHIVE))
    file.seek(0)
    sizes = check_archive(file, size) if start == ARCHIVE else {}
    reader = type("Reader", (Unpickler,), {"depth": depth, "largest": size, "storage_sizes": sizes})

    class Module:
        """What ``torch.load`` takes for a pickle module."""

        __name__ = "pickle"
        Unpickler = reader

        @staticmethod
        def load(source: BinaryIO, **options: Any) -> Any:
            return reader(source, **options).load()

    return torch.load(file, map_location="cpu", pickle_module=Module, weights_only=False, encoding="utf-8")


_DATA = (
    bool, int, float, complex, str, bytes, bytearray, set, frozenset,
    Tensor, torch.dtype, torch.storage.TypedStorage,
)  # fmt: skip


def _plain(value: Any, seen: dict[int, Any]) -> Any:
    """Replace stand-ins inside containers, each container once."""
    if isinstance(value, Array):
        return value.filled()
    if isinstance(value, NumpyType):
        return value.name
    if id(value) in seen:
        return seen[id(value)]
    if isinstance(value, Record | dict):
        content = value if isinstance(value, dict) else value.state
        result: Any = {} if isinstance(value, dict) else Record(value.class_name)
        seen[id(value)] = result
        target = result if isinstance(value, dict) else result.state
        target.update((_plain(k, seen), _plain(v, seen)) for k, v in content.items())
        return result
    if isinstance(value, list | tuple):
        items: list[Any] = []
        seen[id(value)] = items
        items.extend(_plain(item, seen) for item in value)
        return items if isinstance(value, list) else tuple(items)
    if value is None or isinstance(value, _DATA):
        return value
    raise RefusedError(f"it holds {called(value)} as a value")


def state_dict_of(record: Record) -> dict[str, Tensor]:
    """Return parameters and buffers of a module read as a record, by dotted name.

    Raises:
        CheckpointError: the record is not of a module.
    """
    if not any(key in record.state for key in ("_parameters", "_buffers", "_modules")):
        raise CheckpointError(f"a {record.class_name} is not a module with weights")
    found: dict[str, Tensor] = {}
    for kind in ("_parameters", "_buffers"):
        tensors = record.state.get(kind) or {}
        found |= {str(name): value for name, value in tensors.items() if isinstance(value, Tensor)}
    for name, child in (record.state.get("_modules") or {}).items():
        if isinstance(child, Record):
            found |= {f"{name}.{key}": value for key, value in state_dict_of(child).items()}
    return found
