"""What the checks share: their error, made-up conditions, and comparisons."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan import condition_fields as fields
from mmcgan.registry import ClosedRegistry
from mmcgan.structures import Condition, height_and_width

ROWS = 3


class CheckError(AssertionError):
    """A component does not do what its role needs."""


def require(good: bool, message: str) -> None:
    """Raise :class:`CheckError` with ``message`` unless ``good``."""
    if not good:
        raise CheckError(message)


def built(registry: ClosedRegistry, component: Any, **given: Any) -> Any:
    """Return a component, built of its config if it is one, whose contract is kept."""
    if isinstance(component, Mapping):
        return registry.build({**given, **component})
    registry.check_built(component)
    return component


def source(seed: int = 0) -> torch.Generator:
    """Return a generator of random numbers on the CPU."""
    return torch.Generator().manual_seed(seed)


def made_up_condition(
    requires: Sequence[str], n: int, num_classes: int, sizes: Mapping[str, int], image_size: Any
) -> Condition:
    """Return ``n`` conditions with the fields that are required.

    Args:
        requires: names of fields.
        n: number of rows.
        num_classes: of labels.
        sizes: of fields by name, such as lengths of ``instance`` and ``attributes``.
        image_size: of label maps.

    Raises:
        CheckError: no such field, or none can be made up.
    """
    known = {"label": num_classes, **sizes}
    unsized = [name for name in requires if fields.condition_field(name).facts and not known.get(name)]
    unsized = [name for name in unsized if name not in ("label", "edge_map")]
    require(not unsized, f"no size of {unsized} is known: give sizes=..., or let size_of() say it")
    try:
        return fields.made_up_condition(
            requires, n, lambda name: known.get(name, 0), height_and_width(image_size), source(1)
        )
    except (ValueError, RuntimeError) as error:
        raise CheckError(f"no condition of {tuple(requires)} can be made up: {error}") from error


def check_state(module: nn.Module, run: Callable[[nn.Module], Mapping[str, Tensor]]) -> None:
    """Require that a module does the same after its ``state_dict`` was saved and loaded."""
    name = type(module).__name__
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    twin = deepcopy(module)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(1.0)
    twin.load_state_dict(torch.load(file, weights_only=True))
    for key, value in run(module).items():
        require(
            torch.equal(run(twin)[key], value),
            f"{name}: {key} differs after its weights were saved and loaded",
        )


def check_finite(name: str, what: str, value: Tensor) -> None:
    """Require finite numbers."""
    require(bool(torch.isfinite(value).all()), f"{name}: {what} has NaN or infinite values")
