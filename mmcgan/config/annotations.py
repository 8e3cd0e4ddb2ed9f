"""Whether a config value can be what an argument's annotation says; unsure counts as yes."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Union

from torch import Tensor

NUMBERS: dict[type, tuple[type, ...]] = {int: (int,), float: (int, float)}


def annotations_of(component: Callable[..., Any]) -> dict[str, Any]:
    """Return resolved annotations of a constructor or function; empty if they do not resolve.

    A constructor that hands keywords on (MMEngine's schedules) has those of its base classes too.
    """
    if isinstance(component, type) and _hands_on(component.__init__):  # type: ignore[misc]
        written = [base.__init__ for base in reversed(component.__mro__[:-1]) if "__init__" in vars(base)]  # type: ignore[misc]
        return {key: kind for function in written for key, kind in _hints(function).items()}
    function = component.__init__ if isinstance(component, type) else component  # type: ignore[misc]
    return _hints(function)


def _hands_on(function: Callable[..., Any]) -> bool:
    """Return whether a constructor takes any keyword."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError):
        return {}


def fits(value: Any, annotation: Any) -> bool:
    """Return whether ``value`` fits ``annotation``.

    Lists and tuples are interchangeable, an int is a float, a bool is not a number, and a dict
    stands for the component it describes.
    """
    origin = typing.get_origin(annotation)
    if origin in (Union, types.UnionType):
        return any(fits(value, option) for option in typing.get_args(annotation))
    if origin is Literal:
        return value in typing.get_args(annotation)
    if annotation is None or annotation is type(None):
        return value is None
    if origin is not None:
        return _fits_container(value, origin, typing.get_args(annotation))
    if annotation is Any or not isinstance(annotation, type):
        return True
    return _fits_class(value, annotation)


def _fits_class(value: Any, kind: type) -> bool:
    if kind in NUMBERS:
        return isinstance(value, NUMBERS[kind]) and not isinstance(value, bool)
    if kind in (bool, str):
        return isinstance(value, kind)
    if kind in (list, tuple):
        return isinstance(value, list | tuple)
    if kind is dict:
        return isinstance(value, Mapping)
    if kind is Tensor:  # torch optimisers take a number or a tensor; a config has numbers
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind.__module__.startswith("mmcgan."):
        return isinstance(value, Mapping | kind)
    # another class: a component's config, or an object that the config built itself
    plain = value is None or isinstance(value, list | tuple)
    return not plain or isinstance(value, kind)


def _fits_container(value: Any, origin: Any, arguments: tuple[Any, ...]) -> bool:
    if not isinstance(origin, type):
        return True
    if origin is Callable:  # the thing itself, or a component that a dict describes
        return callable(value) or isinstance(value, Mapping)
    if issubclass(origin, tuple):
        return _fits_tuple(value, arguments)
    if issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            return False
        return len(arguments) < 2 or all(fits(element, arguments[1]) for element in value.values())
    if issubclass(origin, Sequence):
        if not isinstance(value, list | tuple):
            return False
        return not arguments or all(fits(element, arguments[0]) for element in value)
    return True


def _fits_tuple(value: Any, arguments: tuple[Any, ...]) -> bool:
    if not isinstance(value, list | tuple):
        return False
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return all(fits(element, arguments[0]) for element in value)
    return len(value) == len(arguments) and all(map(fits, value, arguments))


def described(annotation: Any) -> str:
    """Return an annotation as it would be written, without module names."""
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation.__name__
    for prefix in ("typing.", "collections.abc."):
        annotation = str(annotation).replace(prefix, "")
    return str(annotation)
