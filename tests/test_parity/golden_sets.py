"""Where golden cases are, and which of them belong to a later issue."""

import os
from pathlib import Path

import pytest

from tests.parity import find_cases

REPOSITORY = Path(__file__).resolve().parents[2]
COMMITTED = REPOSITORY / "tests" / "data" / "golden"

# Peers whose networks we do not have yet: their cases come out as unsupported.
LATER_PEERS: set[str] = set()
# Kinds (as the table prints them) of other peers for which there is no code yet.
LATER_KINDS: set[tuple[str, str]] = set()
LATER_PREFIXES: tuple[str, ...] = ()


def full_set() -> Path | None:
    """Return the folder of the full golden set, if there is one."""
    named = os.environ.get("MMCGAN_GOLDEN")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "golden"
    return folder if folder.is_dir() else None


def case_stem(name: str) -> Path:
    """Return the stem of ``peer/case`` in the committed set, else in the full one; skip without either."""
    stem, full = COMMITTED / name, full_set()
    if not stem.with_name(f"{stem.name}.json").exists():
        if full is None:
            pytest.skip(f"{name} is in the full golden set only: set MMCGAN_GOLDEN to its folder")
        peer, case = name.split("/")
        stem = full / peer / f"{peer}__{case}"
    return stem


def stems(folder: Path | None) -> list[Path]:
    """Return the cases of a folder; none without a folder."""
    return [] if folder is None else find_cases(folder)


def _once() -> list[Path]:
    """Return every case of both sets, one that is in both from the full set."""
    full = stems(full_set())
    names = {stem.name for stem in full}
    return full + [stem for stem in stems(COMMITTED) if f"{stem.parent.name}__{stem.name}" not in names]


def is_committed(stem: Path) -> bool:
    """Return whether a case of either set is in the committed one too."""
    case = stem.name.removeprefix(f"{stem.parent.name}__")
    return (COMMITTED / stem.parent.name / f"{case}.json").exists()


def is_later(stem: Path, peer: str, kind: str) -> bool:
    """Return whether a case that is not supported belongs to a later issue."""
    return peer in LATER_PEERS or (peer, kind) in LATER_KINDS or kind.startswith(LATER_PREFIXES)


ALL_STEMS = _once()
