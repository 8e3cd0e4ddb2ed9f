"""A config whose components are gone, beside files that remember which package they came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmcgan.checkpoints.files import list_checkpoints, load_checkpoint
from mmcgan.config import ConfigError, find_config, load_config
from mmcgan.config.load import read_config
from mmcgan.config.problems import Problem
from mmcgan.provenance import absence, read_origins
from mmcgan.zoo.reading import read_content

NAMELESS = re.compile(r"no [\w -]+ named '([^']+)'\.")


def load_config_beside(
    config: str | Path, options: Mapping[str, Any] | None, *files: str | Path | None
) -> Config:
    """Return a validated config; of a component that is not here, say what the files say of it.

    Args:
        config, options: see :func:`mmcgan.config.load_config`.
        files: checkpoints, exported weights, or folders of a run; None and those that are not there are left
            out, and so is what the config starts from. They are read only where a component is not found.

    Raises:
        FileNotFoundError: no such config.
        ConfigError: lists every problem.
    """
    try:
        return load_config(config, options)
    except ConfigError as error:
        gone = [problem for problem in error.problems if NAMELESS.match(problem.message)]
        known = _origins([*files, _start_of(config, options)]) if gone else {}
        if not known:
            raise
        raise ConfigError(error.source, [_explained(each, known) for each in error.problems]) from error


def _explained(problem: Problem, known: Mapping[str, str]) -> Problem:
    named = NAMELESS.match(problem.message)
    said = None if named is None else absence(named[1], known)
    return problem if said is None else Problem(problem.path, said)


def _start_of(config: str | Path, options: Mapping[str, Any] | None) -> str | Path | None:
    start: str | None = (options or {}).get("load_from") or read_config(find_config(config)).get("load_from")
    return start


def _origins(files: Iterable[str | Path | None]) -> dict[str, str]:
    """Return what the files state of their components; {} of one that cannot be read."""
    found: dict[str, str] = {}
    for file in (Path(each) for each in files if each):
        newest = list_checkpoints(file)[:1] if file.is_dir() else [file]
        for path in newest:
            found |= _stated(path) if path.is_file() else {}
    return found


def _stated(path: Path) -> dict[str, str]:
    try:
        if path.suffix == ".safetensors":
            record = read_content(path).record
            return {} if record is None else dict(record.components)
        return read_origins((load_checkpoint(path).get("meta") or {}).get("components"))
    except (ValueError, OSError):
        return {}
