"""One player's optimiser: autocast, backward, averaging over ranks, clipping, step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import reduce
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, clip_grads_with_norm_, get_total_norm
from torch.optim import Optimizer

from mmcgan.distributed import local_part
from mmcgan.optim.exchange import FlatExchange, GradientExchange, Terms
from mmcgan.registry import OPTIM_WRAPPERS

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@OPTIM_WRAPPERS.register_module()
class GANOptimWrapper(OptimWrapper):
    """The optimiser of G or of D.

    A training step uses it as: ``zero_grad``, then per mini-batch ``accumulate`` (with ``autocast``
    inside), then once ``unscale_gradients`` and ``step``. After the last mini-batch the gradients are
    the mean over ranks, as ``exchange`` sees to.

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
        self.exchange_by(FlatExchange())
        #: what the last step says of itself, scalars on their device by name
        self.figures: Terms = {}
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

    def exchange_by(self, exchange: GradientExchange) -> None:
        """Average gradients over ranks by ``exchange`` from now on."""
        self.exchange = exchange
        self.share = exchange.share(self.parameters())

    def accumulate(self, compute: Callable[[], Terms], parts: int = 1, last: bool = True) -> Terms:
        """Add the gradients of one mini-batch to those that are there.

        Args:
            compute: returns the mini-batch's loss terms by name, scalars.
            parts: mini-batches of the update; each counts 1 / parts.
            last: whether it is the last of them; then the ranks average.

        Returns:
            What ``compute`` returned, detached.
        """
        with self.share.mini_batch(last) as call:
            terms = call(compute)
            self.backward(reduce(torch.add, terms.values()) / parts)
        return {name: term.detach() for name, term in terms.items()}

    def unscale_gradients(self) -> None:
        """Unscale the gradients under float16; call once, before they are looked at and :meth:`step`.

        The ranks' average comes first so that an overflow on one rank is seen by all and every
        rank skips the step together.
        """
        if self.scaler.is_enabled():
            self.scaler.unscale_(self.optimizer)

    def step(self, **kwargs: Any) -> None:
        """Clip and update; under float16 a step with overflowing gradients is skipped."""
        if self.clip_grad_kwargs:
            self._clip_grad()
        self.scaler.step(self.optimizer, **kwargs)
        self.scaler.update()

    def _clip_grad(self) -> None:
        """Clip, and keep the norm on its device: MMEngine's own method waits for it in every update."""
        parameters = [p for p in self.parameters() if p.grad is not None]
        whole = [p for p in parameters if local_part(p) is p]
        cut = [p for p in parameters if local_part(p) is not p]
        if not cut or self.clip_func is not clip_grad_norm_:
            found = self.clip_func(parameters, **self.clip_grad_kwargs)
        else:
            found = _clip_slices(whole, cut, **self.clip_grad_kwargs)
        self.figures = {} if found is None else {"gradient_norm": found.detach()}

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
        for parameter, moments in self.optimizer.state.items():
            for name, value in moments.items():
                moments[name] = self.exchange.cut_like(value, parameter)


def _clip_slices(
    whole: list[nn.Parameter],
    cut: list[nn.Parameter],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Clip the norm of gradients of which some are cut into slices over ranks; return it.

    torch clips either kind, but not both together.
    """
    norms = [get_total_norm([p.grad for p in some if p.grad is not None], norm_type) for some in (whole, cut)]
    total = torch.stack([n.full_tensor() if hasattr(n, "full_tensor") else n for n in norms]).norm(norm_type)
    if error_if_nonfinite and not torch.isfinite(total):
        raise RuntimeError(f"the norm of the gradients is {float(total)}")
    for some in (whole, cut):
        clip_grads_with_norm_(some, max_norm, total)
    return total
