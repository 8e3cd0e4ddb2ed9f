"""Stops a run that has diverged, before anything bad is saved."""

from __future__ import annotations

import math
from typing import Any

import torch
from mmengine.hooks import Hook
from torch import Tensor, nn

from mmcgan.checkpoints.files import list_checkpoints
from mmcgan.distributed import local_part
from mmcgan.registry import HOOKS

# How the hook names what it adds to the figures of a step.
LARGEST = "finite_guard/largest"


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
    only_once = True
    changes_training = False

    def __init__(self, patience: int = 0) -> None:
        self.patience = patience
        self.overflows = 0
        self._checked = False

    def before_transfer(self, runner: Any, figures: dict[str, Any]) -> None:
        """Add the largest magnitude of all weights and buffers to what is copied to the host."""
        figures[LARGEST] = largest_magnitude(runner.model)

    def after_transfer(self, runner: Any, figures: dict[str, float]) -> None:
        """Check the losses and the largest magnitude.

        Raises:
            FloatingPointError: names the iteration, the losses and the first bad layer of each network.
        """
        losses = {name: value for name, value in figures.items() if name != LARGEST}
        self._check(runner, losses, math.isfinite(figures[LARGEST]))
        self._checked = True

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        """Check under a loop without ``before_transfer``; raises as :meth:`after_transfer`."""
        if not self._checked:
            finite = math.isfinite(largest_magnitude(runner.model))
            self._check(runner, {name: float(value) for name, value in (outputs or {}).items()}, finite)
        self._checked = False

    def _check(self, runner: Any, outputs: dict[str, float], weights_are_finite: bool) -> None:
        bad = [name for name, value in outputs.items() if not math.isfinite(value)]
        self.overflows = self.overflows + 1 if bad else 0
        if not weights_are_finite:
            layers = non_finite_tensors(runner.model)
            self._stop(runner, f"weights are not finite in {_by_network(layers)}", bad, outputs)
        if self.overflows > self.patience:
            self._stop(runner, "the training has diverged", bad, outputs)

    def _stop(self, runner: Any, reason: str, bad: list[str], outputs: dict[str, float]) -> None:
        losses = ", ".join(f"{name} = {outputs[name]}" for name in bad)
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
def largest_magnitude(module: nn.Module) -> Tensor:
    """Return the largest |x| of all parameters and buffers, NaN if one is; a scalar on their device.

    The maximum norm of each tensor is enough to know, and does not overflow.
    """
    tensors = list(_floats(module).values())
    if not tensors:
        return torch.zeros(())
    return _norms(tensors).max()


@torch.no_grad()
def non_finite_tensors(module: nn.Module) -> list[str]:
    """Return the names of parameters and buffers that hold NaN or an infinity (of this rank's slices)."""
    named = _floats(module)
    finite = torch.isfinite(_norms(list(named.values()))).tolist() if named else []
    return [name for name, ok in zip(named, finite, strict=True) if not ok]


def _floats(module: nn.Module) -> dict[str, Tensor]:
    """Return the floating-point tensors of ``module`` by name, as far as this rank holds them."""
    named: dict[str, Tensor] = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    held = {name: local_part(tensor) for name, tensor in named.items()}
    return {name: tensor for name, tensor in held.items() if tensor.is_floating_point() and tensor.numel()}


def _norms(tensors: list[Tensor]) -> Tensor:
    device = tensors[0].device
    return torch.stack([norm.float().to(device) for norm in torch._foreach_norm(tensors, float("inf"))])
