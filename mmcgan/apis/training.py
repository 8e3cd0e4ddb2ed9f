"""Train a config from start to end."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process

from mmcgan.apis.fine_tuning import FittedStart, fit_start, refuse_frozen_noise
from mmcgan.apis.tracking import add_trackers
from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.config.notices import notices
from mmcgan.distributed import (
    DEFAULT_TIMEOUT_SECONDS,
    check_timeout,
    destroy_process_group,
    initialize_process_group,
    require_equal,
)
from mmcgan.engine.changes import changes_allowed
from mmcgan.engine.prepared import prepared_for
from mmcgan.engine.signals import StopRequest, current_request
from mmcgan.engine.work_folder import CHECKPOINT_PATTERN, held_folder
from mmcgan.engine.written_config import refuse_own_config
from mmcgan.optim.players import PLAYERS
from mmcgan.output_paths import check_output_folder
from mmcgan.registry import build_runner
from mmcgan.zoo.gone_components import load_config_beside

EXPORTED_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class TrainResult:
    """What a run left behind.

    Attributes:
        work_dir: folder of checkpoints, logs and pictures.
        metrics: the last evaluation's figures by name.
        picture: the newest sample grid, if one was written.
    """

    work_dir: Path
    metrics: dict[str, float] = field(default_factory=dict)
    picture: Path | None = None


def train(
    config: str | Path | Config,
    work_dir: str | Path | None = None,
    resume: bool = False,
    options: Mapping[str, Any] | None = None,
    allow_changes: bool = False,
    start: str | Path | None = None,
    track: Sequence[str] = (),
) -> TrainResult:
    """Train ``config`` and return where the results are.

    Args:
        config: path or name of a config, or one from :func:`mmcgan.config.load_config`.
        work_dir: where to write; ``work_dirs/<config name>`` by default.
        resume: go on from the newest checkpoint in ``work_dir``, if there is one.
        options: values by dotted path, applied to a path or name.
        allow_changes: apply a config that differs in what changes the training to the run that goes on; else
            it is refused with the list of differences.
        start: model whose weights the training starts from, see :func:`mmcgan.apis.fine_tuning.read_start`; a
            run that goes on starts from its own checkpoint. The config's ``load_from`` may name exported
            weights for the same.
        track: dashboards that show the run too, see :data:`mmcgan.apis.tracking.TRACKERS`.

    Raises:
        ConfigChangedError: the config differs in what changes the training, and ``allow_changes`` is off.
        ConfigError: the config cannot work; lists all problems.
        FileExistsError: ``work_dir`` holds another run's checkpoints and ``resume`` is off, a file of the
            config's name that no run has written, or another process works in it.
        ValueError: ``options`` given with a config that is already loaded, or a precision that
            this machine does not have.
    """
    cfg = _loaded(config, options, work_dir, resume, start)
    add_trackers(cfg, track)
    cfg.work_dir = str(work_dir or cfg.get("work_dir") or default_work_dir(cfg))
    cfg.resume = resume or cfg.get("resume", False)
    refuse_precision(cfg)
    refuse_other_run(Path(cfg.work_dir), cfg.resume)
    refuse_own_config(cfg, cfg.work_dir)
    created = initialize_process_group(timeout_of(cfg))
    try:
        require_equal(flat_settings(cfg.to_dict()), "the config")
        _warn(cfg)
        start = start or _exported(cfg)
        beginning = None if _goes_on(cfg) else _beginning(cfg, start)
        with (
            current_request() or StopRequest(),
            prepared_for(cfg),
            held_folder(cfg.work_dir),
            changes_allowed(allow_changes),
        ):
            refuse_other_run(Path(cfg.work_dir), cfg.resume)  # one may have ended meanwhile
            notes = [] if start is None else _start_from(cfg, start, beginning)
            runner = build_runner(cfg)
            for note in notes:
                runner.logger.info(note)
            runner.train()
        return TrainResult(Path(cfg.work_dir), last_metrics(runner), newest_picture(Path(cfg.work_dir)))
    finally:
        if created:
            destroy_process_group()


def _loaded(
    config: str | Path | Config,
    options: Mapping[str, Any] | None,
    work_dir: str | Path | None,
    resume: bool,
    start: str | Path | None,
) -> Config:
    """Return the config of a path or name, or the one that is loaded already."""
    if not isinstance(config, Config):
        own = work_dir or Path("work_dirs") / Path(config).stem
        return load_config_beside(config, options, own if resume else None, start)
    if options:
        raise ValueError("options apply to a path or name; this config is already loaded")
    return config


def _warn(cfg: Config) -> None:
    """Say once what of the config has no effect, such as an average that begins after the last iteration."""
    for notice in notices(cfg._cfg_dict) if is_main_process() else ():
        warnings.warn(str(notice), stacklevel=3)


def _exported(cfg: Config) -> str | None:
    """Return the exported weights that ``load_from`` names, which is then empty; None for anything else."""
    named = str(cfg.get("load_from") or "")
    if not named.endswith(EXPORTED_SUFFIX):
        return None
    cfg.load_from = None
    return named


def _goes_on(cfg: Config) -> bool:
    """Return whether the run has checkpoints of its own to go on from."""
    return bool(cfg.resume) and any(Path(cfg.work_dir).glob(CHECKPOINT_PATTERN))


def _beginning(cfg: Config, start: str | Path | None) -> FittedStart | None:
    """Read what the run starts from before its folder is made: a file that cannot be used leaves none.

    Raises:
        CheckpointError, FileNotFoundError, ImportError, ValueError: as :func:`mmcgan.apis.load_model`.
        ValueError: stages of the discriminator are to stay as they are, and nothing loads one.
    """
    if start is not None:
        return fit_start(cfg, start)
    given = cfg.get("load_from")
    if not given:
        refuse_frozen_noise(cfg, (), "neither --from nor load_from says where its weights come from")
    elif Path(given).is_file():
        state = load_checkpoint(given)
        names = (name.removeprefix("module.") for name in state.get("state_dict", state))
        refuse_frozen_noise(cfg, names, f"load_from={given} holds no discriminator")
    return None


def _start_from(cfg: Config, start: str | Path, beginning: FittedStart | None) -> list[str]:
    """Let the run start from a trained model, unless it goes on; return what to say about it."""
    if beginning is None:
        return [f"the run goes on from its own checkpoint, not from {start}"]
    cfg.resume = False
    return beginning.write(cfg, Path(cfg.work_dir))


def timeout_of(cfg: Config) -> float:
    """Return the seconds that ranks wait for each other: ``env_cfg.dist_cfg.timeout``.

    Raises:
        ValueError: it is no positive number.
    """
    settings = (cfg.get("env_cfg") or {}).get("dist_cfg") or {}
    return check_timeout(settings.get("timeout", DEFAULT_TIMEOUT_SECONDS))


def flat_settings(value: Any, path: str = "") -> dict[str, Any]:
    """Return the leaves of nested dicts by dotted path."""
    if not isinstance(value, Mapping):
        return {path: value}
    flat: dict[str, Any] = {}
    for key, child in value.items():
        flat |= flat_settings(child, f"{path}.{key}" if path else str(key))
    return flat


def default_work_dir(cfg: Config) -> Path:
    """Return ``work_dirs/<config name>`` under the current folder."""
    return Path("work_dirs") / Path(cfg.filename).stem


def refuse_precision(cfg: Config) -> None:
    """Raise ValueError if the config's precision needs a device that is not there."""
    settings = cfg.get("optim_wrapper") or {}
    sections = {"optim_wrapper": settings}
    sections |= {f"optim_wrapper.{player}": settings.get(player) or {} for player in PLAYERS}
    for name, section in sections.items():
        if section.get("precision") == "float16" and not torch.cuda.is_available():
            raise ValueError(
                f"{name}.precision='float16' needs a CUDA device, and there is none; "
                "use 'auto', 'bfloat16' or 'float32'"
            )


def refuse_other_run(work_dir: Path, resume: bool) -> None:
    """Check the work folder before anything is built.

    Raises:
        FileExistsError: training afresh would mix with the checkpoints of another run.
        ValueError: it is a file, or cannot be written.
    """
    check_output_folder(work_dir, "--work-dir")
    found = sorted(work_dir.glob(CHECKPOINT_PATTERN))
    if found and not resume:
        raise FileExistsError(
            f"{work_dir} holds the checkpoints of another run ({found[-1].name}). "
            "Continue it with --resume, choose another --work-dir, or remove the folder."
        )


def last_metrics(runner: Any) -> dict[str, float]:
    """Return the newest validation figures that the runner logged, without the ``val/`` prefix."""
    scalars = runner.message_hub.log_scalars
    names = [name for name in scalars if name.startswith("val/")]
    timing = ("data_time", "time")
    return {
        name.removeprefix("val/"): float(scalars[name].current())
        for name in names
        if name.removeprefix("val/") not in timing
    }


def newest_picture(work_dir: Path) -> Path | None:
    """Return the newest sample grid of ``work_dir``, if any."""
    pictures = sorted((work_dir / "samples").glob("*.png"), key=lambda path: path.stat().st_mtime)
    return pictures[-1] if pictures else None
