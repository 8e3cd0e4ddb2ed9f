"""Conditions that a user gives as arrays: of any kind, our own or a plugin's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from mmcgan.array_files import read_array
from mmcgan.condition_fields import condition_field
from mmcgan.random import make_generator
from mmcgan.structures import height_and_width
from mmcgan.zoo.models import LoadedModel

Given = Mapping[str, str | Path | Tensor]


def given_conditions(loaded: LoadedModel, given: Given | None) -> dict[str, Tensor]:
    """Return rows (K, ...) of fields of the condition, in the types that networks see.

    Args:
        loaded: the model.
        given: field -> rows, or a ``.npy`` file of them.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a field that the model does not look at, no array of numbers, rows of another shape or
            kind than the field has, or numbers that are NaN or infinite.
    """
    found = {}
    for name, value in (given or {}).items():
        if name not in loaded.requires:
            asked = ", ".join(loaded.requires) or "nothing"
            raise ValueError(f"--condition {name}: {loaded.name} is conditioned on {asked}")
        what = f"--condition {name}={'' if isinstance(value, Tensor) else value}"
        rows = value if isinstance(value, Tensor) else torch.from_numpy(read_array(value))
        found[name] = _fitting(loaded, name, rows, what)
    return found


def _fitting(loaded: LoadedModel, name: str, rows: Tensor, what: str) -> Tensor:
    """Return rows as a field has them; what the field makes up shows how that is."""
    field, size = condition_field(name), height_and_width(loaded.model.generator.image_size)
    like = field.made_up(1, loaded.size_of(name), size, make_generator("the shape of a condition"))
    if rows.shape[1:] != like.shape[1:] or not len(rows):
        wanted = ", ".join(map(str, ("K", *like.shape[1:])))
        raise ValueError(f"{what}: expected the shape ({wanted}), got {tuple(rows.shape)}")
    if like.is_floating_point() != rows.is_floating_point():
        raise ValueError(f"{what}: expected {like.dtype}, got {rows.dtype}")
    if not bool(rows.isfinite().all()):
        raise ValueError(f"{what}: has numbers that are NaN or infinite")
    return field.typed(rows.to(like.dtype))


def parse_conditions(texts: list[str]) -> dict[str, str]:
    """Return file by field from ``FIELD=FILE``.

    Raises:
        ValueError: other text, or a field twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, file = text.partition("=")
        if not equals or not name or not file or name in found:
            raise ValueError(f"--condition {text}: write each FIELD=FILE.npy once")
        found[name] = file
    return found
