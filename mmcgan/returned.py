"""What a component gave back, looked at where it is taken: its class is named, not what trips over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from mmcgan.condition_fields import field_names
from mmcgan.contracts import ContractError, contract_stated
from mmcgan.structures import Condition, height_and_width


def refuse(component: Any, method: str, value: Any, wanted: str) -> None:
    """Say that a component returned something else than its role has it.

    Args:
        component: what returned it; of a classmethod, the class.
        method, value: which it is, and what came back.
        wanted: in a few words.

    Raises:
        ContractError: names class, method, what was returned and what is wanted, and the page.
    """
    kind = component if isinstance(component, type) else type(component)
    raise ContractError(f"{kind.__name__}.{method} returned {described(value)}, not {wanted}{_page(kind)}")


def _page(kind: type) -> str:
    contract = contract_stated(kind)
    return "" if contract is None else f"; see {contract.page}"


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


def check_facts(kind: type, method: str, value: Any) -> None:
    """Refuse anything but a dict of what a class of data sets tells of one."""
    if not isinstance(value, Mapping):
        refuse(kind, method, value, "a dict of what is known, {} for nothing")


def check_items(dataset: Any, value: Any, rows: int, facts: Mapping[str, Any]) -> None:
    """Refuse items of a data set that cannot be joined, or that are not as its class said before.

    Args:
        dataset: what returned them.
        value: of ``__getitems__``; a list of items, which are joined one by one, is right too.
        rows: how many were asked for.
        facts: what the class tells; ``image_size`` and ``num_classes`` are compared.

    Raises:
        ContractError: names the class, what came back and what is wanted.
    """
    if isinstance(value, list) and len(value) == rows and all(isinstance(item, Mapping) for item in value):
        return
    if not isinstance(value, Mapping):
        refuse(dataset, "__getitems__", value, f"a dict of tensors of {rows} rows: image, and conditions")
    known = {name: value[name] for name in ("image", *field_names()) if value.get(name) is not None}
    check_named(dataset, "__getitems__", known, rows)
    image, sides = known.get("image"), facts.get("image_size")
    if image is not None and sides is not None and tuple(image.shape[2:]) != height_and_width(sides):
        said = f"images ({rows}, 3, H, W) of image_size={sides}, as its facts say"
        refuse(dataset, "__getitems__ under 'image'", image, said)
    check_classes(dataset, "__getitems__ under 'label'", known.get("label"), facts)
    check_classes(dataset, "labels", dataset.labels, facts)


def check_classes(dataset: Any, where: str, labels: Any, facts: Mapping[str, Any]) -> None:
    """Refuse labels that are no classes of a data set, of which its facts tell the number."""
    classes = facts.get("num_classes")
    if not classes or not isinstance(labels, Tensor) or not labels.numel():
        return
    least, most = int(labels.min()), int(labels.max())
    if least < 0 or most >= classes:
        kind = type(dataset)
        raise ContractError(
            f"{kind.__name__}.{where}: class {least if least < 0 else most}; its facts say num_classes="
            f"{classes}, of which labels are 0 to {classes - 1}{_page(kind)}"
        )


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
