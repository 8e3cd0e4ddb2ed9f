"""What a checkpoint holds, collected from a runner and put back."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.optim import OptimWrapperDict

from mmcgan.checkpoints.files import CheckpointError
from mmcgan.checkpoints.seal import RUN, seal
from mmcgan.engine.changes import Change
from mmcgan.engine.history import hub_from_plain, hub_to_plain
from mmcgan.engine.optimizer_state import names_of, renumbered
from mmcgan.engine.random_state import gather_random_states
from mmcgan.engine.resumable import faults
from mmcgan.optim.players import PLAYERS
from mmcgan.provenance import origins
from mmcgan.version import __version__

State = dict[str, Any]


def collect(runner: Any, folder: Path) -> State:
    """Return the whole training state, to be written into ``folder``; all ranks must call it.

    Keys: ``meta`` (iteration, seed, config text, where its relative paths are of, dataset meta, versions),
    ``state_dict`` (networks, average, losses, random streams), ``optimizer``, ``param_schedulers``,
    ``message_hub`` and ``random`` (global generators, per rank); ``optimizer_names`` says which parameter
    the optimisers number how. ``meta.history`` lists changes that were made on the way.
    """
    text, started_in = runner.cfg.pretty_text, relative_folder(folder)
    meta = {
        "iter": runner.iter,
        "images_seen": runner.train_loop.images_seen,
        "epoch": 0,
        "seed": runner.seed,
        "cfg": text,
        "seal": seal(RUN, text, started_in or ""),
        "dataset_meta": runner.train_dataloader.dataset.metainfo,
        "world_size": runner.world_size,
        "started_in": started_in,
        "experiment_name": runner.experiment_name,
        "mmcgan_version": __version__,
        "components": origins(runner.cfg.to_dict()),
        "torch_version": str(torch.__version__),
        "time": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    if runner.history:
        meta["history"] = runner.history
    return {
        "meta": meta,
        "state_dict": runner.exchange.gathered(runner.model.state_dict()),
        "optimizer": runner.exchange.gathered(runner.optim_wrapper.state_dict()),
        "optimizer_names": {
            player: _names(wrapper, runner.model) for player, wrapper in _optimizers(runner).items()
        },
        "param_schedulers": {n: [s.state_dict() for s in many] for n, many in _schedulers(runner).items()},
        "message_hub": hub_to_plain(runner.message_hub),
        "random": gather_random_states(),
    }


def relative_folder(folder: Path) -> str | None:
    """Return the way from ``folder`` to where the config's relative paths are of, this process's folder."""
    try:
        return os.path.relpath(os.getcwd(), folder)
    except (OSError, ValueError):  # the process's folder is gone, or lies on another drive
        return None


def restore(runner: Any, checkpoint: State, source: str, changes: Sequence[Change] = ()) -> list[str]:
    """Put everything but the weights and the global generators back.

    Args:
        runner: newly built.
        checkpoint: what :func:`collect` returned.
        source: its file, for messages.
        changes: what the config changes in the training, which is applied.

    Returns:
        Notes for the log.

    Raises:
        CheckpointError: a part is missing (a weights-only file) or of another kind, or schedules differ.
    """
    for fault in faults(checkpoint):
        raise CheckpointError(f"{source} {fault}")
    meta = checkpoint["meta"]
    runner.train_loop.continue_from(meta["iter"], meta["images_seen"])
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    changed = {player for player in PLAYERS if _concerns_rates(changes, player)}
    notes = _restore_optimizers(runner, checkpoint, source, changed)
    if runner.param_schedulers is not None:
        runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    saved = checkpoint.get("param_schedulers", {})
    _restore_schedulers(_schedulers(runner), saved, source, changed, meta["iter"])
    hub_from_plain(runner.message_hub, checkpoint["message_hub"])
    return notes + _ended_schedules(runner, source, bool(changes))


def _concerns_rates(changes: Sequence[Change], player: str) -> bool:
    """Return whether a player's rates, momenta, decay or schedule change; hooks may have set any of them."""
    if any("_hooks." in change.path for change in changes):
        return True
    own = tuple(f"optim_wrapper.{player}.{part}" for part in ("optimizer", "rules", "adopts"))
    others = tuple(f"param_scheduler.{other}" for other in PLAYERS if other != player)
    schedule = [c.path for c in changes if c.path.startswith("param_scheduler")]
    return any(change.path.startswith(own) for change in changes) or any(
        not path.startswith(others) for path in schedule
    )


def _optimizers(runner: Any) -> dict[str, Any]:
    """Return the optimiser wrappers by player; one that serves everything is called "all"."""
    wrapper = runner.optim_wrapper
    return dict(wrapper.items()) if isinstance(wrapper, OptimWrapperDict) else {"all": wrapper}


def _names(wrapper: Any, model: Any) -> list[str]:
    """Return the names of an optimiser's parameters, as they were when it was built.

    A model whose slices are gathered for a moment shows other tensors in the place of its parameters.
    """
    noted: list[str] | None = getattr(wrapper, "parameter_names", None)
    return names_of(wrapper.optimizer, model) if noted is None else noted


def _restore_optimizers(runner: Any, checkpoint: State, source: str, changed: set[str]) -> list[str]:
    wrappers, saved = _optimizers(runner), checkpoint["optimizer"]
    notes = []
    for player, wrapper in wrappers.items():
        state = saved if player == "all" else saved.get(player)
        if not isinstance(state, Mapping):
            raise CheckpointError(f"{source} has no state of the optimizer of {player}")
        names = _names(wrapper, runner.model)
        before = checkpoint.get("optimizer_names", {}).get(player)
        before = names if before is None else before
        if sum(len(group["params"]) for group in state["param_groups"]) != len(before):
            raise CheckpointError(f"{source}: the optimizer of {player} had other parameters")
        if before != names or player in changed:
            keep = player not in changed
            state, fresh = renumbered(dict(state), before, wrapper.optimizer, names, keep)
            if fresh and checkpoint["meta"]["iter"]:
                some = ", ".join(fresh[:5])
                notes.append(f"{player}: {len(fresh)} parameters start without moments: {some}")
        wrapper.load_state_dict(dict(state))
    return notes


def _restore_schedulers(
    schedulers: dict[str, list[Any]],
    saved: dict[str, list[State]],
    source: str,
    changed: set[str],
    iteration: int,
) -> None:
    for name, many in schedulers.items():
        if name in changed:
            _replay([scheduler for scheduler in many if not scheduler.by_epoch], iteration)
            continue
        states = saved.get(name, [])
        if len(many) != len(states):
            raise CheckpointError(f"{source}: param_scheduler of the config differs from the checkpoint's")
        for scheduler, state in zip(many, states, strict=True):
            scheduler.load_state_dict(state)


def _replay(schedulers: Sequence[Any], iterations: int) -> None:
    """Bring schedules to where they would be had they been these from the start."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MMEngine's, that no optimiser has stepped before
        for _ in range(iterations):
            for scheduler in schedulers:
                scheduler.step()


def _ended_schedules(runner: Any, source: str, allowed: bool) -> list[str]:
    """Return notes on players that would not move; refuse them unless the user has looked at the config.

    Raises:
        CheckpointError: a schedule has ended at rate 0 and the run is to go on.
    """
    notes = []
    for player, wrapper in _optimizers(runner).items():
        scheduled = _schedulers(runner).get(player)
        rates = [float(group["lr"]) for group in wrapper.optimizer.param_groups if "lr" in group]
        if not scheduled or not rates or max(rates) > 0 or runner.iter >= runner.max_iters:
            continue
        text = (
            f"{source}: the learning rate of {player} is 0 from iteration {runner.iter} on, its schedule has "
            f"ended, but the run is to go on to {runner.max_iters}"
        )
        if not allowed:
            raise CheckpointError(f"{text}. Extend param_scheduler.{player} and give --allow-changes")
        notes.append(text)
    return notes


def _schedulers(runner: Any) -> dict[str, list[Any]]:
    """Return the built learning-rate schedules by optimiser."""
    schedulers = runner.param_schedulers
    if not schedulers:
        return {}
    return dict(schedulers) if isinstance(schedulers, dict) else {"all": list(schedulers)}
