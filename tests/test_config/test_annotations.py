"""A config value against an annotation."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest
from torch import Tensor, nn

from mmcgan.config.annotations import fits


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        (1, int, True),
        (1.5, int, False),
        (True, int, False),
        (1, float, True),
        ("1", float, False),
        (1, bool, False),
        ("a", str, True),
        (None, str, False),
        (None, str | None, True),
        (3, str | None, False),
        ("b", Literal["a", "b"], True),
        ("c", Literal["a", "b"], False),
        ([1, 2], tuple[int, ...], True),
        ((1, "2"), tuple[int, ...], False),
        ((0.0, 0.9), tuple[float, float], True),
        ((0.0,), tuple[float, float], False),
        ([1, 2], Sequence[int], True),
        (3, Sequence[int], False),
        ("ab", Sequence[int], False),
        ({"a": 1}, Mapping[str, int], True),
        ({"a": "1"}, dict[str, int], False),
        ([], dict, False),
        ({"type": "X"}, nn.Module, True),
        (None, Any, True),
        (0.5, float | Tensor, True),
        ("x", float | Tensor, False),
    ],
)
def test_fits(value, annotation, expected):
    assert fits(value, annotation) is expected
