"""How well a latent code is guessed (InfoGAN's bound on the mutual information)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from mmcgan.losses.base import Loss
from mmcgan.registry import LOSSES

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


@LOSSES.register_module()
class CategoricalCodeLoss(Loss):
    """InfoGAN's bound for categorical codes, on generated images (Eq. 5).

    ``weights=dict(generated=1.)`` with the code head adopted by the generator's optimiser is
    StudioGAN's; ``fake`` lets the discriminator's own layers learn the codes, too.
    """

    default_inputs: ClassVar[Mapping[str, str]] = {
        "logits": "discrete_code.logits",
        "code": "latent.discrete",
    }

    def fake(self, logits: Tensor, code: Tensor) -> Tensor:
        """Return :func:`categorical_code_loss` in the discriminator's step."""
        return categorical_code_loss(logits, code)

    def generated(self, logits: Tensor, code: Tensor) -> Tensor:
        """Return :func:`categorical_code_loss` in the generator's step."""
        return categorical_code_loss(logits, code)


@LOSSES.register_module()
class GaussianCodeLoss(Loss):
    """InfoGAN's bound for continuous codes; views as in :class:`CategoricalCodeLoss`."""

    default_inputs: ClassVar[Mapping[str, str]] = {
        "mean": "continuous_code.mean",
        "variance": "continuous_code.variance",
        "code": "latent.continuous",
    }

    def fake(self, mean: Tensor, variance: Tensor, code: Tensor) -> Tensor:
        """Return :func:`gaussian_code_loss` in the discriminator's step."""
        return gaussian_code_loss(code, mean, variance)

    def generated(self, mean: Tensor, variance: Tensor, code: Tensor) -> Tensor:
        """Return :func:`gaussian_code_loss` in the generator's step."""
        return gaussian_code_loss(code, mean, variance)
