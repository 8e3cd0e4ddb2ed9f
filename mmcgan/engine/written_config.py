"""The whole settings of a run, written beside its checkpoints, never over what somebody else wrote."""

from __future__ import annotations

import io
import tokenize
from pathlib import Path
from typing import Any, BinaryIO

from mmengine.config import Config

from mmcgan.checkpoints.atomic import atomic_write
from mmcgan.checkpoints.code_text import without_templates
from mmcgan.checkpoints.literals import assignments
from mmcgan.engine.work_folder import CHECKPOINT_PATTERN

#: what a command says of a run, whatever its config has
SAID = ("work_dir", "resume", "load_from", "launcher")
#: first line of what a run writes
MARK = "# All settings of a run, written by mmcgan and written anew when the run goes on.\n"


def refuse_own_config(config: Config, folder: str | Path) -> None:
    """Check that a training's settings would replace nothing but those of an earlier run.

    Args:
        config: that is to be trained.
        folder: its work folder.

    Raises:
        FileExistsError: a file of the config's name lies there that no run has written, such as the config
            itself, and something of it would be lost: comments, what it inherits, a value that an option
            replaces.
    """
    if config.filename is None:  # written under a name that nothing has yet
        return
    place = Path(folder) / Path(config.filename).name
    if place.is_file() and not _may_be_replaced(place, config):
        raise FileExistsError(
            f"{place} was not written by a run, and the settings of this one would replace it: choose "
            "another --work-dir, or move or rename it"
        )


def write_config(config: Config, folder: str | Path, log_folder: str | Path) -> None:
    """Write a run's settings.

    Args:
        config: of the run.
        folder: work folder of a training.
        log_folder: of this process; an evaluation's settings, which lack what trains, are written there.

    Raises:
        FileExistsError: as :func:`refuse_own_config`.
        OSError: the folder cannot be written.
    """
    folder = Path(folder if config.get("train_cfg") is not None else log_folder)
    refuse_own_config(config, folder)
    name = Path(config.filename or f"{Path(log_folder).name}.py").name
    if not name.endswith(".py"):
        config.dump(folder / name)  # as MMEngine writes the other kinds of file that it reads
        return
    # what is a template now was text before: a folder may be called after one
    text = (MARK + without_templates(config.pretty_text)).encode()

    def write(file: BinaryIO) -> None:
        file.write(text)

    atomic_write(folder / name, write)


def _may_be_replaced(place: Path, config: Config) -> bool:
    """Return whether a run has written a file, or its settings say all that is in it."""
    text = place.read_text(encoding="utf-8", errors="replace")
    if text.startswith(MARK):
        return True
    values = _plain_values(text)
    if values is None:
        return False
    # in a folder of runs from before the mark it is theirs, whatever it says
    if any(any(place.parent.glob(pattern)) for pattern in (CHECKPOINT_PATTERN, "*/*.log")):
        return True
    return _is_kept({name: value for name, value in values.items() if name not in SAID}, config.to_dict())


def _is_kept(value: Any, kept: Any) -> bool:
    """Return whether all that a value says is in ``kept``, which may say more."""
    if isinstance(value, dict) and isinstance(kept, dict):
        return all(name in kept and _is_kept(inner, kept[name]) for name, inner in value.items())
    if isinstance(value, list | tuple) and isinstance(kept, list | tuple) and len(value) == len(kept):
        return all(map(_is_kept, value, kept))
    return bool(value == kept)


def _plain_values(text: str) -> dict[str, Any] | None:
    """Return the settings in a text that has nothing else: no base, no comment, nothing computed."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        values = assignments(text)
    except (ValueError, SyntaxError, tokenize.TokenError):
        return None
    return None if any(token.type == tokenize.COMMENT for token in tokens) or "_base_" in values else values
