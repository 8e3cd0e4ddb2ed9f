"""From a path or name to a config that will run."""

from __future__ import annotations

import importlib
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmcgan.config.annotations import fits
from mmcgan.config.facts import SOURCE, fill_facts
from mmcgan.config.locate import config_folders, find_config
from mmcgan.config.options import apply_options
from mmcgan.config.problems import ConfigError, Problem
from mmcgan.config.validate import find_problems
from mmcgan.plugins import load_plugins
from mmcgan.registry import restore, snapshot
from mmcgan.text_files import printable

# A config outside the repository inherits with _base_ = '{{$MMCGAN_CONFIGS:}}/<method>/<name>.py'.
FOLDER_VARIABLE = "MMCGAN_CONFIGS"
#: of the files that MMEngine reads
SUFFIXES = (".py", ".json", ".yaml", ".yml")
NO_CONFIG = f"no config, whose name ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"


def load_config(path_or_name: str | Path, options: Mapping[str, Any] | None = None) -> Config:
    """Return a checked config with options applied and dataset facts filled in.

    Args:
        path_or_name: a file, or the name of a config that comes with mmcgan or a plugin.
        options: values by dotted path (``{"train_cfg.max_iters": 100}``).

    Raises:
        FileNotFoundError: no such config; suggests names.
        ConfigError: lists every problem with its path in the config and a suggestion.

    Examples:
        >>> config = load_config("biggan_digits-16", {"train_cfg.max_iters": 100})
        >>> config.model.generator.type, config.train_cfg.max_iters
        ('BigGANGenerator', 100)
        >>> load_config("biggan_digits-16", {"train_cfg.max_iter": 100})
        Traceback (most recent call last):
            ...
        mmcgan.config.problems.ConfigError: ...
    """
    load_plugins()
    path = find_config(path_or_name)
    config = read_config(path)
    problems = prepare_config(config, options or {})
    if problems:
        raise ConfigError(str(path_or_name), problems)
    return config


def read_config(path: Path) -> Config:
    """Read a config file with its bases, without importing, filling or checking anything.

    Raises:
        ConfigError: the file is not valid Python, or a base is missing or no file.
        ValueError: a file of another kind.
    """
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{printable(path)}: {NO_CONFIG}{_instead(path)}")
    folders = config_folders()
    if folders:
        os.environ.setdefault(FOLDER_VARIABLE, str(folders[0]))
    try:
        return Config.fromfile(path, import_custom_modules=False)
    except Exception as error:
        problems = _of_bases(path)
        if problems:
            raise ConfigError(str(path), problems) from error
        if isinstance(error, SyntaxError | NameError | KeyError | TypeError | FileNotFoundError):
            raise ConfigError(str(path), [Problem(type(error).__name__, str(error))]) from error
        if not isinstance(error, OSError) or error.filename is not None:
            raise
        why = f"no copy of it can be written to {tempfile.gettempdir()}: {error.strerror or error}"
        raise OSError(error.errno, f"{path}: {why}; TMPDIR chooses another folder") from error


def _of_bases(path: Path) -> list[Problem]:
    """Return what is wrong with the bases of a config that cannot be read; nothing if it is not that."""
    try:
        return list(_bad_bases(path, path))
    except Exception:  # a file that is no Python, which the error says that is at hand
        return []


def _bad_bases(path: Path, file: Path) -> Iterator[Problem]:
    """Yield bases of ``file``, from which that at ``path`` inherits, that are no configs, or have such."""
    where = "_base_" if file == path else f"_base_ of {file}"
    for base in Config._get_base_files(str(file)):
        wrong = _wrong_base(base)
        if wrong is not None:
            yield Problem(where, wrong)
        elif (inherited := file.parent / base).is_file():
            yield from _bad_bases(path, inherited)


def _wrong_base(base: Any) -> str | None:
    """Return what is wrong with a base that is no path of a config; None if it is one."""
    if not isinstance(base, str):
        return f"must be the path of a config, or a list of such paths, got {base!r}"
    if "::" in base:
        return _no_file(base)
    return None if Path(base).suffix in SUFFIXES else f"{base!r} is {NO_CONFIG}{_path_of(base)}"


def _path_of(name: str) -> str:
    """Return the path of a config that was called by its name, if it is one."""
    try:
        return f"; the path of that one is {str(find_config(name))!r}"
    except (FileNotFoundError, ValueError):
        return ""


def _no_file(name: str) -> str:
    """Return that a base is a name."""
    try:
        advice = f"that one is {str(find_config(name))!r}"
    except (FileNotFoundError, ValueError) as error:
        advice = str(error)
    return f"{name!r} is the name of a config; a base is a file: {advice}"


def _instead(path: Path) -> str:
    from mmcgan.datasets.decode import SUFFIXES as PICTURES

    if path.suffix.lower() in PICTURES:
        return "; it is a picture; give its folder"
    return ""


def prepare_config(config: Config, options: Mapping[str, Any]) -> list[Problem]:
    """Import custom modules, apply ``options``, fill facts in place; return all problems."""
    content = config._cfg_dict
    # modules first: what they register decides which of the other options make sense
    early = {key: value for key, value in options.items() if key.split(".")[0] == "custom_imports"}
    problems = apply_options(content, early)
    problems += _import_custom(content.get("custom_imports"))
    problems += apply_options(content, {key: options[key] for key in options if key not in early})
    fact_problems = fill_facts(content)
    # without its data set a config lacks values through no fault of its own
    facts_known = all(problem.path != SOURCE for problem in fact_problems)
    found = find_problems(content, facts_known)
    # a size that is no square: which networks can says more than that it is no whole number
    sized = {problem.path for problem in fact_problems if problem.path.endswith(".image_size")}
    return problems + fact_problems + [problem for problem in found if problem.path not in sized]


def _import_custom(settings: Any) -> list[Problem]:
    """Import ``custom_imports`` one by one, so that a failing module does not hide the others."""
    if settings is None:
        return []
    names = settings.get("imports", []) if isinstance(settings, dict) else settings
    if not fits(names, str | Sequence[str]):
        return [Problem("custom_imports", f"must name modules, got {settings!r}")]
    optional = isinstance(settings, dict) and settings.get("allow_failed_imports", False)
    problems = []
    for name in [names] if isinstance(names, str) else names:
        before = snapshot()
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:  # foreign code: any failure is reported by name
            restore(before)
            message = f"cannot import {name!r}: {type(error).__name__}: {error}"
            if optional:
                warnings.warn(f"custom_imports: {message}", stacklevel=2)
            else:
                problems.append(Problem("custom_imports", message))
    return problems
