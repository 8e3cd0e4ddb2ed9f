"""Weight clipping, the first Lipschitz constraint."""

from __future__ import annotations

import torch
from torch import nn

from mmcgan.registry import REGULARIZERS
from mmcgan.regularizers.base import Regularizer


@REGULARIZERS.register_module()
class WeightClipping(Regularizer):
    """Clips every parameter to [-bound, bound] after the discriminator's step (WGAN, Algorithm 1).

    Args:
        bound: positive; 0.01 in the paper.

    Raises:
        ValueError: ``bound`` is not positive.
    """

    allowed_on = ("discriminator",)

    def __init__(self, on: str = "discriminator", bound: float = 0.01, interval: int = 1) -> None:
        super().__init__(on, interval=interval)
        if bound <= 0:
            raise ValueError(f"WeightClipping: bound must be positive, got {bound}")
        self.bound = bound

    @torch.no_grad()
    def after_step(self, network: nn.Module) -> None:
        """Clip all parameters of ``network`` in place."""
        for parameter in network.parameters():
            parameter.clamp_(-self.bound, self.bound)
