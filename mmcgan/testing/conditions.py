"""Checks of kinds of conditions."""

from __future__ import annotations

import torch

from mmcgan.condition_fields import condition_field, condition_of, mirrored
from mmcgan.testing.requirements import check_finite, require, source

ROWS, SIZE, IMAGE_SIZE = 3, 4, (4, 6)


def check_condition_field(name: str) -> None:
    """Check a kind of condition: rows, randomness from the generator alone, its type, and what a mirror does.

    Args:
        name: of the field, as it is registered.

    Raises:
        CheckError: names what is wrong.
    """
    field, state = condition_field(name), torch.get_rng_state()
    first, second = (field.made_up(ROWS, SIZE, IMAGE_SIZE, source(1)) for _ in range(2))
    require(torch.equal(state, torch.get_rng_state()), f"{name} draws from torch's global generator")
    require(torch.equal(first, second), f"{name}: one seed makes up two values")
    require(len(first) == ROWS, f"{name}: {len(first)} rows were made up, {ROWS} asked for")
    check_finite(name, "what is made up", first)
    condition = condition_of({name: first})
    value = condition.get(name)
    assert value is not None
    require(torch.equal(field.typed(value), value), f"{name}: typed() changes what it has already returned")
    marks = torch.tensor([True, False, True])
    turned = mirrored(condition, marks).get(name)
    assert turned is not None
    require(
        turned.shape == value.shape and turned.dtype == value.dtype, f"{name}: mirrored() changes its shape"
    )
    require(torch.equal(turned[1], value[1]), f"{name}: mirrored() changes images that are not mirrored")
    back = mirrored(mirrored(condition, marks), marks).get(name)
    assert back is not None
    close = back == value if not value.is_floating_point() else (back - value).abs() < 1e-5
    require(bool(close.all()), f"{name}: mirrored twice is not the same again")
