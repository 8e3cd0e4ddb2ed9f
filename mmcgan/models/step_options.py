"""How one iteration is divided into mini-batches and discriminator passes."""

from __future__ import annotations

from dataclasses import dataclass


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
    """

    n_critic: int = 1
    d_accumulation: int = 1
    g_accumulation: int = 1
    generator_batch_size: int | None = None
    split_d: bool = True
    real_first: bool = True
    generator_first: bool = False
    track_generator_statistics: bool = True

    def __post_init__(self) -> None:
        for name in ("n_critic", "d_accumulation", "g_accumulation"):
            if getattr(self, name) < 1:
                raise ValueError(f"model.step.{name} must be at least 1, got {getattr(self, name)}")
        if self.generator_batch_size is not None and self.generator_batch_size < 1:
            raise ValueError(
                f"model.step.generator_batch_size must be at least 1, got {self.generator_batch_size}"
            )

    @property
    def real_mini_batches(self) -> int:
        """Mini-batches of real images that one iteration consumes."""
        return self.n_critic * self.d_accumulation
