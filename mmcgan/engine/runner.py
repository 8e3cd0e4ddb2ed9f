"""Builds everything from a config, trains, saves and resumes."""

from __future__ import annotations

import atexit
from pathlib import Path
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.optim import OptimWrapperDict
from mmengine.runner import BaseLoop, Runner, ValLoop
from torch import nn
from torch.utils.data import DataLoader

from mmcgan.checkpoints.files import load_checkpoint, load_weights, save_checkpoint, strip_prefix
from mmcgan.distributed import (
    DEFAULT_TIMEOUT_SECONDS,
    any_rank,
    broadcast_module,
    destroy_process_group,
    initialize_process_group,
    is_initialized,
)
from mmcgan.engine import state as training_state
from mmcgan.engine.changed_parts import fit_parts, reseed
from mmcgan.engine.changes import Change, are_changes_allowed, changes_since
from mmcgan.engine.device import set_tensor_float32, synchronized
from mmcgan.engine.optimizer_state import names_of
from mmcgan.engine.prepared import current as prepared
from mmcgan.engine.prepared import named_classes, with_functions
from mmcgan.engine.random_state import set_random_state
from mmcgan.engine.resume import find_resume_file, read_resumable
from mmcgan.engine.same_classes import follow_classes
from mmcgan.engine.signals import EvaluationInterrupted, StopRequest, current_request, watch_launcher
from mmcgan.engine.work_folder import held_folder, unique
from mmcgan.engine.written_config import write_config
from mmcgan.models.sampling import SamplingModel
from mmcgan.optim import GANOptimWrapper, GradientExchange
from mmcgan.optim.wrapper import precision_notes
from mmcgan.registry import GRADIENT_EXCHANGES, RUNNERS
from mmcgan.suggestions import nearest

# the hooks that MMEngine's runner registers unless they are None
STANDARD_HOOKS = ("runtime_info", "timer", "sampler_seed", "logger", "param_scheduler", "checkpoint")


@RUNNERS.register_module()
class GANRunner(Runner):
    """MMEngine's runner with durable checkpoints, exact resuming and no wrapper for ranks.

    Differences a user meets:

    * a launcher's environment (torchrun) is recognised by itself, gloo without CUDA;
    * ``resume=True`` takes the newest readable checkpoint of ``work_dir``, or ``load_from``
      if that is given, and restores the seed with it;
    * SIGTERM, SIGHUP, SIGUSR1, Ctrl-C and the end of the launcher end the run after the current iteration,
      with a checkpoint, wherever in the process group they arrive;
    * one run at a time trains in a work folder;
    * weights load strictly.
    """

    # --- environment --------------------------------------------------------------------------
    def setup_env(self, env_cfg: dict[str, Any]) -> None:
        """Join the other ranks before anything asks for one, then do MMEngine's set-up."""
        timeout = env_cfg.get("dist_cfg", {}).get("timeout", DEFAULT_TIMEOUT_SECONDS)
        set_tensor_float32(env_cfg.get("tf32"))
        if initialize_process_group(timeout):
            atexit.register(destroy_process_group)
        self._distributed = is_initialized()
        self.stop_signal = current_request() or StopRequest()
        self._random_states: list[dict[str, Any]] = []
        super().setup_env(env_cfg)
        self._timestamp: str = unique(self.timestamp)

    def set_randomness(
        self, seed: int | None, diff_rank_seed: bool = False, deterministic: bool = False
    ) -> None:
        """Seed everything; a resumed run takes its checkpoint's seed.

        The file to resume from is chosen here: the data order needs the seed before weights are loaded.

        Raises:
            ConfigChangedError: the config would change the training that is to go on.
            ValueError: ``seed`` is neither an integer nor None.
        """
        if seed is not None and not isinstance(seed, int):
            raise ValueError(f"randomness.seed must be an integer or None, got {seed!r}")
        self._resume_file: Path | None = None
        self._resume_notes: list[str] = []
        self._changes: list[Change] = []
        #: changes that were made to the training on the way: iteration and what
        self.history: list[dict[str, Any]] = []
        if self.cfg.get("resume"):
            self._resume_file, self._resume_notes = find_resume_file(self.work_dir, self.cfg.get("load_from"))
        if self._resume_file is not None:
            content = read_resumable(self._resume_file)
            self._changes, notes = changes_since(content, self.cfg.pretty_text, str(self._resume_file))
            self._resume_notes += notes
            saved = content["meta"].get("seed")
            changed = any(change.path == "randomness.seed" for change in self._changes)
            seed = seed if saved is None or (changed and seed is not None) else saved
        super().set_randomness(seed, diff_rank_seed, deterministic)

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Call all hooks; an evaluation inside training is given up once a stop is asked for."""
        if fn_name == "before_val_iter" and self.stop_signal.name and self.is_training:
            raise EvaluationInterrupted
        super().call_hook(fn_name, **kwargs)

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader[Any] | dict[str, Any], seed: int | None = None, diff_rank_seed: bool = False
    ) -> DataLoader[Any]:
        """Build a loader; with CUDA its batches lie in pinned memory, unless the config says otherwise."""
        if isinstance(dataloader, dict) and torch.cuda.is_available():
            dataloader = {"pin_memory": True, **dataloader}
        dataloader = with_functions(prepared().with_dataset(dataloader))
        return Runner.build_dataloader(dataloader, seed, diff_rank_seed)

    def build_evaluator(self, evaluator: Any) -> Any:
        """Build the evaluator, unless it was before the folder was made."""
        return super().build_evaluator(prepared().take_evaluator(evaluator))

    def build_log_processor(self, log_processor: dict[str, Any]) -> Any:
        """Count in iterations unless told otherwise."""
        return super().build_log_processor({"by_epoch": False, **log_processor})

    def dump_config(self) -> None:
        """Write the settings beside the checkpoints, never over a file that no run has written (rank 0)."""
        if self.rank == 0:
            write_config(self.cfg, self.work_dir, self.log_dir)

    def register_default_hooks(self, hooks: dict[str, Any] | None = None) -> None:
        """Add our own timer and checkpoints where the config names none; None switches a hook off."""
        own = {"timer": {"type": "ThroughputHook"}, "checkpoint": {"type": "GANCheckpointHook"}}
        given = {**own, **(hooks or {})}
        # MMEngine takes None for its own hooks only
        wanted = {name: hook for name, hook in given.items() if hook is not None or name in STANDARD_HOOKS}
        super().register_default_hooks(wanted)

    # --- model --------------------------------------------------------------------------------
    def build_model(self, model: nn.Module | dict[str, Any]) -> nn.Module:
        """Build the model and give its random streams the run's seed."""
        built: nn.Module = super().build_model(model)
        if isinstance(built, SamplingModel):
            built.use_seed(self.seed)
        return built

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        """Move the model to its device and give every rank the weights of rank 0.

        Raises:
            ValueError: ``model_wrapper_cfg`` is given, or ``sync_bn`` without CUDA.
        """
        if model_wrapper_cfg is not None:
            raise ValueError(
                "model_wrapper_cfg is not used: distributed=dict(type=...) sets how ranks exchange gradients"
            )
        self.exchange: GradientExchange = GRADIENT_EXCHANGES.build(
            self.cfg.get("distributed") or {"type": "OverlappedExchange"}
        )
        model = model.to(get_device())
        sync_bn = self.cfg.get("sync_bn")
        if sync_bn and self.distributed:
            if not torch.cuda.is_available():
                raise ValueError(f"sync_bn={sync_bn!r} needs CUDA; torch has no synchronised norm on CPU")
            model = synchronized(model, sync_bn)
        broadcast_module(model)
        self.exchange.prepare(model)
        return model

    def _init_model_weights(self) -> None:
        """Let networks of others initialise themselves as MMEngine does, and agree on rank 0's."""
        initialise = getattr(self.model, "init_weights", None)
        if initialise is not None:
            initialise()
            broadcast_module(self.model)

    def build_optim_wrapper(self, optim_wrapper: Any) -> Any:
        """Build the optimisers and let the ranks' gradients meet as ``distributed`` says."""
        built = super().build_optim_wrapper(optim_wrapper)
        wrappers = built.values() if isinstance(built, OptimWrapperDict) else ()
        for wrapper in wrappers:
            if isinstance(wrapper, GANOptimWrapper) and wrapper.parameter_names is None:
                wrapper.parameter_names = names_of(wrapper.optimizer, self.model)
            if isinstance(wrapper, GANOptimWrapper) and wrapper.exchange is not self.exchange:
                wrapper.exchange_by(self.exchange)
        return built

    def _maybe_compile(self, target: str) -> None:
        """Compile networks in place as ``compile=dict(modules=[...], <torch.compile options>)`` says.

        In place means that state-dict keys and attributes stay what they are.
        """
        config = self.cfg.get("compile")
        if not config:
            return
        options = {} if config is True else dict(config)
        modules = options.pop("modules", ["generator"])
        if "discriminator" in modules and self.model.step.split_d:
            raise ValueError(
                "compile.modules contains 'discriminator', whose spectral-norm vectors torch.compile "
                "cannot follow through two passes; set model.step.split_d=False or leave it out"
            )
        for name in modules:
            self.model.get_submodule(name).compile(**options)
            self.logger.info(f"{name} will be compiled at its first call")

    @property
    def is_training(self) -> bool:
        """Whether there is a training loop; asking ``train_loop`` itself would build one."""
        return isinstance(self._train_loop, BaseLoop)

    def build_param_scheduler(self, scheduler: Any) -> Any:
        """Build the schedules of both players; a player that the config leaves out has none.

        Raises:
            ValueError: schedules for somebody who is no player.
        """
        if isinstance(scheduler, dict) and "type" not in scheduler:
            players = [player for player, _ in self.optim_wrapper.items()]
            for name in scheduler:
                if name not in players:
                    raise ValueError(f"param_scheduler has no player {name!r}.{nearest(name, players)}")
            scheduler = {player: scheduler.get(player, []) for player in players}
        return super().build_param_scheduler(scheduler)

    def build_val_loop(self, loop: BaseLoop | dict[str, Any]) -> BaseLoop:
        """Build the loop; its evaluator learns what the classes asked for are called in training."""
        built = super().build_val_loop(loop)
        info = self.train_dataloader.dataset.metainfo if self.is_training else {}
        known = built.evaluator.dataset_meta if isinstance(built, ValLoop) else None
        if known and (named := named_classes(info, known)) != known:
            built.evaluator.dataset_meta = named
        return built

    # --- training -----------------------------------------------------------------------------
    def train(self) -> nn.Module:
        """Train, and leave a checkpoint behind if asked to stop.

        Raises:
            InUseError: another process trains in the work folder.
        """
        with self.stop_signal, held_folder(self.work_dir):
            watch = watch_launcher(self.stop_signal) if self.distributed else None
            try:
                model = super().train()
            finally:
                if watch is not None:
                    watch.set()
        if self.stop_signal.name:
            self.logger.info(
                f"stopped on {self.stop_signal.name} after iteration {self.iter} of {self.max_iters}; "
                "--resume continues exactly there"
            )
        return model

    def stop_requested(self) -> bool:
        """Return whether some rank was asked to stop; all ranks must call it."""
        return any_rank(self.stop_signal.name is not None)

    def restore_random_state(self) -> None:
        """Put the global generators where the checkpoint left them; called once data is ready."""
        if self.rank < len(self._random_states):
            set_random_state(self._random_states[self.rank])

    # --- checkpoints --------------------------------------------------------------------------
    def save_checkpoint(self, path: str | Path) -> None:
        """Write the whole training state to ``path``; all ranks must call it, rank 0 writes."""
        state = training_state.collect(self, Path(path).parent)
        self.call_hook("before_save_checkpoint", checkpoint=state)
        if self.rank == 0:
            save_checkpoint(state, path)

    def load_checkpoint(
        self, filename: str | Path, map_location: str = "cpu", strict: bool = True
    ) -> dict[str, Any]:
        """Load the weights of a file into the model and return all of its contents.

        Raises:
            CheckpointError: the file is unreadable or does not fit the model.
        """
        checkpoint = load_checkpoint(filename, map_location)
        self._load_weights(checkpoint, filename, strict)
        return checkpoint

    def _load_weights(self, checkpoint: dict[str, Any], filename: str | Path, strict: bool = True) -> None:
        self.call_hook("after_load_checkpoint", checkpoint=checkpoint)
        weights = strip_prefix(checkpoint.get("state_dict", checkpoint))
        weights = self.exchange.cut(weights, self.model)
        load_weights(self.model, weights, f"checkpoint {filename}", strict)
        self._has_loaded = True
        self.logger.info(f"loaded weights from {filename}")

    def load_or_resume(self) -> None:
        """Do what ``resume`` and ``load_from`` ask; say what was found and in which precision it trains."""
        if not self._has_loaded:
            self._load_or_resume()
        if isinstance(self.optim_wrapper, OptimWrapperDict):
            for level, note in precision_notes(self.optim_wrapper.values()):
                self.logger.log(level, note)

    def _load_or_resume(self) -> None:
        self._warn(self._resume_notes)
        if self._resume_file is not None:
            self.resume(self._resume_file)
        elif self._resume:
            self.logger.warning(f"nothing to resume in {self.work_dir}: starting from iteration 0")
        elif self._load_from is not None:
            self._load_following_classes(self._load_from, resumed=False)

    def _warn(self, notes: list[str]) -> None:
        for note in notes:
            self.logger.warning(note)

    def _load_following_classes(self, filename: str | Path, resumed: bool) -> dict[str, Any]:
        """Load weights whose rows of classes stand where the data set has these classes; return the file."""
        checkpoint = load_checkpoint(filename)
        allowed = are_changes_allowed()
        notes = follow_classes(self, checkpoint, str(filename), resumed=resumed, allowed=allowed)
        # what a fine-tuning starts from may leave out parts, see mmcgan.apis.fine_tuning
        partial = not resumed and bool((checkpoint.get("meta") or {}).get("partial"))
        notes += fit_parts(checkpoint["state_dict"], self.model) if resumed and self._changes else []
        self._load_weights(checkpoint, filename, strict=not partial)
        self._warn(notes)
        return checkpoint

    def resume(self, filename: str | Path) -> None:
        """Continue the training whose state is in ``filename``.

        Raises:
            CheckpointError: the file holds weights only, or another model's.
        """
        checkpoint = self._load_following_classes(filename, resumed=True)
        notes = training_state.restore(self, checkpoint, str(filename), self._changes)
        self._random_states = checkpoint["random"]
        if any(change.path.startswith("randomness.") for change in self._changes):
            reseed(self.model, self.seed)
            self._random_states = []  # the global generators begin as the seed has set them
        self.history = list(checkpoint["meta"].get("history", []))
        self.logger.info(f"resumed {filename} at iteration {self.iter}")
        changes = [str(change) for change in self._changes]
        self.history += [{"iter": self.iter, "changes": changes}] if changes else []
        notes = [f"changed from iteration {self.iter} on: {change}" for change in changes] + notes
        self._warn(notes)
        if self.iter >= self.max_iters:
            at = f"is at iteration {self.iter}, train_cfg.max_iters is {self.max_iters}"
            self.logger.warning(f"nothing to train: {filename} {at}")
