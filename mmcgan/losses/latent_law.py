"""How far the law of an encoded latent is from the one that is sampled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from mmcgan.losses.base import Loss
from mmcgan.registry import LOSSES


@LOSSES.register_module()
class LatentLawLoss(Loss):
    """Kullback-Leibler divergence of N(mean, variance) from N(0, 1), summed over batch and axes.

    For a generator with an encoder (Kingma and Welling 2014, Appendix B). The sum over the batch is
    SPADE's: the term grows with the mini-batch.
    """

    default_inputs: ClassVar[Mapping[str, str]] = {
        "mean": "latent.mean",
        "log_variance": "latent.log_variance",
    }

    def generated(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """Return the scalar; both (N, latent_dim)."""
        return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
