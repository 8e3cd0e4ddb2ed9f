"""What a resumed run's config says otherwise than the run that is to go on.

What only says how long, how often or where is taken as it is. What changes the training is refused with the
list of differences, or, with ``--allow-changes``, applied, logged and written to the checkpoint's history.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from mmcgan.checkpoints.literals import assignments
from mmcgan.contracts import declared
from mmcgan.registry import HOOKS

ABSENT = "(not given)"
AUTO = "auto"
PRECISION = re.compile(r"optim_wrapper(\.\w+)?\.precision")
#: dotted paths, as regular expressions, of settings that do not change what is learnt
HOW_AND_WHERE = tuple(
    re.compile(pattern)
    for pattern in (
        # where, and what is told about it
        r"(work_dir|resume|load_from|launcher|log_level|experiment_name|default_scope|runner_type|cfg)(\..*)?",
        r"(log_processor|visualizer|custom_imports|_\w*)(\..*)?|env_cfg(?!\.tf32).*",
        # how long and how often
        r"train_cfg\.(max_iters|val_interval|val_begin)",
        r"(val|test)_(cfg|dataloader|evaluator)(\..*)?",
        # how the data are fetched
        r"train_dataloader\.(num_workers|persistent_workers|prefetch_factor|pin_memory|timeout|worker_init_fn)",
        r"train_dataloader\.dataset(\..*)?\.(in_memory|verify|download|check_images)",
        # how ranks exchange gradients, and how networks are compiled: sums in another order, nothing else
        r"(distributed|compile)(\..*)?",
    )
)
_allowed: ContextVar[bool] = ContextVar("changes allowed", default=False)


class ConfigChangedError(ValueError):
    """The config would change the training of a run that is to go on; the message lists how."""


@dataclass(frozen=True)
class Change:
    """A setting that differs: dotted path, value of the run so far, value of the config."""

    path: str
    before: Any
    now: Any

    def __str__(self) -> str:
        return f"{self.path}: {_short(self.before)} -> {_short(self.now)}"


@contextmanager
def changes_allowed(allowed: bool) -> Iterator[None]:
    """Allow resumed runs within to change their training."""
    token = _allowed.set(allowed)
    try:
        yield
    finally:
        _allowed.reset(token)


def are_changes_allowed() -> bool:
    """Return whether a resumed run may change its training."""
    return _allowed.get()


def training_changes(
    before: Mapping[str, Any], now: Mapping[str, Any], computed_in: Mapping[str, str] | None = None
) -> list[Change]:
    """Return the settings that would change the training, in order of path.

    Args:
        before: config of the run so far, from its checkpoint.
        now: config that is to go on.
        computed_in: precision of each player so far: ``auto`` stands for it.
    """
    old, new = _flat(_watched_out(before)), _flat(_watched_out(now))
    found = []
    for path in sorted({*old, *new}):
        first, second = old.get(path, ABSENT), new.get(path, ABSENT)
        if _same(first, second) or any(pattern.fullmatch(path) for pattern in HOW_AND_WHERE):
            continue
        if PRECISION.fullmatch(path):
            continue
        found.append(Change(path, first, second))
    return found + _precision_changes(before, now, computed_in or {})


def _precision_changes(
    before: Mapping[str, Any], now: Mapping[str, Any], computed_in: Mapping[str, str]
) -> list[Change]:
    found = []
    for player in ("discriminator", "generator"):
        first, second = _precision(before, player), _precision(now, player)
        first = computed_in.get(player, first)
        if second not in (first, AUTO) and first != AUTO:
            found.append(Change(f"optim_wrapper.{player}.precision", first, second))
    return found


def _precision(config: Mapping[str, Any], player: str) -> str:
    settings = config.get("optim_wrapper") or {}
    own = (settings.get(player) or {}).get("precision")
    return str(own or settings.get("precision") or "float32")


def _watched_out(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config without hooks that do not say that they change the training."""
    kept = dict(config)
    named = {name: hook for name, hook in (config.get("default_hooks") or {}).items() if _steers(hook)}
    kept["default_hooks"] = named
    kept["custom_hooks"] = [hook for hook in config.get("custom_hooks") or [] if _steers(hook)]
    return kept


def _steers(hook: Any) -> bool:
    """Return whether a hook says that it changes the training."""
    kind = hook.get("type") if isinstance(hook, Mapping) else None
    return bool(declared(_hook(kind), "changes_training"))


def _hook(kind: Any) -> Any:
    """Return the hook of that name; MMEngine's look-up would import what a dotted name names."""
    HOOKS.import_from_location()
    return HOOKS.module_dict.get(kind) if isinstance(kind, str) else None


def unknown_hooks(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the hooks that one side has and the other has not, and that say nothing of themselves."""
    sides = [
        {str(hook.get("type")) for hook in config.get("custom_hooks") or [] if isinstance(hook, Mapping)}
        for config in (before, now)
    ]
    found = sorted(sides[0] ^ sides[1])
    return [k for k in found if declared(_hook(k), "changes_training") is None]


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return leaves by dotted path; lists of plain values are leaves."""
    if isinstance(value, Mapping) and value:
        parts = [_flat(item, f"{path}.{key}".strip(".")) for key, item in value.items()]
        return {place: leaf for part in parts for place, leaf in part.items()}
    if isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        return {p: v for i, item in enumerate(value) for p, v in _flat(item, f"{path}.{i}").items()}
    if value is None or (isinstance(value, Mapping | list | tuple) and not value):
        return {}  # nothing given: the same as not being there
    return {path: value}


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    return type(first) is type(second) and first == second if isinstance(first, bool) else first == second


def _short(value: Any) -> str:
    text = str(value) if value is ABSENT else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def changes_since(checkpoint: Mapping[str, Any], text: str, source: str) -> tuple[list[Change], list[str]]:
    """Return what a config changes in the training that a checkpoint is of, and notes for the log.

    Args:
        checkpoint: its content.
        text: the config that is to go on.
        source: the checkpoint's file, for messages.

    Raises:
        ConfigChangedError: something would change, and changes are not allowed.
    """
    try:
        before, now = assignments(checkpoint["meta"]["cfg"]), assignments(text)
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        return [], [f"{source}: its config cannot be compared with this one ({error})"]
    players = checkpoint.get("optimizer") or {}
    computed_in = {
        player: state["precision"]
        for player, state in players.items()
        if isinstance(state, Mapping) and isinstance(state.get("precision"), str)
    }
    changes = training_changes(before, now, computed_in)
    if changes and not are_changes_allowed():
        listed = "".join(f"\n  {change}" for change in changes)
        raise ConfigChangedError(
            f"{source} comes from a run whose config differs in what changes the training:{listed}\n"
            "Put these back, start a new run (another --work-dir, with load_from), or give "
            "--allow-changes to apply them from here on"
        )
    notes = [
        f"custom_hooks: {kind} is not in both configs, and does not say whether it changes the training"
        for kind in unknown_hooks(before, now)
    ]
    return changes, notes
