"""Codes of a latent as a part of what conditional batch norms see (InfoGAN)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.models.layers.factories import linear
from mmcgan.models.layers.spectral_norm import SpectralNormArg


class CodeProjection(nn.Module):
    """Cuts the codes off a latent and maps them linearly to a vector for the batch norms.

    StudioGAN's injection "cBN" (Chen et al., InfoGAN, 2016, for the codes themselves).

    Args:
        code_dim: number of columns of all codes, the last ones of the latent.
        dim: length of the vector.
        num_classes: how many classes there are, where the condition is labels (N,) rather than vectors.
        spectral_norm: applied to the map.

    Raises:
        ValueError: ``code_dim`` is not positive.
    """

    def __init__(
        self, code_dim: int, dim: int, num_classes: int = 0, spectral_norm: SpectralNormArg = None
    ) -> None:
        super().__init__()
        if code_dim < 1:
            raise ValueError(f"CodeProjection: code_dim must be at least 1, got {code_dim}")
        self.code_dim, self.num_classes = code_dim, num_classes
        self.linear = linear(code_dim, dim, spectral_norm=spectral_norm)

    def forward(self, latent: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the noise (N, D - code_dim) and the condition joined with the codes' vector.

        One-hot labels come in front of the vector, embedded conditions behind it.

        Args:
            latent: noise and codes (N, D).
            condition: labels (N,), vectors (N, E), or None.
        """
        noise, codes = latent[:, : -self.code_dim], latent[:, -self.code_dim :]
        vector = self.linear(codes)
        if condition is None:
            return noise, vector
        if self.num_classes:
            if not condition.is_floating_point():  # else a mixture of classes
                condition = F.one_hot(condition, self.num_classes)
            return noise, torch.cat([condition.to(vector.dtype), vector], dim=1)
        return noise, torch.cat([vector, condition.to(vector.dtype)], dim=1)


def code_projection(
    code_dim: int, dim: int, num_classes: int = 0, spectral_norm: SpectralNormArg = None
) -> CodeProjection | None:
    """Return a :class:`CodeProjection`, or None for ``code_dim`` 0."""
    return CodeProjection(code_dim, dim, num_classes, spectral_norm) if code_dim else None
