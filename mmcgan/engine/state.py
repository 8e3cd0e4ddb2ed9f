"""What a checkpoint holds, collected from a runner and put back."""

from __future__ import annotations

import time
from typing import Any

import torch

from mmcgan.checkpoints.files import CheckpointError
from mmcgan.checkpoints.seal import seal
from mmcgan.engine.history import hub_from_plain, hub_to_plain
from mmcgan.engine.random_state import gather_random_states
from mmcgan.engine.resumable import faults
from mmcgan.version import __version__

State = dict[str, Any]


def collect(runner: Any) -> State:
    """Return the whole training state; all ranks must call it.

    Keys: ``meta`` (iteration, seed, config text, dataset meta, versions), ``state_dict`` (networks,
    average, losses, random streams), ``optimizer``, ``param_schedulers``, ``message_hub`` and
    ``random`` (global generators, per rank).
    """
    meta = {
        "iter": runner.iter,
        "images_seen": runner.train_loop.images_seen,
        "epoch": 0,
        "seed": runner.seed,
        "cfg": runner.cfg.pretty_text,
        "seal": seal(runner.cfg.pretty_text),
        "dataset_meta": getattr(runner.train_dataloader.dataset, "metainfo", None),
        "world_size": runner.world_size,
        "experiment_name": runner.experiment_name,
        "mmcgan_version": __version__,
        "torch_version": str(torch.__version__),
        "time": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    return {
        "meta": meta,
        "state_dict": runner.exchange.gathered(runner.model.state_dict()),
        "optimizer": runner.exchange.gathered(runner.optim_wrapper.state_dict()),
        "param_schedulers": {n: [s.state_dict() for s in many] for n, many in _schedulers(runner).items()},
        "message_hub": hub_to_plain(runner.message_hub),
        "random": gather_random_states(),
    }


def restore(runner: Any, checkpoint: State, source: str) -> None:
    """Put everything but the weights and the global generators back.

    Raises:
        CheckpointError: a part is missing (a weights-only file), or schedulers differ.
    """
    for fault in faults(checkpoint):
        raise CheckpointError(f"{source} {fault}")
    meta = checkpoint["meta"]
    runner.train_loop.continue_from(meta["iter"], meta["images_seen"])
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.optim_wrapper.load_state_dict(checkpoint["optimizer"])
    if runner.param_schedulers is not None:
        runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    _restore_schedulers(_schedulers(runner), checkpoint.get("param_schedulers", {}), source)
    hub_from_plain(runner.message_hub, checkpoint["message_hub"])


def _restore_schedulers(schedulers: dict[str, list[Any]], saved: dict[str, list[State]], source: str) -> None:
    counts = {name: len(many) for name, many in schedulers.items()}
    if counts != {name: len(many) for name, many in saved.items()}:
        raise CheckpointError(f"{source}: param_scheduler of the config differs from the checkpoint's")
    for name, many in schedulers.items():
        for scheduler, state in zip(many, saved[name], strict=True):
            scheduler.load_state_dict(state)


def _schedulers(runner: Any) -> dict[str, list[Any]]:
    """Return the built learning-rate schedules by optimiser."""
    schedulers = runner.param_schedulers
    if not schedulers:
        return {}
    return dict(schedulers) if isinstance(schedulers, dict) else {"all": list(schedulers)}
