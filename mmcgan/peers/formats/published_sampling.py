"""Latents and pixels exactly as pytorch-pretrained-biggan makes them, to get its very images."""

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import truncnorm
from torch import Tensor

#: Its latents are drawn from [-2, 2] and then scaled, not drawn again at another threshold.
THRESHOLD = 2.0


def published_noise(size: int, latent_dim: int, truncation: float, seed: int) -> Tensor:
    """Return ``truncation`` times a normal draw restricted to [-2, 2], float32 (size, latent_dim).

    The numbers are those of NumPy's legacy generator, for which there is no torch counterpart.
    """
    source = np.random.RandomState(seed)
    drawn = truncnorm.rvs(-THRESHOLD, THRESHOLD, size=(size, latent_dim), random_state=source)
    return torch.from_numpy(truncation * drawn.astype(np.float32))


def published_pixels(image: Tensor) -> Tensor:
    """Return uint8 of images in [-1, 1]: scaled by 256 and cut off, where we scale by 255 and round."""
    return ((image + 1) / 2 * 256).clamp(0, 255).to(torch.uint8)
