"""Stops a run that has diverged, before anything bad is saved."""

from __future__ import annotations

import math
from typing import Any

import torch
from mmengine.hooks import Hook
from torch import Tensor, nn

from mmcgan.checkpoints.files import list_checkpoints
from mmcgan.registry import HOOKS


@HOOKS.register_module()
class FiniteGuardHook(Hook):
    """Raises within one iteration when a loss or a weight becomes NaN or infinite.

    It runs before the average, the evaluation and the checkpoint of the same iteration, so
    that the last good checkpoint stays the newest.

    Args:
        patience: consecutive iterations in which losses may overflow; for float16, whose
            scaler skips such steps. Weights must always be finite.
    """

    priority = "VERY_HIGH"

    def __init__(self, patience: int = 0) -> None:
        self.patience = patience
        self.overflows = 0

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        """Check the losses in ``outputs`` and all weights and buffers of the model.

        Raises:
            FloatingPointError: names the iteration, the losses and the first bad layer of each network.
        """
        bad = [name for name, value in (outputs or {}).items() if not math.isfinite(value)]
        self.overflows = self.overflows + 1 if bad else 0
        layers = non_finite_tensors(runner.model)
        if layers:
            self._stop(runner, f"weights are not finite in {_by_network(layers)}", bad, outputs)
        if self.overflows > self.patience:
            self._stop(runner, "the training has diverged", bad, outputs)

    def _stop(self, runner: Any, reason: str, bad: list[str], outputs: dict[str, Any] | None) -> None:
        losses = ", ".join(f"{name} = {float((outputs or {})[name])}" for name in bad)
        detail = f" (losses: {losses})" if losses else ""
        raise FloatingPointError(
            f"iteration {runner.iter + 1}: {reason}{detail}; nothing of this iteration was saved, "
            f"{_last_checkpoint(runner.work_dir)}"
        )


def _last_checkpoint(folder: str) -> str:
    newest = next(iter(list_checkpoints(folder)), None)
    if newest is None:
        return f"and there is no checkpoint in {folder} yet"
    return f"the last checkpoint is {newest}"


def _by_network(layers: list[str]) -> str:
    """Return the first bad layer of each network and how many more it has."""
    networks: dict[str, list[str]] = {}
    for layer in layers:
        networks.setdefault(layer.partition(".")[0], []).append(layer)
    return "; ".join(n[0] + (f" and {len(n) - 1} more" if len(n) > 1 else "") for n in networks.values())


@torch.no_grad()
def non_finite_tensors(module: nn.Module) -> list[str]:
    """Return the names of parameters and buffers that hold NaN or an infinity.

    The maximum norm of each tensor is enough to know, and does not overflow.
    """
    named: dict[str, Tensor] = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    named = {name: t for name, t in named.items() if t.is_floating_point() and t.numel()}
    if not named:
        return []
    norms = torch.stack([n.float() for n in torch._foreach_norm(list(named.values()), float("inf"))])
    finite = torch.isfinite(norms)
    if bool(finite.all()):
        return []
    return [name for name, ok in zip(named, finite.tolist(), strict=True) if not ok]
