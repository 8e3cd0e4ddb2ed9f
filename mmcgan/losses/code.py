"""How well a latent code is guessed (InfoGAN's bound on the mutual information)."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor

#: keeps the logarithm and the quotient finite for vanishing variances
EPSILON = 1e-6


def categorical_code_loss(logits: Tensor, code: Tensor) -> Tensor:
    """Return the cross-entropy, summed over codes and averaged over samples.

    Args:
        logits: (N, codes, values).
        code: int64 (N, codes), the value of each code.
    """
    return F.cross_entropy(logits.transpose(1, 2), code, reduction="none").sum(1).mean()


def gaussian_code_loss(code: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    """Return the negative log-likelihood, summed over codes and averaged over samples (InfoGAN, Sec. 6).

    Args:
        code, mean: (N, codes).
        variance: (N, codes), positive.
    """
    spread = 0.5 * (2 * math.pi * variance + EPSILON).log()
    return (spread + (code - mean).square() / (2 * variance + EPSILON)).sum(1).mean()
