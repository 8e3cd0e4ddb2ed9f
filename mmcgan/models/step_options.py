"""How one iteration is divided into mini-batches and discriminator passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

GENERATOR_REAL = ("shared", "own")
Batch = TypeVar("Batch")


@dataclass(frozen=True)
class StepOptions:
    """The options of :meth:`ConditionalGAN.train_step`.

    Attributes:
        n_critic: discriminator updates per generator update, each on its own mini-batch.
        d_accumulation, g_accumulation: mini-batches whose gradients one update averages.
        generator_batch_size: fakes per generator mini-batch; the real mini-batch size if None.
        split_d: score real and fake in two passes (StudioGAN) rather than one concatenated pass
            (BigGAN-PyTorch). One pass is faster and moves spectral-norm vectors once; batch
            statistics of a discriminator with batch norm differ between the two.
        real_first: with ``split_d``, whether real images pass first.
        generator_first: update the generator before the discriminator learns from the same real
            mini-batches (SPADE); new images are made for the latter.
        track_generator_statistics: whether the generator's batch-norm running statistics move
            in the discriminator's step (BigGAN: yes, StudioGAN: no).
        generator_real: which real mini-batches stand beside the generator's fakes, for losses and condition
            samplers that look at them: ``shared``, the last ones that the discriminator saw, or ``own``,
            fresh ones (R3GAN), which the loader's batch then contains as well.
    """

    n_critic: int = 1
    d_accumulation: int = 1
    g_accumulation: int = 1
    generator_batch_size: int | None = None
    split_d: bool = True
    real_first: bool = True
    generator_first: bool = False
    track_generator_statistics: bool = True
    generator_real: str = "shared"

    def __post_init__(self) -> None:
        for name in ("n_critic", "d_accumulation", "g_accumulation"):
            if getattr(self, name) < 1:
                raise ValueError(f"model.step.{name} must be at least 1, got {getattr(self, name)}")
        if self.generator_real not in GENERATOR_REAL:
            raise ValueError(
                f"model.step.generator_real must be one of {list(GENERATOR_REAL)}, "
                f"got {self.generator_real!r}"
            )
        if self.generator_batch_size is not None and self.generator_batch_size < 1:
            raise ValueError(
                f"model.step.generator_batch_size must be at least 1, got {self.generator_batch_size}"
            )

    @property
    def real_mini_batches(self) -> int:
        """Mini-batches of real images that one iteration consumes."""
        own = self.g_accumulation if self.generator_real == "own" else 0
        return self.n_critic * self.d_accumulation + own

    def beside_generator(self, real: Sequence[Batch]) -> list[Batch]:
        """Return, of an iteration's real mini-batches, those that stand beside the generator's."""
        if self.generator_real == "own":
            return list(real[-self.g_accumulation :])
        return [real[-1 - i % len(real)] for i in range(self.g_accumulation)]
