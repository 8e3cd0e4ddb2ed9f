"""The whole settings of a run, written beside its checkpoints, never over what somebody else wrote."""

from __future__ import annotations

import io
import tokenize
from pathlib import Path
from typing import BinaryIO

from mmengine.config import Config

from mmcgan.checkpoints.atomic import atomic_write
from mmcgan.checkpoints.code_text import without_templates
from mmcgan.checkpoints.literals import assignments
from mmcgan.engine.work_folder import CHECKPOINT_PATTERN

#: first line of what a run writes
MARK = "# All settings of a run, written by mmcgan and written anew when the run goes on.\n"


def refuse_own_config(config: Config, folder: str | Path) -> None:
    """Check that a training's settings would replace nothing but those of an earlier run.

    Args:
        config: that is to be trained.
        folder: its work folder.

    Raises:
        FileExistsError: a file of the config's name lies there that no run has written, such as the config
            itself: its comments and what it inherits would be lost.
    """
    if config.filename is None:  # written under a name that nothing has yet
        return
    place = Path(folder) / Path(config.filename).name
    if place.is_file() and not _is_written_by_a_run(place):
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


def _is_written_by_a_run(place: Path) -> bool:
    """Return whether a run has written a file: marked, or plain in a folder of runs from before the mark."""
    text = place.read_text(encoding="utf-8", errors="replace")
    if text.startswith(MARK):
        return True
    has_run = any(any(place.parent.glob(pattern)) for pattern in (CHECKPOINT_PATTERN, "*/*.log"))
    return has_run and _is_plain(text)


def _is_plain(text: str) -> bool:
    """Return whether a text has settings alone: nothing inherited, no comment, nothing computed."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        values = assignments(text)
    except (ValueError, SyntaxError, tokenize.TokenError):
        return False
    return "_base_" not in values and all(token.type != tokenize.COMMENT for token in tokens)
