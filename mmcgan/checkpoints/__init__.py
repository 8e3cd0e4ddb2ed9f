"""Checkpoint files: written atomically, read without executing anything."""

from mmcgan.checkpoints.files import (
    CheckpointError,
    list_checkpoints,
    load_checkpoint,
    load_weights,
    newest_valid,
    save_checkpoint,
    strip_prefix,
)

__all__ = [
    "CheckpointError",
    "list_checkpoints",
    "load_checkpoint",
    "load_weights",
    "newest_valid",
    "save_checkpoint",
    "strip_prefix",
]
