"""Values of configs as dicts and lists alone, so that they compare and can be written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return ``value`` with dicts in place of other mappings and lists in place of tuples, at any depth.

    Examples:
        >>> plain({"betas": (0.0, 0.9)})
        {'betas': [0.0, 0.9]}
    """
    if isinstance(value, Mapping):
        return {key: plain(element) for key, element in value.items()}
    return [plain(element) for element in value] if isinstance(value, list | tuple) else value
