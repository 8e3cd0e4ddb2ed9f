"""Keeps the real logits near 0, where a critic's own objective leaves their level free."""

from __future__ import annotations

from torch import Tensor

from mmcgan.registry import REGULARIZERS
from mmcgan.regularizers.base import LogitRegularizer, StepContext


@REGULARIZERS.register_module()
class LogitDrift(LogitRegularizer):
    """mean D(x)^2 over real images (Progressive GAN, App. A.1; MMagic's discriminator shift).

    Args:
        weight: 0.001 in the paper.
        logit: which named output is kept near 0.
        reading: what of it, see :class:`~mmcgan.regularizers.base.LogitRegularizer`.
    """

    paper_weight = 0.001

    def forward(self, context: StepContext) -> Tensor:
        """Return the mean square, a scalar."""
        assert context.real_scores is not None
        return self.realness(context.real_scores).square().mean()
