"""One player's optimiser: autocast, backward, averaging over ranks, clipping, step."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.optim import Optimizer

from mmcgan.distributed import average_gradients
from mmcgan.registry import OPTIM_WRAPPERS

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@OPTIM_WRAPPERS.register_module()
class GANOptimWrapper(OptimWrapper):
    """The optimiser of G or of D.

    A training step uses it as: ``zero_grad``, then per mini-batch ``autocast`` and
    ``backward``, then once ``reduce_gradients`` and ``step``. Accumulation is the caller's
    loop; this wrapper never rescales by a count.

    Args:
        optimizer: a torch optimiser over the player's parameters.
        clip_grad: arguments of ``torch.nn.utils.clip_grad_norm_`` (``max_norm``) or, with
            ``type='value'``, of ``clip_grad_value_``.
        precision: ``float32``, ``bfloat16`` (CPU and CUDA) or ``float16`` (CUDA, with a
            gradient scaler). Weights stay float32.

    Raises:
        ValueError: unknown precision, or float16 on a device that is not CUDA.
    """

    def __init__(
        self, optimizer: Optimizer, clip_grad: dict[str, Any] | None = None, precision: str = "float32"
    ) -> None:
        super().__init__(optimizer, clip_grad=dict(clip_grad) if clip_grad else None)
        if precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
        self.device_type = next(iter(self.parameters())).device.type
        if precision == "float16" and self.device_type != "cuda":
            raise ValueError(
                f"precision='float16' needs a CUDA device, the model is on {self.device_type}; "
                "use 'bfloat16' or 'float32'"
            )
        self.precision = precision
        self.scaler = torch.amp.GradScaler(self.device_type, enabled=precision == "float16")

    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters this optimiser updates."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context in which forward passes and losses are computed."""
        enabled = self.precision != "float32"
        return torch.autocast(self.device_type, dtype=PRECISIONS[self.precision], enabled=enabled)

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Accumulate the gradients of a scalar ``loss``, scaled under float16."""
        super().backward(self.scaler.scale(loss), **kwargs)

    def reduce_gradients(self) -> None:
        """Average the gradients over ranks, then unscale; call once, before :meth:`step`.

        Averaging comes first so that an overflow on one rank is seen by all and every rank
        skips the step together.
        """
        average_gradients(self.parameters())
        if self.scaler.is_enabled():
            self.scaler.unscale_(self.optimizer)

    def step(self, **kwargs: Any) -> None:
        """Clip and update; under float16 a step with overflowing gradients is skipped."""
        if self.clip_grad_kwargs:
            self._clip_grad()
        self.scaler.step(self.optimizer, **kwargs)
        self.scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """Return the optimiser's state and, under float16, the scaler's."""
        state: dict[str, Any] = super().state_dict()
        return {**state, "scaler": self.scaler.state_dict()} if self.scaler.is_enabled() else state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore :meth:`state_dict`."""
        state = dict(state_dict)
        scaler = state.pop("scaler", None)
        if scaler and self.scaler.is_enabled():
            self.scaler.load_state_dict(scaler)
        super().load_state_dict(state)
