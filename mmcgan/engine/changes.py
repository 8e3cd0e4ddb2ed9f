"""What a resumed run's config says otherwise than the run that is to go on.

What only says how long, how often or where is taken as it is. What changes the training is refused with the
list of differences, or, with ``--allow-changes``, applied, logged and written to the checkpoint's history.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from mmengine.dist import get_world_size

from mmcgan.checkpoints.literals import assignments
from mmcgan.engine.full_settings import written_out
from mmcgan.engine.steering_hooks import follows_the_end, silent_changes, without_watchers

AUTO = "auto"


class Words(str):
    """Words in the place of a value."""


@dataclass(frozen=True)
class ByDefault:
    """A value that stands in no config."""

    value: Any

    def __repr__(self) -> str:
        return f"{self.value!r} (by default)"


ABSENT = Words("(not given)")
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
        r"train_dataloader\.(num_workers|persistent_workers|prefetch_factor|pin_memory(_device)?|timeout)",
        r"train_dataloader\.(worker_init_fn|multiprocessing_context)(\..*)?",
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
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    computed_in: Mapping[str, str] | None = None,
    processes: tuple[int, int] = (1, 1),
) -> list[Change]:
    """Return the settings that would change the training, in order of path.

    A default that is written out is no change; what is left out counts as its default.

    Args:
        before: config of the run so far, from its checkpoint.
        now: config that is to go on.
        computed_in: precision of each player so far: ``auto`` stands for it.
        processes: number of them, before and now, which share a batch.
    """
    given = [_flat(without_watchers(config)) for config in (before, now)]
    full = [_flat(written_out(without_watchers(config))) for config in (before, now)]
    found = []
    for path in sorted({*full[0], *full[1]}):
        values = [side.get(path, ABSENT) for side in full]
        if _same(*values) or not any(_is_given(path, side) for side in given):
            continue
        if PRECISION.fullmatch(path) or any(pattern.fullmatch(path) for pattern in HOW_AND_WHERE):
            continue
        shown = [_shown(path, value, side) for value, side in zip(values, given, strict=True)]
        found.append(Change(path, *shown))
    found = _with_processes(found, before, now, processes)
    return found + _end_changes(before, now) + _precision_changes(before, now, computed_in or {})


def _is_given(path: str, given: Mapping[str, Any]) -> bool:
    """Return whether a config says something of a path, or that nothing stands above it."""
    parts = path.split(".")
    above = (".".join(parts[:count]) for count in range(1, len(parts)))
    return path in given or any(place in given and given[place] is None for place in above)


def _shown(path: str, value: Any, given: Mapping[str, Any]) -> Any:
    return value if value is ABSENT or path in given else ByDefault(value)


def _with_processes(
    found: list[Change], before: Mapping[str, Any], now: Mapping[str, Any], processes: tuple[int, int]
) -> list[Change]:
    """Judge batches of all processes together where their number differs: they share one."""
    if processes[0] == processes[1]:
        return found
    path = "train_dataloader.batch_size"
    sizes = [(config.get("train_dataloader") or {}).get("batch_size", 1) for config in (before, now)]
    rest = [change for change in found if change.path != path]
    if sizes[0] * processes[0] == sizes[1] * processes[1]:
        return rest
    shown = [Words(f"{size} in {count} process(es)") for size, count in zip(sizes, processes, strict=True)]
    return [*rest, Change(path, *shown)]


def _end_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Return the end of the training where hooks go by it."""
    ends = [(config.get("train_cfg") or {}).get("max_iters") for config in (before, now)]
    hooks = sorted({*follows_the_end(before), *follows_the_end(now)})
    if ends[0] == ends[1] or not hooks:
        return []
    return [Change(f"train_cfg.max_iters, by which {', '.join(hooks)} goes (name `until` instead)", *ends)]


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


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return leaves by dotted path; lists of plain values are leaves."""
    if isinstance(value, Mapping) and value:
        parts = [_flat(item, f"{path}.{key}".strip(".")) for key, item in value.items()]
        return {place: leaf for part in parts for place, leaf in part.items()}
    if isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        return {p: v for i, item in enumerate(value) for p, v in _flat(item, f"{path}.{i}").items()}
    return {path: value}


def _same(first: Any, second: Any) -> bool:
    if _is_nothing(first) and _is_nothing(second):
        return True
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, bool) or isinstance(second, bool):
        return type(first) is type(second) and first == second
    return bool(first == second or (first != first and second != second))


def _is_nothing(value: Any) -> bool:
    """Return whether nothing is given, or nothing is said to be there."""
    return value is ABSENT or value is None or (isinstance(value, Mapping | list | tuple) and not value)


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, Words) else repr(value)
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
    stated = checkpoint["meta"].get("cfg")
    try:
        before, now = assignments(stated, as_text=True), assignments(text, as_text=True)
    except (ValueError, TypeError, RecursionError) as error:
        return _incomparable(stated, text, source, error), []
    processes = (checkpoint["meta"].get("world_size", 1), get_world_size())
    seed = checkpoint["meta"].get("seed")
    before, now = _with_seed(before, seed), _with_seed(now, seed)
    changes = training_changes(before, now, _precisions(checkpoint), processes)
    if changes and not are_changes_allowed():
        raise ConfigChangedError(_refusal(source, changes))
    notes = [
        f"{source}: {kind} is not the same in both configs, and does not say whether it changes the training "
        "(changes_training of its class)"
        for kind in silent_changes(before, now)
    ]
    if processes[0] != processes[1]:
        notes += [
            f"{source} comes from {processes[0]} process(es), these are {processes[1]}: sums are rounded "
            "otherwise, and batch norm without sync_bn sees other shares of a batch"
        ]
    return changes, notes


def _with_seed(config: Mapping[str, Any], seed: Any) -> dict[str, Any]:
    """Return the config with the seed that the run has, where it leaves that open."""
    randomness = dict(config.get("randomness") or {})
    if randomness.get("seed") is None:
        randomness["seed"] = seed
    return {**config, "randomness": randomness}


def _precisions(checkpoint: Mapping[str, Any]) -> dict[str, str]:
    """Return the precision that each player has computed in."""
    players = checkpoint.get("optimizer") or {}
    return {
        player: state["precision"]
        for player, state in players.items()
        if isinstance(state, Mapping) and isinstance(state.get("precision"), str)
    }


def _incomparable(before: Any, now: str, source: str, error: Exception) -> list[Change]:
    if before == now:
        return []
    if not are_changes_allowed():
        raise ConfigChangedError(
            f"{source}: the config of its run cannot be compared with this one ({error}). Give "
            "--allow-changes to apply this one from here on"
        ) from error
    return [Change("config", Words("what cannot be read"), Words("this one"))]


def _refusal(source: str, changes: Sequence[Change]) -> str:
    listed = "".join(f"\n  {change}" for change in changes)
    return (
        f"{source} comes from a run whose config differs in what changes the training:{listed}\n"
        "Put these back, start a new run (another --work-dir, with load_from), or give "
        "--allow-changes to apply them from here on"
    )
