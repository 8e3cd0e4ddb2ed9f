"""A loss of one's own."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from mmcgan.losses import Loss
from mmcgan.registry import LOSSES


@LOSSES.register_module()
class LogisticLoss(Loss):
    """log(1 + exp(-s * scale)) for what should score high, log(1 + exp(s * scale)) for the rest."""

    def __init__(self, scale: float = 8.0) -> None:
        super().__init__()
        self.scale = scale

    def real(self, score: Tensor) -> Tensor:
        """Real images should score high; score (N,)."""
        return F.softplus(-self.scale * score).mean()

    def fake(self, score: Tensor) -> Tensor:
        """Generated images should score low when the discriminator learns."""
        return F.softplus(self.scale * score).mean()

    def generated(self, score: Tensor) -> Tensor:
        """Generated images should score high when the generator learns."""
        return self.real(score)
