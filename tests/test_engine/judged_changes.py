"""Goes on with a run whose settings have changed, and judges what comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from mmcgan.checkpoints.files import CheckpointError, load_checkpoint, save_checkpoint
from mmcgan.engine.changes import ConfigChangedError, changes_allowed

from .changed_settings import ALIKE, BROKEN, CASES, LAST, STOPPED, TAKEN, go
from .tiny_run import differences


class StoppedRun(NamedTuple):
    """A run: its checkpoint half-way, and what it has learnt at its end."""

    half: dict[str, Any]
    end: dict[str, Any]


def stopped_run(folder: Path) -> StoppedRun:
    """Train the rich config to its end."""
    go(folder)
    return StoppedRun(*(load_checkpoint(folder / f"iter_{count}.pth") for count in (STOPPED, LAST)))


def learnt(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """Return weights, averages and moments."""
    return {key: checkpoint[key] for key in ("state_dict", "optimizer")}


def judge(name: str, run: StoppedRun, folder: Path) -> list[str]:
    """Return what comes otherwise than it has to of a changed setting."""
    case = CASES[name]
    try:
        end = _resumed(run, folder / "plain", case.changes, False)
    except Exception as error:
        text = str(error)
        if case.verdict == TAKEN:
            return [f"not taken: {type(error).__name__}: {text}"]
        if not isinstance(error, ConfigChangedError) or case.named not in text or " -> " not in text:
            return [f"refused without {case.named}: {type(error).__name__}: {text}"]
        return _judge_allowed(name, run, folder / "allowed")
    if case.verdict != TAKEN:
        return ["taken silently"]
    found = differences(learnt(end), learnt(run.end))
    return [f"taken, but {len(found)} tensors differ: {found[:3]}"] if found else []


def _judge_allowed(name: str, run: StoppedRun, folder: Path) -> list[str]:
    case = CASES[name]
    try:
        end = _resumed(run, folder, case.changes, True)
    except Exception as error:
        known = case.verdict == BROKEN and isinstance(error, (CheckpointError, ValueError))
        return [] if known else [f"allowed, but {type(error).__name__}: {error}"]
    if case.verdict == BROKEN:
        return ["allowed, and nothing was said of what does not fit"]
    faults = []
    if not differences(learnt(end), learnt(run.end)) and name not in ALIKE:
        faults.append("allowed, but nothing changes")
    history = end["meta"].get("history", [])
    noted = [change for entry in history if entry["iter"] == STOPPED for change in entry["changes"]]
    if not any(case.named in change for change in noted):
        faults.append(f"not in the history: {history}")
    log = next(folder.glob("*/*.log")).read_text()
    if f"changed from iteration {STOPPED} on: " not in log:
        faults.append("not in the log")
    return faults


def _resumed(run: StoppedRun, folder: Path, changes: dict[str, Any], allowed: bool) -> dict[str, Any]:
    save_checkpoint(run.half, folder / f"iter_{STOPPED}.pth")
    with changes_allowed(allowed):
        go(folder, changes, resume=True)
    return load_checkpoint(folder / f"iter_{LAST}.pth")
