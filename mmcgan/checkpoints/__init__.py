"""Checkpoint files: written atomically, read without executing anything."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.checkpoints.files import (
        CheckpointError,
        list_checkpoints,
        load_checkpoint,
        load_weights,
        newest_valid,
        save_checkpoint,
        strip_prefix,
    )
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "CheckpointError",
    "list_checkpoints",
    "load_checkpoint",
    "load_weights",
    "newest_valid",
    "save_checkpoint",
    "strip_prefix",
]
