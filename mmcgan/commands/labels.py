"""What curves are called in a picture, and in which formats pictures are written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

#: endings of the names of pictures that matplotlib writes
PICTURES = (".png", ".pdf", ".svg")


def labelled_paths(arguments: Sequence[str]) -> dict[str, Path]:
    """Return the paths of ``NAME=PATH`` or ``PATH`` by name.

    What is there under the whole text is a path, whatever signs are in it: ``lr=0.1`` may be a folder. Paths
    without a name are called after their last part, or after as many as tell them apart.

    Raises:
        ValueError: a name, or a path, is given twice.
    """
    split = [_split(argument) for argument in arguments]
    called = _last_parts([path for name, path in split if name is None])
    found: dict[str, Path] = {}
    for name, path in split:
        name = called[path.absolute()] if name is None else name
        if name in found:
            raise ValueError(
                f"{name!r} is the name of {found[name]} and of {path}; give them names: NAME={path}"
            )
        found[name] = path
    return found


def _split(argument: str) -> tuple[str | None, Path]:
    places = [place for place, letter in enumerate(argument) if letter == "="]
    if not places or Path(argument).exists():
        return None, Path(argument)
    there = [place for place in places if Path(argument[place + 1 :]).exists()]
    place = (there or places)[0]
    return argument[:place], Path(argument[place + 1 :])


def _last_parts(paths: Sequence[Path]) -> dict[Path, str]:
    """Return for each path as many of its last parts as no other one ends in."""
    whole = [path.absolute() for path in paths]
    if len(set(whole)) < len(whole):
        twice = next(path for path in whole if whole.count(path) > 1)
        raise ValueError(f"{twice} is given twice")
    for count in range(1, max((len(path.parts) for path in whole), default=0) + 1):
        names = ["/".join(path.parts[-count:]) for path in whole]
        if len(set(names)) == len(names):
            return dict(zip(whole, names, strict=True))
    return {path: str(path) for path in whole}
