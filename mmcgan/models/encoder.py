"""From an image to the law of its latent: the encoder of a conditional VAE."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcgan.models.layers import SpectralNormArg, conv2d, linear
from mmcgan.models.layers.spade import LEAK
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL

#: what an encoder tells of a latent's law
LAW = ("mean", "log_variance")
BOTTOM = 4
WIDEST = 8


class SPADEEncoder(nn.Module):
    """Image -> mean and log-variance of its latent (Park et al. 2019, Sec. 3, Fig. 14).

    Images of any size are resized to a square first (bilinear, without antialiasing), so that the
    aspect ratio is lost, as in the authors' code.

    Args:
        latent_dim: length of both vectors.
        base_channels: channels of the first convolution; doubled up to 8 times as many.
        side: of the square, 4 times a power of two.
        spectral_norm: for the convolutions.

    Raises:
        ValueError: an impossible ``side``.
    """

    def __init__(
        self,
        latent_dim: int = 256,
        base_channels: int = 64,
        side: int = 256,
        spectral_norm: SpectralNormArg = CLASSIC_SPECTRAL,
    ) -> None:
        super().__init__()
        count = int(math.log2(max(side, 1) / BOTTOM))
        if count < 1 or side != BOTTOM << count:
            raise ValueError(f"SPADEEncoder: side must be 8, 16, 32, ... pixels, got {side}")
        widths = [3, *(base_channels * min(WIDEST, 1 << index) for index in range(count))]
        self.side = side
        self.blocks = nn.ModuleList(
            conv2d(before, after, 3, stride=2, padding=1, bias=False, spectral_norm=spectral_norm)
            for before, after in pairwise(widths)
        )
        self.mean = linear(widths[-1] * BOTTOM**2, latent_dim)
        self.log_variance = linear(widths[-1] * BOTTOM**2, latent_dim)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, (N, latent_dim) each, of images (N, 3, H, W) in [-1, 1]."""
        x = image
        if x.shape[2:] != (self.side, self.side):
            x = F.interpolate(x, size=(self.side, self.side), mode="bilinear")
        for block in self.blocks:
            # without gain and bias an instance norm has no state: one serves every width
            x = F.leaky_relu(F.instance_norm(block(x)), LEAK)
        features = x.flatten(1)
        return self.mean(features), self.log_variance(features)


def encoder_of(latent_dim: int, options: Mapping[str, Any] | None) -> SPADEEncoder | None:
    """Return the encoder that ``options`` ask for; None without any.

    Raises:
        ValueError: an option it does not have or one out of range, or no latent to encode into.
    """
    if options is None:
        return None
    if not latent_dim:
        raise ValueError("encoder: there is no latent to encode into; set latent_dim (256 in SPADE)")
    try:
        return SPADEEncoder(latent_dim, **options)
    except TypeError as error:
        raise ValueError(f"encoder: {error}") from error


def sample_law(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Return ``mean + exp(log_variance / 2) * noise``, the reparameterised draw (N, D)."""
    return mean + torch.exp(0.5 * log_variance) * noise
