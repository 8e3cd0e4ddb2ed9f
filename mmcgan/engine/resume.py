"""Which file a resumed run continues from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch.distributed as torch_dist

from mmcgan.checkpoints.files import CheckpointError, load_checkpoint, newest_valid
from mmcgan.distributed import is_initialized
from mmcgan.engine.resumable import faults


def find_resume_file(work_dir: str | Path, load_from: str | Path | None) -> tuple[Path | None, list[str]]:
    """Return the checkpoint to continue from, if any, and notes for the log.

    Rank 0 decides for all, so that ranks cannot disagree while files come and go.

    Args:
        work_dir: searched for the newest readable checkpoint.
        load_from: a particular file instead; not checked here.
    """
    found: list[tuple[Path | None, list[str]]] = [(None, [])]
    if not is_initialized() or torch_dist.get_rank() == 0:
        found = [(Path(load_from), [])] if load_from else [_search(work_dir)]
    if is_initialized():
        torch_dist.broadcast_object_list(found, src=0)
    return found[0]


def _search(work_dir: str | Path) -> tuple[Path | None, list[str]]:
    path, problems = newest_valid(work_dir, faults)
    if problems and path is not None:
        problems = [*problems, f"falling back to the newest readable checkpoint {path}"]
    return path, problems


def read_resumable(path: str | Path) -> dict[str, Any]:
    """Return the content of a checkpoint that a run can be continued from.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: unreadable, or not the state of a run.
    """
    content = load_checkpoint(path)
    for fault in faults(content):
        raise CheckpointError(f"{path} {fault}")
    return content
