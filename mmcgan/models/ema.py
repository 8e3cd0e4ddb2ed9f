"""Exponential moving average of a module's weights and buffers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmcgan.distributed import local_part

BUFFER_POLICIES = ("average", "copy")
INTEGER_POLICIES = ("copy", "average", "keep")


class ExponentialMovingAverage:
    """The rule ``target = beta * target + (1 - beta) * source`` and when it applies.

    The averaged module is an ordinary submodule of the model, so it is checkpointed with it;
    this object holds settings only.

    Args:
        decay: beta, in [0, 1]. Ignored when ``half_life_images`` is given.
        start: before this iteration the target copies the source.
        interval: weights are averaged only at multiples of this iteration count; buffers
            under the ``copy`` policy follow at every update.
        half_life_images: beta = 0.5^(batch / half_life_images), the StyleGAN2 rule.
        ramp_up: with ``half_life_images``, the half life is at most this share of the images
            seen so far, so that early, bad weights are forgotten sooner.
        buffers: ``average`` treats floating-point buffers (batch-norm statistics,
            spectral-norm vectors) like weights, as BigGAN-PyTorch and StudioGAN do;
            ``copy`` takes them from the source.
        integers: integer buffers are copied, averaged and truncated (BigGAN-PyTorch), or
            kept as they were at the last copy (MMEngine with averaged buffers).
        average_at_zero: at iteration 0 average even if ``start`` is later (BigGAN-PyTorch,
            where 0 means "no counter").

    Raises:
        ValueError: a setting is out of range or contradicts another.
    """

    def __init__(
        self,
        decay: float = 0.999,
        *,
        start: int = 0,
        interval: int = 1,
        half_life_images: float | None = None,
        ramp_up: float | None = None,
        buffers: str = "average",
        integers: str = "copy",
        average_at_zero: bool = False,
    ) -> None:
        if not 0 <= decay <= 1:
            raise ValueError(f"EMA decay must be in [0, 1], got {decay}")
        if start < 0 or interval < 1:
            raise ValueError(
                f"EMA needs start >= 0 and interval >= 1, got start={start}, interval={interval}"
            )
        if half_life_images is not None and half_life_images <= 0:
            raise ValueError(f"EMA half_life_images must be positive, got {half_life_images}")
        if ramp_up is not None and half_life_images is None:
            raise ValueError(f"EMA ramp_up={ramp_up} needs half_life_images")
        if buffers not in BUFFER_POLICIES:
            raise ValueError(f"EMA buffers must be one of {BUFFER_POLICIES}, got {buffers!r}")
        if integers not in INTEGER_POLICIES:
            raise ValueError(f"EMA integers must be one of {INTEGER_POLICIES}, got {integers!r}")
        self.decay, self.start, self.interval = decay, start, interval
        self.half_life_images, self.ramp_up = half_life_images, ramp_up
        self.buffers, self.integers, self.average_at_zero = buffers, integers, average_at_zero

    def decay_at(self, iteration: int, batch_size: float | None = None) -> float:
        """Return beta of this iteration; 0 means "copy".

        Args:
            iteration: number of the update, as the caller counts.
            batch_size: images of one iteration over all ranks; needed with
                ``half_life_images``.

        Raises:
            ValueError: ``half_life_images`` is set and no batch size given.
        """
        if iteration < self.start and not (iteration == 0 and self.average_at_zero):
            return 0.0
        if self.half_life_images is None:
            return self.decay
        if batch_size is None:
            raise ValueError("EMA half_life_images needs the batch size of the update")
        half_life = self.half_life_images
        if self.ramp_up is not None:
            half_life = min(half_life, iteration * batch_size * self.ramp_up)
        return float(0.5 ** (batch_size / max(half_life, 1e-8)))

    @torch.no_grad()
    def update(
        self, source: nn.Module, target: nn.Module, iteration: int, batch_size: float | None = None
    ) -> None:
        """Move ``target`` towards ``source`` in place.

        Args:
            source: the trained module.
            target: the averaged module, of the same architecture.
            iteration: see :meth:`decay_at`.
            batch_size: see :meth:`decay_at`.

        Raises:
            ValueError: the two modules have different tensors.
        """
        weights = _pairs(dict(source.named_parameters()), dict(target.named_parameters()))
        buffers = _pairs(dict(source.named_buffers()), dict(target.named_buffers()))
        floats = [pair for pair in buffers if pair[0].is_floating_point()]
        integers = [pair for pair in buffers if not pair[0].is_floating_point()]
        decay = self.decay_at(iteration, batch_size)
        if decay == 0.0:
            return _copy(weights + buffers)
        if self.buffers == "copy":
            _copy(floats)
        if self.integers == "copy":
            _copy(integers)
        if iteration % self.interval:
            return None
        _average(weights + (floats if self.buffers == "average" else []), decay)
        if self.integers == "average":
            _average_truncated(integers, decay)
        return None


Pair = tuple[Tensor, Tensor]


def _pairs(source: dict[str, Tensor], target: dict[str, Tensor]) -> list[Pair]:
    different = sorted(source.keys() ^ target.keys())
    if different:
        raise ValueError(f"EMA source and target have different tensors: {', '.join(different[:5])}")
    return [(local_part(value), local_part(target[name])) for name, value in source.items()]


def _copy(pairs: list[Pair]) -> None:
    for source, target in pairs:
        target.copy_(source)


def _average(pairs: list[Pair], decay: float) -> None:
    """Lerp by 1 - decay, in one call per device instead of one per tensor."""
    if pairs:
        sources, targets = zip(*pairs, strict=True)
        torch._foreach_lerp_(list(targets), list(sources), 1 - decay)


def _average_truncated(pairs: list[Pair], decay: float) -> None:
    for source, target in pairs:
        target.copy_(target * decay + source * (1 - decay))
