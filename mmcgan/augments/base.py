"""What an augmentation is, and where its random numbers come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from mmcgan.contracts import Contract, Reading, Value, names, whole_number
from mmcgan.returned import check_like
from mmcgan.structures import GANBatch

Scores = Mapping[str, Tensor]


class Draws:
    """The random numbers of one call of an augmentation, one row per image.

    Every draw has a name, so that a test or a parity check can replace single ones.

    Args:
        generator: the only source of randomness.
        image: (N, C, H, W); gives the number of rows, the type and the device.
    """

    def __init__(self, generator: torch.Generator, image: Tensor) -> None:
        self._generator = generator
        self._rows, self._device, self._dtype = len(image), image.device, image.dtype

    def uniform(self, name: str, *shape: int) -> Tensor:
        """Return numbers in [0, 1), (N, *shape)."""
        drawn = torch.rand(self._rows, *shape, generator=self._generator, device=self._generator.device)
        return drawn.to(self._device, self._dtype)

    def normal(self, name: str, *shape: int) -> Tensor:
        """Return standard normal numbers, (N, *shape)."""
        drawn = torch.randn(self._rows, *shape, generator=self._generator, device=self._generator.device)
        return drawn.to(self._device, self._dtype)

    def integer(self, name: str, low: int, high: int) -> Tensor:
        """Return integers in [low, high], int64 (N,)."""
        device = self._generator.device
        drawn = torch.randint(low, high + 1, (self._rows,), generator=self._generator, device=device)
        return drawn.to(self._device)

    def chosen(self, name: str, probability: Tensor | float) -> Tensor:
        """Return which images are chosen, each with ``probability``, bool (N,)."""
        return self.uniform(name) < probability


class Augment(Reading, nn.Module):
    """Changes images in front of the discriminator, differentiably; the base class changes nothing.

    A subclass overrides :meth:`transform` and, where it needs them, :meth:`observe` and
    :meth:`pair`. What it must remember it keeps in buffers, which are checkpointed.

    Args:
        same_draw: give the i-th real and the i-th generated image of a discriminator step the same
            random numbers.

    Attributes:
        reads: names of the discriminator's tensors that :meth:`observe` reads.
        min_size: smallest height and width that can be augmented.
    """

    contract: ClassVar[Contract] = Contract(
        "augment",
        "docs/extending/augment.md",
        either=("transform", "observe", "pair", "forward"),
        values={
            "reads": Value("a tuple of named tensors, () for none", names),
            "min_size": Value("a whole number of pixels", whole_number),
        },
    )

    min_size: int = 1

    def __init__(self, same_draw: bool = False) -> None:
        super().__init__()
        self.same_draw = same_draw

    def forward(self, image: Tensor, generator: torch.Generator) -> Tensor:
        """Return augmented images of the same shape; images (N, C, H, W) in [-1, 1].

        Results are not clipped. Every random number comes from ``generator``.

        Raises:
            ValueError: the images are smaller than ``min_size``.
        """
        self.check_size(*image.shape[-2:])
        # in full precision whatever the networks compute in
        with torch.autocast(image.device.type, enabled=False):
            changed = self.transform(image, Draws(generator, image))
        check_like(self, "transform", changed, image)
        return changed

    def transform(self, image: Tensor, draws: Draws) -> Tensor:
        """Return the images changed as ``draws`` says."""
        return image

    def observe(self, real: Scores, fake: Scores) -> None:
        """Look at the named outputs of one mini-batch of a discriminator step."""

    def pair(self, real: GANBatch, fake: GANBatch, generator: torch.Generator) -> tuple[GANBatch, GANBatch]:
        """Return what the discriminator's step shows as real and as generated."""
        return real, fake

    def report(self) -> dict[str, Tensor]:
        """Return detached scalars for the log, by name."""
        return {}

    def both(self, first: Tensor, second: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return real and generated images, in either order, augmented; with ``same_draw`` alike."""
        state = generator.get_state() if self.same_draw else None
        changed = self(first, generator)
        if state is not None:
            generator.set_state(state)
        return changed, self(second, generator)

    def check_size(self, height: int, width: int) -> None:
        """Refuse images that are too small.

        Raises:
            ValueError: ``height`` or ``width`` is below ``min_size``.
        """
        if min(height, width) < self.min_size:
            raise ValueError(
                f"{type(self).__name__}: images of {height} x {width} are too small; "
                f"the smallest it takes is {self.min_size} x {self.min_size}"
            )
