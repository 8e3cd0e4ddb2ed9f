"""Walking through a folder: every image once, and a reason for everything that is left out."""

from __future__ import annotations

import os
import stat
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmcgan.datasets.decode import SUFFIXES, UNREAD_SUFFIXES
from mmcgan.text_files import printable

MAX_DEPTH = 64  # folders in folders


NOT_READ = "which is not read"


@dataclass
class LeftOut:
    """What a walk did not take.

    Attributes:
        reasons: one line per file or folder that may have been meant: which it is, and why.
        faults: those of them at which whoever insists on every image stops.
        other_suffixes: how many files there are that are no images, by the ending of their names.
    """

    reasons: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    other_suffixes: Counter[str] = field(default_factory=Counter)

    @property
    def unread_images(self) -> int:
        """How many of them are images, of formats that are not read."""
        return sum(NOT_READ in reason for reason in self.reasons)

    def note(self, path: str, reason: str) -> None:
        """Add a line."""
        self.reasons.append(f"{printable(path)}: {reason}")

    def fault(self, message: str) -> None:
        """Add a line of its own words, at which some stop."""
        self.reasons.append(message)
        self.faults.append(message)


def joined(parts: Sequence[LeftOut]) -> LeftOut:
    """Return what several walks did not take as one."""
    if len(parts) == 1:
        return parts[0]
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.other_suffixes)
    reasons = [reason for part in parts for reason in part.reasons]
    return LeftOut(reasons, [fault for part in parts for fault in part.faults], counts)


def is_image_name(name: str, left_out: LeftOut, on_fault: Callable[[str], None], path: str) -> bool:
    """Return whether a file is an image by its name that can be read; note one that is not.

    Args:
        name: of the file.
        left_out: counts other files.
        on_fault: told of an image of a format that is not read, as ``path: reason``.
        path: of the file.
    """
    suffix = os.path.splitext(name)[1].lower()
    if suffix in UNREAD_SUFFIXES:
        on_fault(f"{printable(path)}: it is {UNREAD_SUFFIXES[suffix]}, {NOT_READ}: convert it")
    elif suffix not in SUFFIXES:
        left_out.other_suffixes[suffix or "without ending"] += 1
    return suffix in SUFFIXES


class Walk:
    """Finds the images under folders, each file and each folder once, whatever links lead to it.

    Args:
        entered: folders that count as entered already, such as the class folders while one of them is walked.
        on_fault: called with the message of a folder that cannot be read, or of an image whose format is not;
            None notes these as left out.
    """

    def __init__(
        self, entered: Iterable[str | Path] = (), on_fault: Callable[[str], None] | None = None
    ) -> None:
        self.left_out = LeftOut()
        self._on_fault = on_fault
        self._entered = {_identity(os.stat(folder)) for folder in entered}
        self._found: dict[tuple[int, int], str] = {}
        self._links: deque[tuple[os.DirEntry[str], int]] = deque()

    def images(self, folder: str | Path) -> list[str]:
        """Return the paths of images in ``folder`` and below it: first its own, sorted, then its folders'."""
        start = os.fspath(folder)
        self._entered.discard(_identity(os.stat(start)))
        self._found = {}
        self._links = deque()
        self._enter_all(start, 0)
        followed = bool(self._links)
        while self._links:  # after all that is really there, so that nothing is found through a link only
            entry, depth = self._links.popleft()
            self._follow(entry, depth)
        found = list(self._found.values())
        return sorted(found, key=place_of) if followed else found

    def _enter_all(self, start: str, depth: int) -> None:
        """Note the images of a folder and of those below it."""
        waiting = [(start, depth)]
        while waiting:
            current, depth = waiting.pop()
            waiting += [(path, depth + 1) for path in reversed(self._enter(current, depth))]

    def _enter(self, current: str, depth: int) -> list[str]:
        """Note the images of a folder; return the folders in it."""
        if depth > MAX_DEPTH:
            self._fault(current, f"folders lie more than {MAX_DEPTH} deep")
            return []
        try:
            own = _identity(os.stat(current))
            if own in self._entered:
                self.left_out.note(current, "a link to a folder that is read already")
                return []
            self._entered.add(own)
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        except OSError as error:
            self._fault(current, f"the folder cannot be read ({error.strerror})")
            return []
        seen = [entry for entry in entries if not entry.name.startswith(".")]
        folders = [entry for entry in seen if self._is_folder(entry, depth, own[0])]
        return [entry.path for entry in folders]

    def _is_folder(self, entry: os.DirEntry[str], depth: int, device: int) -> bool:
        """Note a link for later and an image at once; return whether what is left is a folder."""
        if entry.is_symlink():
            self._links.append((entry, depth))
        elif entry.is_dir(follow_symlinks=False):
            return True
        elif self._is_meant(entry):
            self._note(entry.path, (device, entry.inode()), entry.is_file(follow_symlinks=False))
        return False

    def _follow(self, entry: os.DirEntry[str], depth: int) -> None:
        """Note what a link leads to."""
        try:
            state = entry.stat()
        except OSError as error:
            if self._is_meant(entry):
                self._fault(entry.path, f"the link leads nowhere ({error.strerror})")
            return
        if stat.S_ISDIR(state.st_mode):
            self._enter_all(entry.path, depth + 1)
        elif self._is_meant(entry):
            self._note(entry.path, _identity(state), stat.S_ISREG(state.st_mode))

    def _is_meant(self, entry: os.DirEntry[str]) -> bool:
        """Return whether a file is an image by its name that can be read."""
        return is_image_name(entry.name, self.left_out, self._note_fault, entry.path)

    def _note(self, path: str, identity: tuple[int, int], regular: bool) -> None:
        if not regular:
            self.left_out.note(path, "not a regular file")
        elif identity in self._found:
            self.left_out.note(path, f"the same file as {printable(self._found[identity])}")
        else:
            self._found[identity] = path

    def _fault(self, path: str, reason: str) -> None:
        self._note_fault(f"{printable(path)}: {reason}")

    def _note_fault(self, message: str) -> None:
        if self._on_fault is not None:
            self._on_fault(message)
        self.left_out.fault(message)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def place_of(path: str) -> list[tuple[bool, str]]:
    """Return what puts the files of a folder before those of the folders in it."""
    *folders, name = path.split(os.sep)
    return [*((True, folder) for folder in folders), (False, name)]


def _identity(state: os.stat_result) -> tuple[int, int]:
    return state.st_dev, state.st_ino


def is_image_file(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry of a folder is a visible image file."""
    suffix = os.path.splitext(entry.name)[1].lower()
    return suffix in SUFFIXES and not entry.name.startswith(".") and not _is_folder(entry)


def is_visible_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry of a folder is a visible folder."""
    return _is_folder(entry) and not entry.name.startswith(".")


def listed_files(paths: Sequence[str], names: str | Path) -> list[str]:
    """Return the paths that a list names, once it is known that all of them are there.

    Blanks at the end of a line belong to a name only if there is a file of that name.

    Raises:
        FileNotFoundError: some are not there; names the list and the first.
    """
    found, missing = [], []
    for path in paths:
        match = next((name for name in (path, path.rstrip()) if os.path.isfile(name)), None)
        found.append(path if match is None else match)
        if match is None:
            missing.append(path)
    if missing:
        raise FileNotFoundError(
            f"{printable(names)}: {len(missing)} of its {len(paths)} images are not there; the first is "
            f"{printable(missing[0])}"
        )
    return found
