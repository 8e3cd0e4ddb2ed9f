"""One player's optimiser: autocast, backward, averaging over ranks, clipping, step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import reduce
from logging import INFO, WARNING
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from mmcgan.distributed import local_part
from mmcgan.optim.clipping import clip_slices
from mmcgan.optim.exchange import FlatExchange, GradientExchange, Terms
from mmcgan.precision import AUTO, PRECISIONS, autocast, bfloat16_is_fast, choose, resolve
from mmcgan.registry import OPTIM_WRAPPERS

Note = tuple[int, str]  # level of logging, text


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
        precision: ``float32``, ``bfloat16`` (CPU and CUDA), ``float16`` (CUDA, with a
            gradient scaler) or ``auto``: bfloat16 where it is fast (:mod:`mmcgan.precision`),
            and what the checkpoint says in a resumed run. Weights stay float32.

    Attributes:
        precision: what it computes in; never ``auto``.
        notes: what a user should know of the precision, for the log.

    Raises:
        ValueError: unknown precision, or float16 on a device that is not CUDA.
    """

    def __init__(
        self, optimizer: Optimizer, clip_grad: dict[str, Any] | None = None, precision: str = "float32"
    ) -> None:
        super().__init__(optimizer, clip_grad=dict(clip_grad) if clip_grad else None)
        self.device_type = next(iter(self.parameters())).device.type
        #: names in the model, in the optimiser's order; noted when a run builds it
        self.parameter_names: list[str] | None = None
        self.exchange_by(FlatExchange())
        self._allow_mixed_slices()
        #: what the last step says of itself, scalars on their device by name
        self.figures: Terms = {}
        self.notes: list[Note] = []
        self.chosen = precision == AUTO
        self._compute_in(resolve(precision, self.device_type))
        if self.chosen:
            self.notes.append((INFO, f"precision auto: {choose(self.device_type)}"))
        elif precision == "bfloat16" and not bfloat16_is_fast(self.device_type):
            self.notes.append((WARNING, f"precision bfloat16, as the config says; here {self._advice()}"))

    def _compute_in(self, precision: str) -> None:
        if precision == "float16" and self.device_type != "cuda":
            raise ValueError(
                f"precision='float16' needs a CUDA device, the model is on {self.device_type}; "
                "use 'auto', 'bfloat16' or 'float32'"
            )
        self.precision = precision
        self.scaler = torch.amp.GradScaler(self.device_type, enabled=precision == "float16")

    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters this optimiser updates."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context in which forward passes and losses are computed."""
        return autocast(self.precision, self.device_type)

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
            found = clip_slices(whole, cut, **self.clip_grad_kwargs)
        self.figures = {} if found is None else {"gradient_norm": found.detach()}

    def state_dict(self) -> dict[str, Any]:
        """Return the optimiser's state, the precision and, under float16, the scaler's state."""
        state: dict[str, Any] = {**super().state_dict(), "precision": self.precision}
        return {**state, "scaler": self.scaler.state_dict()} if self.scaler.is_enabled() else state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore :meth:`state_dict`; with ``auto`` the precision, too, whatever is fast here.

        A precision that the config names goes before the checkpoint's.
        """
        state = dict(state_dict)
        self._go_on_in(state.pop("precision", None))
        scaler = state.pop("scaler", None)
        if scaler and self.scaler.is_enabled():
            self.scaler.load_state_dict(scaler)
        super().load_state_dict(state)
        for parameter, moments in self.optimizer.state.items():
            for name, value in moments.items():
                moments[name] = self.exchange.cut_like(value, parameter)
        self._allow_mixed_slices()

    def _allow_mixed_slices(self) -> None:
        """Let torch update one parameter after the other where only some are cut into slices over ranks."""
        kinds = {local_part(parameter) is parameter for parameter in self.parameters()}
        for group in self.optimizer.param_groups if len(kinds) > 1 else ():
            group.update({name: False for name in ("fused", "foreach") if group.get(name)})

    def _go_on_in(self, saved: str | None) -> None:
        """Keep the precision that a checkpoint was trained in, or say that the run leaves it."""
        if saved == self.precision or saved not in PRECISIONS:
            return  # a checkpoint without a record: there is nothing to keep
        usable = saved != "float16" or self.device_type == "cuda"
        if self.chosen and usable:
            self._compute_in(saved)
            advice = self._advice(resumed=True)
            self.notes = [(WARNING, f"precision {saved}, as in the checkpoint; here {advice}")]
            return
        why = "as the config says" if usable else "float16 needs a CUDA device"
        text = (
            f"the checkpoint was trained in {saved}, this run goes on in {self.precision} ({why}): it will "
            "not be bit-identical to one that never stopped"
        )
        self.notes.append((WARNING, text))

    def _advice(self, resumed: bool = False) -> str:
        """Return what ``auto`` would be now and how to have it."""
        choice = choose(self.device_type)
        command = f"--cfg-options optim_wrapper.precision={choice.precision}"
        command = f"--resume --allow-changes {command}" if resumed else command
        return f"auto would be {choice}; to change it: {command}"


def precision_notes(wrappers: Iterable[OptimWrapper]) -> list[Note]:
    """Return what a run should log of its optimisers' precision, each thing once."""
    notes = [note for wrapper in wrappers for note in getattr(wrapper, "notes", ())]
    return list(dict.fromkeys(notes))
