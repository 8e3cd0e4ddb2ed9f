"""Notices a collapse, says what it sees, and does what the config asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch.distributed as torch_dist
from mmengine.hooks import Hook

from mmcgan.checkpoints.atomic import write_file
from mmcgan.distributed import is_initialized
from mmcgan.hooks import collapse_guard_signs as judging
from mmcgan.hooks.checkpoint import GANCheckpointHook
from mmcgan.hooks.collapse_guard_rollback import RollBack, restore_weights
from mmcgan.hooks.collapse_guard_signs import Limits, State
from mmcgan.hooks.discriminator_diagnostics import LATEST, DiscriminatorDiagnosticsHook, is_due, record
from mmcgan.hooks.discriminator_measures import measure_now
from mmcgan.hooks.monitor import Monitor
from mmcgan.registry import HOOKS
from mmcgan.suggestions import nearest
from mmcgan.text_files import read_json

STATE = "collapse_guard"
RECORD = "collapse_guard.json"
ACTIONS = ("warn", "stop", "roll_back")
DID = {"warn": "training goes on", "stop": "stopping", "roll_back": "rolled back"}
MEASURED_IMAGES = 64


@HOOKS.register_module()
class CollapseGuardHook(Hook):
    """Watches metric, logits, feature norm and sample diversity, and warns, stops or rolls back.

    Four signs: the discriminator separates real from fake almost perfectly (or not at all: it says
    the same of every image); the metric is much worse than its best; the features have grown many
    times over, or vanished; generated images hardly differ.
    ``signs`` of them, at ``patience`` checks in a row, are a collapse, unless the last evaluation was
    the best so far by 2 %. A check follows every measurement and every evaluation.

    What it saw and did is in the log and in ``collapse_guard.json`` of the work directory. Its memory
    is checkpointed. Measurements are those of :class:`DiscriminatorDiagnosticsHook`, or its own ones
    where the config has none; they do not change the training.

    Args:
        action: ``warn`` once per collapse, ``stop`` with a checkpoint, or ``roll_back``.
        metric: an evaluation metric; by default the one of which the best checkpoint is kept.
        rule: ``less`` or ``greater`` is better; inferred for common metrics.
        limits: fields of :class:`~mmcgan.hooks.collapse_guard_signs.Limits`.
        signs: how many of the four must hold together.
        patience: at how many checks in a row.
        begin: iterations that are not judged; a generator that has learnt nothing looks collapsed.
        interval: iterations between own measurements.
        roll_back: fields of :class:`~mmcgan.hooks.collapse_guard_rollback.RollBack`.

    Raises:
        ValueError: an argument is out of range, or ``action`` and ``roll_back`` do not fit.
    """

    priority = "NORMAL"  # before the checkpoint hook saves
    changes_training = True

    def __init__(
        self,
        action: str = "warn",
        metric: str | None = None,
        rule: str | None = None,
        limits: Mapping[str, float | None] | None = None,
        signs: int = 2,
        patience: int = 3,
        begin: int = 1000,
        interval: int = 100,
        roll_back: Mapping[str, Any] | None = None,
    ) -> None:
        if action not in ACTIONS:
            raise ValueError(
                f"CollapseGuardHook: action {action!r} is unknown.{nearest(action, list(ACTIONS))}"
            )
        if (action == "roll_back") != (roll_back is not None):
            raise ValueError(
                f"CollapseGuardHook: action={action!r} with roll_back={roll_back!r}; the action 'roll_back' "
                "needs the setting roll_back=dict(multiply=..., set=..., times=...), the others have none"
            )
        if not 1 <= signs <= len(judging.SIGNS) or min(patience, interval) < 1 or begin < 0:
            raise ValueError(
                f"CollapseGuardHook: signs must lie in 1 ... {len(judging.SIGNS)}, patience and interval be "
                f"at least 1, begin at least 0; got {signs=}, {patience=}, {interval=}, {begin=}"
            )
        self.action, self.signs, self.patience = action, signs, patience
        self.begin, self.interval = begin, interval
        self.monitor = Monitor(metric, rule) if metric else None
        self.limits = Limits(**(limits or {}))
        self.roll_back = None if roll_back is None else RollBack(**roll_back)
        self.checkpoints: GANCheckpointHook | None = None
        self.measures = True
        self._evaluated: float | None = None

    # --- what is seen -------------------------------------------------------------------------
    def before_train(self, runner: Any) -> None:
        """Find the hooks that this one works with.

        Raises:
            ValueError: a roll-back has no best checkpoint to go to, or cannot change its settings.
        """
        hooks = runner.hooks
        self.measures = not any(isinstance(hook, DiscriminatorDiagnosticsHook) for hook in hooks)
        keepers = [h for h in hooks if isinstance(h, GANCheckpointHook) and h.monitor is not None]
        self.checkpoints = keepers[0] if keepers else None
        if self.monitor is None and self.checkpoints is not None:
            self.monitor = self.checkpoints.monitor
        if self.roll_back is not None:
            if self.checkpoints is None:
                raise ValueError(
                    "CollapseGuardHook: action 'roll_back' needs a best checkpoint to go back to; "
                    "set default_hooks.checkpoint.save_best to an evaluation metric"
                )
            self.roll_back.check(runner)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Measure if due and nobody else does."""
        if self.measures and is_due(runner.iter + 1, self.interval):
            record(runner, measure_now(runner, data_batch, MEASURED_IMAGES, 0))

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Note the metric."""
        if self.monitor is not None and metrics and runner.is_training:
            self._evaluated = self.monitor.read(metrics)

    # --- what is done -------------------------------------------------------------------------
    def after_iteration(self, runner: Any) -> None:
        """Check if something new is known; rank 0 decides for all.

        One iteration is one check: where a stop has cut its evaluation off, the resumed run checks, with it.
        """
        if runner.train_loop.owes_evaluation:
            return
        figures = runner.message_hub.runtime_info.get(LATEST, {})
        evaluated, self._evaluated = self._evaluated, None
        if figures.get("iteration") != runner.iter and evaluated is None:
            return
        decision: list[Any] = [None]
        if runner.rank == 0:
            decision = [self._decide(runner, figures, evaluated)]
        if is_initialized():
            torch_dist.broadcast_object_list(decision, src=0)
        state, event = decision[0]
        runner.message_hub.update_info(STATE, state)
        if event is not None:
            self._act(runner, state, event)

    def _decide(
        self, runner: Any, figures: Mapping[str, float], evaluated: float | None
    ) -> tuple[State, dict[str, Any] | None]:
        """Return the new memory, and what to do if it is time to act."""
        state = {**judging.fresh_state(), **runner.message_hub.runtime_info.get(STATE, {})}
        state = judging.remember(state, figures, evaluated, self.monitor, runner.iter)
        if runner.iter < self.begin:
            return state, None
        signs = judging.find_signs(figures, state, self.monitor, self.limits)
        state = judging.count(state, signs, runner.iter, self.signs)
        if state["checks"] < self.patience or state["warned"]:
            return state, None
        event = {"iteration": runner.iter, "saw": judging.in_words(signs, state["since"])}
        return state, event | self._choose(runner, state["rollbacks"])

    def _choose(self, runner: Any, done: int) -> dict[str, str]:
        """Return the action that is possible, with the reason if it is not the one asked for."""
        if self.roll_back is None or self.checkpoints is None:
            return {"action": self.action}
        path = self.checkpoints.best_file(runner.work_dir)
        if done >= self.roll_back.times:
            return {"action": "stop", "reason": f"{done} roll-back(s) did not help"}
        if not path.is_file():
            return {"action": "stop", "reason": f"there is no {path.name} to go back to"}
        return {"action": "roll_back"}

    def _act(self, runner: Any, state: State, event: dict[str, Any]) -> None:
        did = DID[event["action"]] + (f": {event['reason']}" if "reason" in event else "")
        if event["action"] == "roll_back":
            event |= self._go_back(runner, state)
            did += f" to iteration {event['loaded_iteration']}, {', '.join(event['changes'])}"
        else:
            runner.message_hub.update_info(STATE, {**state, "warned": True, "checks": 0})
            runner.train_loop.stop_training |= event["action"] == "stop"
        runner.logger.warning(f"collapse guard, iteration {runner.iter}: {event['saw']}. Action: {did}")
        if runner.rank == 0:
            _append(Path(runner.work_dir) / RECORD, event)

    def _go_back(self, runner: Any, state: State) -> dict[str, Any]:
        """Load the best checkpoint, change the settings, forget the signs."""
        assert self.roll_back is not None and self.checkpoints is not None
        path = self.checkpoints.best_file(runner.work_dir)
        loaded = restore_weights(runner, path)
        changes = self.roll_back.change(runner)
        runner.message_hub.update_info(STATE, judging.after_roll_back(state))
        runner.message_hub.update_info(LATEST, {})
        return {"loaded": path.name, "loaded_iteration": loaded, "changes": changes}


def _append(path: Path, event: Mapping[str, Any]) -> None:
    """Add ``event`` to the list in the JSON file ``path``."""
    events = read_json(path, "a list of events", list) if path.is_file() else []
    write_file(path, json.dumps([*events, event], indent=1) + "\n")
