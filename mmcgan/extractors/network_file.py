"""The file of a small network of ours: half-precision kernels and the record of how they were made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from mmcgan.allocations import bounded
from mmcgan.checkpoints.atomic import write_file
from mmcgan.checkpoints.file_kind import why_unreadable
from mmcgan.checkpoints.tensor_bytes import tensor_bytes
from mmcgan.closed_world import parse_record
from mmcgan.weights import read_index, weight_path


def read_network_file(
    path: Path, kind: str, form: str, command: str
) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    """Return the weights in float32 and the record of a safetensors file.

    Args:
        path: the file.
        kind: what it is called in messages.
        form: what its metadata field ``format`` must be.
        command: what makes such a file.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a damaged file, or one of another format.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such {kind} file; make one with {command}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"{path}: not a readable safetensors file ({why_unreadable(path, error)})"
        ) from error
    if metadata.get("format") != form:
        raise ValueError(
            f"{path}: metadata 'format' is {metadata.get('format')!r}, expected {form!r}; "
            f"make the file with {command}"
        )
    weights = {key: value.float() if value.dtype == torch.float16 else value for key, value in state.items()}
    return weights, parse_record(metadata.get("record"), path)


@contextmanager
def named(path: Path, kind: str) -> Iterator[None]:
    """Say which file it is whose record asks for what cannot be, or whose weights do not fit.

    What is built within takes memory in proportion to the file.

    Raises:
        ValueError: in place of what the network's constructor raises.
    """
    try:
        with bounded(path.stat().st_size):
            yield
    except (ValueError, LookupError, TypeError, AttributeError, RuntimeError, MemoryError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())[:300]
        raise ValueError(f"{path}: its record describes no {kind} of these weights ({reason})") from error


def write_network_file(path: Path, state: Mapping[str, Tensor], record: Any, form: str) -> None:
    """Write what :func:`read_network_file` reads.

    Args:
        path: the file.
        state: weights, halved where that is wanted.
        record: a dataclass.
        form: the metadata field ``format``.
    """
    metadata = {"format": form, "record": json.dumps(asdict(record), sort_keys=True)}
    write_file(path, tensor_bytes({key: value.contiguous() for key, value in state.items()}, metadata))


def find_network_file(weights: str, kind: str, extractor: str, command: str) -> Path:
    """Return the file of a shipped name or of a path.

    Args:
        weights: what was given.
        kind: of the index of shipped weights.
        extractor: who asks, for messages.
        command: what makes such a file.

    Raises:
        FileNotFoundError: neither; the message says what ships and how to make a file.
    """
    names = read_index(kind)
    if weights in names:
        return weight_path(weights, kind)
    path = Path(weights).expanduser()
    if path.is_file():
        return path
    called = kind.replace("-", " ")
    raise FileNotFoundError(
        f"{extractor}: weights={weights!r} is neither a file nor one of the shipped {called}s "
        f"({', '.join(sorted(names)) or 'none'}). Train one on your images: {command} CONFIG --out "
        "FILE.safetensors"
    )
