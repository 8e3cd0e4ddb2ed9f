"""Durable checkpoint files and how the newest good one is found.

A file appears under its final name only when its bytes are on disk, so a kill at any moment
leaves the previous files whole. Contents are tensors and plain Python: reading a file never
executes code from it.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmcgan.checkpoints.archive import ARCHIVE, check_archive
from mmcgan.checkpoints.archive import CheckpointError as CheckpointError
from mmcgan.checkpoints.atomic import atomic_write, write_file
from mmcgan.checkpoints.checksum import KEY, RULE, checksum
from mmcgan.checkpoints.content import excess
from mmcgan.checkpoints.file_kind import unlike_weights

LAST_CHECKPOINT = "last_checkpoint"
_ITERATION = re.compile(r"^iter_(\d+)\.pth$")
State = dict[str, Any]


# --- writing ----------------------------------------------------------------------------------
def to_plain(value: Any, where: str = "checkpoint") -> Any:
    """Return ``value`` as tensors on the CPU and plain Python.

    Raises:
        TypeError: something that a weights-only load would refuse; the message says where.
    """
    if isinstance(value, Tensor):
        tensor = value.detach().cpu()
        # a view would drag its whole storage into the file
        return tensor if tensor.untyped_storage().nbytes() == tensor.nbytes else tensor.clone()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value).copy())
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Counter):
        return Counter({key: int(count) for key, count in value.items()})
    if isinstance(value, Mapping):
        return {to_plain(k, where): to_plain(v, f"{where}[{k!r}]") for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        converted = [to_plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
        return tuple(converted) if isinstance(value, tuple) else converted
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    raise TypeError(f"{where} is a {type(value).__name__}; checkpoints hold tensors and plain Python only")


def save_checkpoint(state: Mapping[str, Any], path: str | Path) -> None:
    """Write ``state`` to ``path`` atomically, as plain data, with its checksum.

    Raises:
        TypeError: ``state`` holds something else than tensors and plain Python.
        OSError: see :func:`atomic_write`.
    """
    plain = to_plain(state)
    plain[KEY] = checksum(plain)
    atomic_write(path, lambda file: torch.save(plain, file))


def write_pointer(folder: str | Path, path: str | Path) -> None:
    """Note in ``folder/last_checkpoint`` which file is the newest."""
    write_file(Path(folder) / LAST_CHECKPOINT, Path(path).name)


# --- reading ----------------------------------------------------------------------------------
def load_checkpoint(path: str | Path, map_location: torch.device | str = "cpu") -> State:
    """Read a checkpoint file without executing anything from it, and compare the checksum in it.

    A file of ours that has no checksum, or another, is damaged. Other people's files, and ours of before
    there were checksums, are read as they are.

    Args:
        path: a file written by :func:`save_checkpoint`, or any file of tensors and plain data.
        map_location: device of the tensors.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: the file is truncated, damaged, or holds more than plain data.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint file {path}")
    if kind := unlike_weights(path):
        raise CheckpointError(f"cannot read checkpoint {path}: it is {kind}")
    try:
        state = _read(path)
    except Exception as error:  # damage surfaces as whatever the reader trips over
        raise CheckpointError(f"cannot read checkpoint {path} ({_size(path)}): {_reason(error)}") from error
    if not isinstance(state, dict):
        raise CheckpointError(f"checkpoint {path} holds a {type(state).__name__}, not a dictionary")
    fault = excess(state, path.stat().st_size)
    if fault:
        raise CheckpointError(f"cannot read checkpoint {path} ({_size(path)}): {fault}")
    fault = _damage(state)
    if fault:
        raise CheckpointError(f"cannot read checkpoint {path} ({_size(path)}): it is damaged ({fault})")
    return state if str(map_location) == "cpu" else _moved(state, map_location)


def _read(path: Path) -> Any:
    """Return what a file holds, on the CPU: the checksum is of the bytes in it.

    An archive is judged before torch opens it, which would unpack whatever it says.
    """
    with path.open("rb") as file:
        if file.read(len(ARCHIVE)) == ARCHIVE:
            check_archive(file, path.stat().st_size)
    return torch.load(path, map_location="cpu", weights_only=True)


def _damage(state: State) -> str:
    """Return in what way a checkpoint is not as it was written; "" if nothing is known against it."""
    stated = state.get(KEY)
    if stated is None:
        meta = state.get("meta")
        return "it has no checksum" if isinstance(meta, dict) and "seal" in meta else ""
    if not isinstance(stated, str) or not stated.startswith(f"{RULE}:"):
        return "its checksum is not one of ours"
    try:
        found = checksum(state)
    except Exception as error:  # whatever is no plain data: numbers of a million digits, say
        return str(error)
    return "" if found == stated else "its checksum differs"


def _moved(value: Any, place: torch.device | str) -> Any:
    if isinstance(value, Tensor):
        return value.to(place)
    if isinstance(value, dict):
        return {key: _moved(item, place) for key, item in value.items()}
    return [_moved(item, place) for item in value] if isinstance(value, list) else value


def _size(path: Path) -> str:
    return f"{path.stat().st_size} bytes"


def _reason(error: Exception) -> str:
    """Return one line on why a file cannot be read, without torch's advice to execute it."""
    if isinstance(error, UnpicklingError):
        refused = re.search(r"GLOBAL (\S+)", str(error))
        held = f" ({refused[1].rstrip('.,')})" if refused else ""
        return f"it is no checkpoint, or holds more than tensors and plain data{held}"
    said = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return "it holds more than tensors and plain data" if "weights_only" in said else said


def list_checkpoints(folder: str | Path) -> list[Path]:
    """Return the ``iter_N.pth`` files of ``folder``, newest (highest N) first."""
    found = [(int(match[1]), path) for path, match in _matches(Path(folder)) if match]
    return [path for _, path in sorted(found, reverse=True)]


def _matches(folder: Path) -> Iterator[tuple[Path, re.Match[str] | None]]:
    if folder.is_dir():
        yield from ((path, _ITERATION.match(path.name)) for path in folder.iterdir())


def newest_valid(
    folder: str | Path, faults: Callable[[State], Iterable[str]] | None = None
) -> tuple[Path | None, list[str]]:
    """Return the newest checkpoint that can be read, and what was wrong with newer ones.

    Files ``iter_N.pth`` are tried from the highest N down, then ``best_*.pth``. The pointer
    file decides nothing; if it names a missing file, that is reported.

    Args:
        folder: to search.
        faults: what is wrong with a checkpoint's content, if anything; by default that it has no weights.
    """
    folder = Path(folder)
    problems = []
    pointer = folder / LAST_CHECKPOINT
    if pointer.is_file():
        named = folder / Path(pointer.read_text(errors="replace").strip() or "(empty)").name
        if not named.is_file():
            problems.append(f"{pointer} names {named.name}, which does not exist")
    for path in [*list_checkpoints(folder), *sorted(folder.glob("best_*.pth"))]:
        try:
            state = load_checkpoint(path)
        except (CheckpointError, OSError) as error:
            problems.append(str(error))
            continue
        fault = next(iter((faults or _without_weights)(state)), None)
        if fault is None:
            return path, problems
        problems.append(f"{path} {fault}")
    return None, problems


def _without_weights(state: State) -> Iterator[str]:
    if "state_dict" not in state:
        yield "holds no 'state_dict'"


def require_finite(weights: Mapping[str, Any], source: str) -> None:
    """Check that weights are numbers.

    Raises:
        CheckpointError: some are NaN or infinite; names the source and the first tensors.
    """
    bad = [
        name
        for name, value in weights.items()
        if isinstance(value, Tensor) and value.is_floating_point() and not _are_finite(value)
    ]
    if bad:
        raise CheckpointError(
            f"{source}: {len(bad)} of its {len(weights)} tensors hold NaN or infinite values: {_some(bad)}"
        )


def _are_finite(values: Tensor) -> bool:
    # of floats of one byte torch cannot ask it
    return bool(torch.isfinite(values.float() if values.element_size() == 1 else values).all())


def require_half(weights: Mapping[str, Any], source: str) -> None:
    """Check that weights can be stored in float16, whose largest number is 65,504.

    Raises:
        CheckpointError: some would become infinite; names the source and the first tensors.
    """
    limit = torch.finfo(torch.float16).max
    large = [
        f"{name} ({float(value.abs().max()):.4g})"
        for name, value in weights.items()
        if isinstance(value, Tensor) and value.is_floating_point() and bool((value.abs() > limit).any())
    ]
    if large:
        raise CheckpointError(
            f"{source}: {len(large)} tensors hold values beyond {limit:,.0f}, which float16 cannot: "
            f"{_some(large)}; store float32 (without --half)"
        )


def strip_prefix(state: Mapping[str, Any], prefix: str = "module.") -> State:
    """Return ``state`` without ``prefix``, which wrappers for several GPUs put before all keys."""
    if state and all(key.startswith(prefix) for key in state):
        return {key[len(prefix) :]: value for key, value in state.items()}
    return dict(state)


def load_weights(module: nn.Module, weights: Mapping[str, Any], source: str, strict: bool = True) -> None:
    """Load ``weights`` into ``module``, or say in a few lines what does not fit.

    Args:
        module: receives the weights.
        weights: a state dict.
        source: what to call the weights in the message.
        strict: refuse missing and unexpected keys.

    Raises:
        CheckpointError: keys or shapes differ; ``module`` is unchanged then.
    """
    _adopt_stored(module, weights)
    own = module.state_dict()
    shapes = [
        f"{name} is {tuple(weights[name].shape)} there, {tuple(value.shape)} here"
        for name, value in own.items()
        if isinstance(weights.get(name), Tensor) and weights[name].shape != value.shape
    ]
    faults = {"wrong shapes": shapes}
    if strict:
        faults["missing"] = [name for name in own if name not in weights]
        faults["unexpected"] = [name for name in weights if name not in own]
    if any(faults.values()):
        details = "; ".join(f"{kind}: {_some(names)}" for kind, names in faults.items() if names)
        raise CheckpointError(f"{source} does not fit the model: {details}")
    module.load_state_dict(weights, strict=strict)


def _adopt_stored(module: nn.Module, weights: Mapping[str, Any]) -> None:
    """Let modules make room for what a file may hold beyond the usual: ``adopt_stored(names below them)``."""
    for path, part in module.named_modules():
        adopt = getattr(part, "adopt_stored", None)
        if callable(adopt):
            prefix = f"{path}." if path else ""
            adopt({name.removeprefix(prefix) for name in weights if name.startswith(prefix)})


def _some(names: list[str], count: int = 3) -> str:
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more
