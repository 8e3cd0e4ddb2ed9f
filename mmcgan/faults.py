"""Whose fault an error is: the component of a stranger in whose code it arose, named with where that is.

Errors of ours are sentences of their own. What somebody else's class lets out is a KeyError or an
AttributeError that says nothing to whoever uses it.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any

from mmcgan.contracts import contract_stated
from mmcgan.plugins import installed_plugins
from mmcgan.provenance import origin_of_module
from mmcgan.registry import SCOPE, every_registry

DEBUG_HINT = "MMCGAN_DEBUG=1 shows the traceback"


def fault_of(error: BaseException) -> str | None:
    """Return a sentence about an error that arose in somebody else's component; None if it did not.

    Args:
        error: as it was caught, with its traceback.
    """
    packages = {plugin.package for plugin in installed_plugins()}
    packages |= {module.partition(".")[0] for module in _modules()}
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in packages:
            return _sentence(error, frame, line, module)
    return None


def _sentence(error: BaseException, frame: FrameType, line: int, module: str) -> str:
    kind = _owner(frame)
    code = frame.f_code
    name = code.co_name if kind is None else f"{kind.__name__}.{code.co_name}"
    contract = None if kind is None else contract_stated(kind)
    role = "" if contract is None else f", a {contract.role},"
    page = "" if contract is None else f"; see {contract.page}"
    what = " ".join(str(error).split())
    said = f"{type(error).__name__}: {what}" if what else type(error).__name__
    origin = origin_of_module(module) or module
    return f"{name}{role} of {origin} failed with {said} ({code.co_filename}:{line}){page}; {DEBUG_HINT}"


def _owner(frame: FrameType) -> type | None:
    """Return the class whose method a frame runs."""
    first = next(iter(inspect.getargvalues(frame).args), None)
    value: Any = frame.f_locals.get(first) if first in ("self", "cls") else None
    if value is None:
        return None
    return value if isinstance(value, type) else type(value)


def _modules() -> Iterator[str]:
    """Yield the modules of registered components that are none of ours nor of what we build on."""
    for registry in every_registry():
        for component in [*registry._module_dict.values(), *_held(registry)]:
            module = str(component.__module__)
            if module.partition(".")[0] not in (SCOPE, "mmengine", "mmcv", "torch"):
                yield module


def _held(registry: Any) -> Iterator[Any]:
    for own in registry.namespaces.values():
        yield from own.values()
