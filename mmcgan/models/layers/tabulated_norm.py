"""Batch normalisation by statistics that were stored for a grid of truncations."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class TabulatedBatchNorm2d(nn.Module):
    """Normalises by stored means and variances, a row per truncation 0, 1/(rows-1), ..., 1.

    The published BigGAN-deep generators keep their statistics this way, because truncated latents have
    other statistics (Brock et al., 2019, Sec. 3.1). The module never updates them.

    Args:
        channels: channels of the image features.
        rows: number of truncations, at least 2.
        eps: added to the variance.
        affine: keep a gain and a bias per channel.
        swapped: between two rows, weight each by the *other's* share. The weights of
            ``pytorch-pretrained-biggan`` are used that way by their code; for comparison with it only.

    Attributes:
        truncation: in [0, 1], which row to use.

    Raises:
        ValueError: fewer than two rows.
    """

    means: Tensor
    variances: Tensor

    def __init__(
        self, channels: int, rows: int, eps: float = 1e-5, *, affine: bool = True, swapped: bool = False
    ) -> None:
        super().__init__()
        if rows < 2:
            raise ValueError(f"a table of batch-norm statistics needs at least 2 rows, got {rows}")
        self.rows, self.eps, self.swapped = rows, eps, swapped
        self.truncation = 1.0
        self.register_buffer("means", torch.zeros(rows, channels))
        self.register_buffer("variances", torch.ones(rows, channels))
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Return mean and variance (C,) at the present truncation.

        Raises:
            ValueError: the truncation is outside the table.
        """
        if not 0 <= self.truncation <= 1:
            raise ValueError(f"truncation must be in [0, 1], the range of the table, got {self.truncation}")
        share, index = math.modf(self.truncation / (1 / (self.rows - 1)))
        row = int(index)
        if share == 0 or row + 1 >= self.rows:
            return self.means[row], self.variances[row]
        share = 1 - share if self.swapped else share
        mean, variance = (
            torch.lerp(table[row], table[row + 1], share) for table in (self.means, self.variances)
        )
        return mean, variance

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (N, C, H, W) per channel."""
        mean, variance = self.statistics()
        return F.batch_norm(input, mean, variance, self.weight, self.bias, False, 0.0, self.eps)
