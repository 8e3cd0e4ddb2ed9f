"""Which hooks of a config change the training, and which only watch it.

A hook says so itself (``changes_training``). MMEngine's say nothing, so that they are known here; of a
plugin's that says nothing the log tells that it is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmcgan.contracts import declared
from mmcgan.engine.full_settings import component_named
from mmcgan.registry import HOOKS

Config = Mapping[str, Any]
#: hooks of MMEngine that change networks, schedules or data, or what is made of them; its others watch
STEERING_OF_MMENGINE = ("ParamSchedulerHook", "DistSamplerSeedHook", "EMAHook", "SyncBuffersHook")
MMENGINE = "mmengine."


def without_watchers(config: Config) -> dict[str, Any]:
    """Return the config without the hooks that only watch."""
    kept = dict(config)
    named = config.get("default_hooks") or {}
    kept["default_hooks"] = {name: hook for name, hook in named.items() if hook is None or _steers(hook)}
    kept["custom_hooks"] = [hook for hook in config.get("custom_hooks") or [] if _steers(hook)]
    return kept


def silent_changes(before: Config, now: Config) -> list[str]:
    """Return the types of hooks that differ and do not say whether they change the training."""
    sides = [
        [hook for hook in hooks_of(config) if _says(hook.get("type")) is None] for config in (before, now)
    ]
    differing = [hook for hook in sides[0] if hook not in sides[1]]
    differing += [hook for hook in sides[1] if hook not in sides[0]]
    return sorted({str(hook.get("type")) for hook in differing})


def follows_the_end(config: Config) -> list[str]:
    """Return the types of hooks whose values depend on when the training ends."""
    found = []
    for hook in hooks_of(config):
        asked = declared(component_named(HOOKS, hook.get("type")), "follows_the_end")
        if asked is not None and asked({key: value for key, value in hook.items() if key != "type"}):
            found.append(str(hook.get("type")))
    return found


def hooks_of(config: Config) -> Iterator[Config]:
    """Yield the settings of all hooks."""
    hooks = [*(config.get("default_hooks") or {}).values(), *(config.get("custom_hooks") or [])]
    yield from (hook for hook in hooks if isinstance(hook, Mapping))


def _steers(hook: Any) -> bool:
    return bool(_says(hook.get("type"))) if isinstance(hook, Mapping) else False


def _says(kind: Any) -> bool | None:
    """Return whether hooks of a type change the training; None if nothing is known."""
    hook = component_named(HOOKS, kind)
    said: bool | None = declared(hook, "changes_training")
    if said is None and hook is not None and str(hook.__module__).startswith(MMENGINE):
        return kind in STEERING_OF_MMENGINE
    return said
