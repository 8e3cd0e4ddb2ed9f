"""Which tensors the views of a loss take, read off its class; derived from a base of ours or not."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any

from mmcgan.contracts import declared

#: views that get what real and what generated images have in two mappings, of the class's ``input_names``
OF_PAIRS = ("discriminator", "generator")


def loss_arguments(loss: Any) -> dict[str, bool]:
    """Return the input arguments of all views of a class of losses: name -> whether it is required."""
    arguments: dict[str, bool] = {}
    for view in loss.implemented_views():
        for name, required in view_arguments(loss, view).items():
            arguments[name] = arguments.get(name, False) or required
    return arguments


@cache
def view_arguments(loss: Any, view: str) -> Mapping[str, bool]:
    """Return what one view takes, by name, and whether it is required.

    A view that takes ``**inputs`` takes all of the class's ``default_inputs``.

    Args:
        loss: class of the loss.
        view: one of its views, written as a method of any kind: of an object, of the class, or static.
    """
    if view in OF_PAIRS:
        return dict.fromkeys(declared(loss, "input_names"), True)
    written = inspect.getattr_static(loss, view)
    parameters = list(inspect.signature(getattr(loss, view)).parameters.values())
    named = [
        each
        for each in (parameters[1:] if inspect.isfunction(written) else parameters)
        if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    known = {each.name: each.default is each.empty for each in named}
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return {**dict.fromkeys(loss.default_inputs, False), **known}
    return known
