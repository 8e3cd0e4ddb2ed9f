"""Where a config that comes with a file is from, which decides what it may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmcgan.provenance import read_origins
from mmcgan.text_files import printable

ADVICE = "If the file is your own, give its config too: CONFIG FILE"


class RefusedConfigError(ValueError):
    """A config in a file asks for something that is not in the closed world, or is no config."""


@dataclass(frozen=True)
class Origin:
    """Where a config comes from, which decides what it may ask for.

    Attributes:
        source: what to call it in messages.
        folder: of the file; names of files are looked up in it and must not leave it.
        own: the user's own: may name files anywhere and data sets of any kind.
        started_in: the folder that relative paths of the user's own file are of; None if that is not known.
        components: ``type`` -> distribution and version, as the file states it; for messages.
    """

    source: str
    folder: Path | None = None
    own: bool = False
    started_in: Path | None = None
    components: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def of_file(cls, path: str | Path, own: bool = False, started_in: Any = None) -> Origin:
        """Return the origin of what stands in a file.

        Args:
            path: the file.
            own: whether it is the user's own.
            started_in: the folder that its relative paths are of, relative to the file's.
        """
        folder = Path(path).parent
        known = own and isinstance(started_in, str) and "\0" not in started_in
        return cls(str(path), folder, own, folder.absolute() / started_in if known else None)

    def stating(self, components: Any) -> Origin:
        """Return the same with the components that the file states."""
        return replace(self, components=read_origins(components))

    def holds(self, path: str | Path) -> bool:
        """Return whether a path leads into the folder, links followed; one of an archive is its archive's."""
        if self.folder is None:
            return False
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.folder))

    def way_out(self, place: Path) -> Path | None:
        """Return what leads out of the folder in one of its folders, at any depth, or cannot be listed."""
        waiting, entered = [place], set()
        while waiting:
            current = waiting.pop()
            if not self.holds(current):
                return current
            real = os.path.realpath(current)
            if real in entered or not os.path.isdir(real):
                continue
            entered.add(real)
            try:
                entries = list(os.scandir(current))
            except OSError:
                return current
            followed = [
                entry for entry in entries if entry.is_symlink() or entry.is_dir(follow_symlinks=False)
            ]
            waiting += [Path(entry.path) for entry in followed]
        return None

    def found(self, path: str) -> str:
        """Return a relative path as it leads to something: from here, else from where the run was started."""
        if self.started_in is None or Path(path).is_absolute() or os.path.lexists(path):
            return path
        there = Path(os.path.normpath(self.started_in / path))
        return str(there) if there.exists() else path


#: a config that the user gave by its name or path
USER = Origin("the config", own=True)


_asking: ContextVar[Origin] = ContextVar("asking", default=USER)


def asking() -> Origin:
    """Return whose config is being built from: what is opened later for it is for the same."""
    return _asking.get()


@contextmanager
def built_for(origin: Origin) -> Iterator[None]:
    """Note whose config is being built from, for :func:`require_inside`."""
    token = _asking.set(origin)
    try:
        yield
    finally:
        _asking.reset(token)


def require_inside(paths: Iterable[str | Path]) -> None:
    """Check files that a list, a table or a folder names before any is opened, links followed.

    What the user's own config asks for may lie anywhere.

    Raises:
        RefusedConfigError: for somebody else's config, a file outside the folder of the model.
    """
    origin = asking()
    for path in () if origin.own else paths:
        if not origin.holds(path):
            raise RefusedConfigError(
                f"{origin.source}: its data set names {printable(path)}, which leads outside the model's "
                f"folder. {ADVICE}"
            )


def leaves(text: str) -> bool:
    """Return whether a text is a path or address that leads away from the folder it is read in."""
    parts = text.replace("\\", "/").split("/")
    absolute = text.startswith(("/", "\\", "~")) or (len(parts) > 1 and parts[0].endswith(":"))
    return absolute or ".." in parts or "://" in text or "\0" in text


@contextmanager
def named(origin: Origin, what: str) -> Iterator[None]:
    """Say which file it is whose settings a component fails on.

    Raises:
        RefusedConfigError: in place of whatever wrong types and shapes surface as in constructors.
        ValueError: from the component, which says itself what is wrong; the file is put in front.
        OSError, ImportError: from the component.
    """
    try:
        yield
    except FileNotFoundError as error:
        if origin.started_in is None or origin.started_in == Path.cwd():
            raise
        raise FileNotFoundError(
            f"{error}\nRelative paths in {origin.source} were looked for here, in {Path.cwd()}, and where "
            f"its run was started, in {origin.started_in}"
        ) from error
    except ValueError as error:
        if type(error) is not ValueError or origin.source in str(error):
            raise
        raise ValueError(f"{origin.source}: {what}: {_reason(error)}") from error
    except (OSError, ImportError):
        raise
    except Exception as error:
        # KeyError shows its message as a literal
        reason = shortened(error.args[0] if isinstance(error, KeyError) and error.args else error, 600)
        raise RefusedConfigError(f"{origin.source}: its config asks for {what}: {reason}") from error


def _reason(error: ValueError) -> str:
    """Return what an error says, without the way through torch's library that some come with."""
    return str(error).partition("\nException raised from")[0]


def shortened(error: object, most: int = 200) -> str:
    """Return the first characters of an error in one line; its kind if it says nothing."""
    return " ".join(str(error).split())[:most] or type(error).__name__
