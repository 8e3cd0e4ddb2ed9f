"""Kernel Inception Distance: the unbiased maximum mean discrepancy with a cubic kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from mmcgan.evaluation.metrics.collected import CollectedMetric
from mmcgan.neighbours.checks import check_pair
from mmcgan.neighbours.selection import blocks
from mmcgan.random import make_generator
from mmcgan.registry import GENERATION_METRICS

BLOCK = 2048


def _kernel_sum(first: Tensor, second: Tensor, exclude_self: bool) -> float:
    """Return Σ (x·y / F + 1)³ in float64, over pairs of different rows if ``exclude_self``."""
    total, width = 0.0, first.shape[1]
    for rows in blocks(len(first), BLOCK):
        left = first[rows].double()
        for columns in blocks(len(second), BLOCK):
            total += float((left @ second[columns].double().T).div_(width).add_(1).pow_(3).sum())
        if exclude_self:
            total -= float(left.square().sum(dim=1).div_(width).add_(1).pow_(3).sum())
    return total


def kernel_distance(real: Tensor, fake: Tensor) -> float:
    """Return the unbiased estimate of the squared MMD with the kernel (x·y / F + 1)³.

    Bińkowski et al. 2018, section 4, over all vectors, in float64. Being unbiased it can be negative.

    Args:
        real: (N, F), N at least 2.
        fake: (M, F), M at least 2.

    Raises:
        ValueError: vectors that cannot be compared, or fewer than two.
    """
    check_pair(real, fake)
    n, m = len(real), len(fake)
    if min(n, m) < 2:
        raise ValueError(f"an unbiased kernel distance needs at least 2 images per side, got {n} and {m}")
    within = _kernel_sum(real, real, True) / (n * (n - 1)) + _kernel_sum(fake, fake, True) / (m * (m - 1))
    return within - 2 * _kernel_sum(real, fake, False) / (n * m)


def kernel_distance_of_subsets(
    real: Tensor, fake: Tensor, subsets: int, subset_size: int, generator: torch.Generator
) -> tuple[float, float]:
    """Return mean and population deviation of the distance over random subsets of equal size.

    Args:
        real: (N, F).
        fake: (M, F).
        subsets: how many draws, each without replacement.
        subset_size: vectors per side and draw.
        generator: decides the draws.

    Raises:
        ValueError: vectors that cannot be compared, or fewer than ``subset_size``.
    """
    check_pair(real, fake)
    if subsets < 1 or not 2 <= subset_size <= min(len(real), len(fake)):
        raise ValueError(
            f"KID: cannot draw {subsets} subsets of {subset_size} from {len(real)} real and {len(fake)} "
            f"generated images; subset_size is 2..{min(len(real), len(fake))}"
        )
    values = []
    for _ in range(subsets):
        draw = [torch.randperm(len(part), generator=generator)[:subset_size] for part in (real, fake)]
        values.append(kernel_distance(real[draw[0]], fake[draw[1]]))
    found = torch.tensor(values, dtype=torch.float64)
    return float(found.mean()), float(found.std(correction=0))


@GENERATION_METRICS.register_module()
class KID(CollectedMetric):
    """Kernel Inception Distance (Bińkowski et al. 2018) between generated and real images.

    Args:
        subsets: number of random subsets (100 in torch-fidelity and clean-fid); 0 uses all images once.
        subset_size: images per side and subset (1000 in torch-fidelity and clean-fid).
        max_images: see :class:`CollectedMetric`.
        seed: decides the subsets.

    Raises:
        ValueError: a number is out of range.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"kid": {}}
    suite: ClassVar[tuple[str, ...]] = ("kid",)
    better: ClassVar[Mapping[str, str]] = {"kid": "less"}
    needs_distinct: ClassVar[bool] = True
    figures = ("kid", "kid_std")

    def __init__(
        self, subsets: int = 100, subset_size: int = 1000, max_images: int | None = None, seed: int = 0
    ) -> None:
        super().__init__(max_images, seed)
        if subsets < 0 or subset_size < 2:
            raise ValueError(f"KID: subsets={subsets} must be >= 0 and subset_size={subset_size} >= 2")
        self.subsets = subsets
        self.subset_size = subset_size
        self.least_generated = self.least_real = subset_size if subsets else 2

    def shortage(self, generated: int | None, real: int | None) -> str | None:
        """Return why so few images give no figure, and which setting would."""
        reason = super().shortage(generated, real)
        advice = "set subset_size, on the command line kid:subset_size=N, or subsets=0 for all images at once"
        return f"{reason}; {advice}" if reason and self.subsets else reason

    def compute(self) -> dict[str, float]:
        """Return ``kid`` and, over subsets, ``kid_std``.

        Raises:
            ValueError: fewer images than ``subset_size``.
        """
        real, fake = self.real().features, self.generated().features
        if not self.subsets:
            return {"kid": kernel_distance(real, fake)}
        generator = make_generator(self.seed, "kid")
        mean, deviation = kernel_distance_of_subsets(real, fake, self.subsets, self.subset_size, generator)
        return {"kid": mean, "kid_std": deviation}

    def settings(self) -> dict[str, Any]:
        """Return the arguments and the kernel."""
        own = {"subsets": self.subsets, "subset_size": self.subset_size, "kernel": "(x.y/F + 1)^3"}
        return {**super().settings(), **own}
