"""Durable checkpoint files and how the newest good one is found.

A file appears under its final name only when its bytes are on disk, so a kill at any moment
leaves the previous files whole. Contents are tensors and plain Python: reading a file never
executes code from it.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor, nn

from mmcgan.checkpoints.checksum import KEY, RULE, checksum

LAST_CHECKPOINT = "last_checkpoint"
_ITERATION = re.compile(r"^iter_(\d+)\.pth$")
State = dict[str, Any]


class CheckpointError(ValueError):
    """A checkpoint file that cannot be read or does not fit."""


# --- writing ----------------------------------------------------------------------------------
def atomic_write(path: str | Path, write: Callable[[BinaryIO], None]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then move it there durably.

    Args:
        path: final name; its folder is made if needed.
        write: receives the open binary file.

    Raises:
        OSError: the disk is full, the folder is not ours, ...; names the file.
    """
    path = Path(path)
    temporary = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            watched = _Watched(file)
            try:
                write(watched)  # type: ignore[arg-type]
            except RuntimeError:  # torch hides the system's error behind one about its own position
                if watched.fault is None:
                    raise
                raise watched.fault from None
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        _remove(temporary)
        reason = error.strerror or str(error)
        raise OSError(
            error.errno, f"cannot write {path}: {reason}; files that were there are whole"
        ) from error
    except BaseException:
        _remove(temporary)
        raise
    _sync_folder(path.parent)


class _Watched:
    """A file that remembers why the system could not write to it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.fault: OSError | None = None

    def write(self, content: Any) -> int:
        try:
            return self.file.write(content)
        except OSError as error:
            self.fault = error
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def check_output(path: str | Path, what: str, suffixes: Sequence[str] = ()) -> None:
    """Check before any work that a file can be written; nothing is left behind.

    Args:
        path: the file; its folder need not be there yet.
        what: how to call it in messages, such as ``--json``.
        suffixes: endings that its name may have; any by default.

    Raises:
        ValueError: another ending, a folder of that name, or a place that cannot be written.
    """
    path = Path(path).expanduser()
    if suffixes and path.suffix.lower() not in suffixes:
        raise ValueError(f"{what} {path}: the file must be named *{' or *'.join(suffixes)}")
    if path.is_dir():
        raise ValueError(f"{what} {path}: there is a folder of that name")
    folder = path.absolute().parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, "the file is there and read-only")
    except OSError as error:
        raise ValueError(f"{what} {path}: cannot be written ({error.strerror})") from error


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; some file systems cannot, and then there is nothing to do."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


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
    line = str(Path(path).name).encode()
    atomic_write(Path(folder) / LAST_CHECKPOINT, lambda file: _write_all(file, line))


def _write_all(file: BinaryIO, content: bytes) -> None:
    file.write(content)


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
    try:
        # on the CPU first: the checksum is of the bytes in the file
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damage surfaces as whatever the reader trips over
        raise CheckpointError(f"cannot read checkpoint {path} ({_size(path)}): {_reason(error)}") from error
    if not isinstance(state, dict):
        raise CheckpointError(f"checkpoint {path} holds a {type(state).__name__}, not a dictionary")
    fault = _damage(state)
    if fault:
        raise CheckpointError(f"cannot read checkpoint {path} ({_size(path)}): it is damaged ({fault})")
    return state if str(map_location) == "cpu" else _moved(state, map_location)


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
    except (TypeError, RecursionError) as error:
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
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


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


def _some(names: list[str], count: int = 3) -> str:
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more
