"""What a pickle of a stranger may ask for, and what it gets instead of the real thing."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from mmcgan.checkpoints.files import CheckpointError

_NUMBERS = re.compile(r"^[<>=|]?([biufc])(\d{1,2})$")


class RefusedError(CheckpointError):
    """A file asks for something that is not data."""


class StandIn:
    """What a file gets in place of an object that it asks for."""

    def take_state(self, state: Any) -> None:
        """Take the attributes that the file gives the object.

        Raises:
            RefusedError: none that such an object has.
        """
        raise NotImplementedError


@dataclass(eq=False)
class Record(StandIn):
    """An object of a class that is not here: its class's name and its attributes."""

    class_name: str
    state: dict[Any, Any] = field(default_factory=dict)

    def take_state(self, state: Any) -> None:
        """Take attributes by name."""
        if not isinstance(state, dict):
            raise RefusedError(f"it sets attributes of a {type(self).__name__}")
        self.state.update(state)


#: little, big, that of the machine
ByteOrder = Literal["<", ">", "="]


@dataclass(eq=False)
class NumpyType(StandIn):
    """What ``numpy.dtype`` was asked for, before and after its byte order is known."""

    name: str
    order: ByteOrder = "="

    def take_state(self, state: Any) -> None:
        """Take the byte order of NumPy's state; ``|``, of single bytes, is any.

        Raises:
            RefusedError: another one, or fields of a structure.
        """
        if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
            raise RefusedError("it asks for a NumPy array of structures")
        order = state[1]
        if order not in ("|", *get_args(ByteOrder)):
            raise RefusedError(f"it asks for a NumPy array of the byte order {order!r}")
        self.order = "=" if order == "|" else order

    def numpy(self) -> np.dtype[Any]:
        """Return the type, which is a number's.

        Raises:
            RefusedError: objects, structures or anything else that is not a plain number.
        """
        found = _NUMBERS.match(self.name)
        if not found:
            raise RefusedError(f"it asks for a NumPy array of type {self.name!r}, not of numbers")
        return np.dtype(self.name).newbyteorder(self.order)


@dataclass(eq=False)
class Array(StandIn):
    """A NumPy array; its content comes after its making."""

    tensor: Tensor | None = None

    def filled(self) -> Tensor:
        """Return the content.

        Raises:
            RefusedError: none was given.
        """
        if self.tensor is None:
            raise RefusedError("it holds a NumPy array without content")
        return self.tensor

    def take_state(self, state: Any) -> None:
        """Take the state that NumPy gives its arrays: version, shape, type, order, bytes."""
        _, shape, kind, fortran, raw = state
        raw = raw.encode("latin-1") if isinstance(raw, str) else raw
        if not isinstance(kind, NumpyType) or not isinstance(raw, bytes):
            raise RefusedError("it asks for a NumPy array whose content is not bytes of numbers")
        self.tensor = _from_bytes(raw, kind, tuple(shape), "F" if fortran else "C")


def _from_bytes(raw: bytes, kind: NumpyType, shape: tuple[int, ...], order: Literal["C", "F"]) -> Tensor:
    values = np.frombuffer(raw, kind.numpy()).reshape(shape, order=order)
    native = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("=")))
    return torch.from_numpy(native.copy())


# --- what a file may call -----------------------------------------------------------------------
def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> Tensor:
    """Make a tensor that lies inside its storage; gradient flags and hooks are dropped."""
    sizes, strides = tuple(map(int, size)), tuple(map(int, stride))
    if not isinstance(storage, torch.storage.TypedStorage) or len(sizes) != len(strides):
        raise RefusedError("it builds a tensor from something that is no storage")
    values = storage._size()
    elements = 1
    for length in sizes:
        elements *= length
    last = int(offset) + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))
    if min((*sizes, *strides, int(offset)), default=0) < 0 or elements > values:
        raise RefusedError(f"it builds a tensor of {elements} values from {values}")
    if elements and last >= values:
        raise RefusedError("it builds a tensor that reaches beyond its storage")
    return torch.empty(0, dtype=storage.dtype).set_(storage._untyped_storage, int(offset), sizes, strides)


def _parameter(data: Any, *rest: Any) -> Tensor:
    if not isinstance(data, Tensor):
        raise RefusedError("it builds a parameter from something that is no tensor")
    return data


def _empty_array(*arguments: Any) -> Array:
    return Array()


def _numpy_type(name: Any, *rest: Any) -> NumpyType:
    return NumpyType(str(name))


def _numpy_scalar(kind: Any, raw: Any = b"") -> int | float | complex | bool:
    raw = raw.encode("latin-1") if isinstance(raw, str) else raw
    if not isinstance(kind, NumpyType) or not isinstance(raw, bytes):
        raise RefusedError("it asks for a NumPy scalar that is not a number")
    return _from_bytes(raw, kind, (), "C").item()


def _numpy_buffer(raw: Any, kind: Any, shape: Any, order: Any = "C") -> Tensor:
    if not isinstance(kind, NumpyType) or not isinstance(raw, bytes) or order not in ("C", "F"):
        raise RefusedError("it asks for a NumPy array whose content is not bytes of numbers")
    return _from_bytes(raw, kind, tuple(shape), order)


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "utf-8"):
        raise RefusedError(f"it encodes with {encoding!r}")
    return text.encode(encoding)


def _persistent(meta: Any) -> Record:
    """Read a module that carries its own source: the source is dropped."""
    if not isinstance(meta, Mapping) or not isinstance(meta.get("state"), Mapping):
        raise RefusedError("it holds a persistent object without a state")
    return Record(str(meta.get("class_name")), dict(meta["state"]))


def _settings(*arguments: Any) -> Record:
    return Record("settings")


def _numbers(*arguments: Any) -> tuple[Any, ...]:
    return tuple(arguments[0]) if arguments else ()


def _ordered(*arguments: Any) -> OrderedDict[Any, Any]:
    return OrderedDict(*arguments)


ALLOWED: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): _ordered,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch.nn.parameter", "Parameter"): _parameter,
    ("torch", "Size"): _numbers,
    ("torch", "device"): lambda *arguments: ":".join(map(str, arguments)),
    ("numpy", "dtype"): _numpy_type,
    ("_codecs", "encode"): _encode,
    ("dnnlib.util", "EasyDict"): _settings,
    ("argparse", "Namespace"): _settings,
    ("types", "SimpleNamespace"): _settings,
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): _persistent,
    **{
        (f"{module}.multiarray", name): function
        for module in ("numpy.core", "numpy._core")
        for name, function in (("_reconstruct", _empty_array), ("scalar", _numpy_scalar))
    },
    **{(f"{module}.numeric", "_frombuffer"): _numpy_buffer for module in ("numpy.core", "numpy._core")},
    **{(module, name): kind for module in ("builtins", "__builtin__") for name, kind in (
        ("set", set), ("frozenset", frozenset), ("complex", complex), ("bytearray", bytearray),
    )},
}  # fmt: skip
# Passed on, never called.
NAMES: dict[tuple[str, str], Any] = {("numpy", "ndarray"): Array}


#: packages whose classes are layers: of torch (its sums in quantised networks moved), of timm, of the peers
#: that store whole networks; R3GAN's ``training.networks`` wraps its ``R3GAN.Networks``
LAYERS = (
    *("torch.nn.modules", "torch.nn.utils.spectral_norm"),
    *("torch.nn.quantized.modules", "torch.ao.nn.quantized.modules"),
    *("timm", "R3GAN", "training.networks", "pg_modules"),
)


@dataclass(frozen=True)
class LayerClass:
    """A class of layers: its objects are their names and attributes, and nothing of them is ever run.

    Attributes:
        name: of the class.
    """

    name: str

    def __call__(self, *arguments: Any) -> Record:
        """Return an object without attributes yet; what it is made with is dropped."""
        return Record(self.name)


def layer_class(module: str, name: str) -> LayerClass | None:
    """Return what stands in for a class of layers, None for what is in none of their packages."""
    known = any(module == package or module.startswith(f"{package}.") for package in LAYERS)
    return LayerClass(name) if known and name.isidentifier() else None


def called(value: Any) -> str:
    """Return what to call ``value`` in a message."""
    return getattr(value, "__qualname__", None) or f"a {type(value).__name__}"
