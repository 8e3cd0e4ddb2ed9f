"""What a component gave back, looked at where it is taken: its class is named, not what trips over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from mmcgan.contracts import ContractError, contract_stated
from mmcgan.structures import Condition


def refuse(component: Any, method: str, value: Any, wanted: str) -> None:
    """Say that a component returned something else than its role has it.

    Raises:
        ContractError: names class, method, what was returned and what is wanted, and the page.
    """
    contract = contract_stated(type(component))
    page = "" if contract is None else f"; see {contract.page}"
    raise ContractError(
        f"{type(component).__name__}.{method} returned {described(value)}, not {wanted}{page}"
    )


def described(value: Any) -> str:
    """Return what a value is in a few words: the type, of tensors the shape, of dicts the keys."""
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if isinstance(value, Mapping):
        return f"a dict of {sorted(map(str, value))}"
    return "None" if value is None else f"a {type(value).__name__}"


def check_images(component: Any, method: str, value: Any, rows: int, size: Sequence[int] | None) -> None:
    """Refuse anything but images (``rows``, C, H, W) of a size, with as many channels as the class declares.

    Args:
        component, method: what returned them; ``component.image_shapes`` has the channels.
        value: what was returned.
        rows: how many were asked for.
        size: height and width; None for any.
    """
    channels = component.image_shapes.channels
    good = isinstance(value, Tensor) and value.ndim == 4 and len(value) == rows and value.shape[1] in channels
    if good and size is not None:
        good = tuple(value.shape[2:]) == tuple(size)
    if not good:
        sides = "H, W" if size is None else ", ".join(map(str, size))
        colours = " or ".join(map(str, channels))
        refuse(component, method, value, f"images ({rows}, {colours}, {sides})")


def check_latents(component: Any, method: str, value: Any, rows: int, length: int) -> None:
    """Refuse anything but latents (``rows``, ``length``)."""
    if not isinstance(value, Tensor) or tuple(value.shape) != (rows, length):
        refuse(component, method, value, f"latents ({rows}, {length})")


def check_condition(component: Any, method: str, value: Any, rows: int) -> None:
    """Refuse anything but a condition of so many rows."""
    if not isinstance(value, Condition):
        refuse(component, method, value, f"a Condition of {rows} rows")
    lengths = {name: len(tensor) for name, tensor in value.present().items()}
    if any(length != rows for length in lengths.values()):
        raise ContractError(
            f"{type(component).__name__}.{method} returned {lengths} rows; {rows} were asked for"
        )


def check_named(component: Any, method: str, value: Any, rows: int) -> None:
    """Refuse anything but a dict of tensors of so many rows each."""
    if not isinstance(value, Mapping):
        refuse(component, method, value, "a dict of tensors")
    for name, tensor in value.items():
        if not isinstance(tensor, Tensor) or not tensor.ndim or len(tensor) != rows:
            refuse(component, f"{method} under {name!r}", tensor, f"a tensor of {rows} rows, one an image")


def check_scalar(component: Any, method: str, value: Any) -> None:
    """Refuse anything but a tensor of one number."""
    if not isinstance(value, Tensor) or value.numel() != 1:
        refuse(component, method, value, "a scalar tensor")


def check_like(component: Any, method: str, value: Any, given: Tensor) -> None:
    """Refuse anything but a tensor of the shape of what was given."""
    if not isinstance(value, Tensor) or value.shape != given.shape:
        refuse(component, method, value, f"images of the shape that it was given, {tuple(given.shape)}")


def check_figures(component: Any, method: str, value: Any) -> None:
    """Refuse anything but a dict of numbers by name."""
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        refuse(component, method, value, "a dict of figures by name")
    for name, number in value.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            refuse(component, f"{method} under {name!r}", number, "a number")


def joined_terms(*parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the terms of losses and regularisers together, each of which must count.

    Raises:
        ValueError: two have one name, as a regulariser called after a loss and its view has: one would
            not be trained.
    """
    joined: dict[str, Tensor] = {}
    for part in parts:
        twice = sorted(joined.keys() & part.keys())
        if twice:
            raise ValueError(
                f"two terms are called {twice[0]!r}, of which one would not be trained: losses add a view to "
                "their names; give one of model.losses or model.regularizers another name"
            )
        joined |= part
    return joined
