"""Two latents of one condition must make two images."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from mmcgan.distributed import draw_shared
from mmcgan.registry import REGULARIZERS
from mmcgan.regularizers.base import Regularizer, StepContext


@REGULARIZERS.register_module()
class ModeSeeking(Regularizer):
    """Mode seeking (Mao et al. 2019): images of one condition are apart as far as their latents are.

    ``1 / (d(G(z), G(z')) / d(z, z') + epsilon)``, as in the authors' code: d is the mean absolute difference
    of all pixels, and of all numbers of the latents; z' is drawn anew from its law, the condition is the
    same. Small where images differ, huge where a generator makes one image of a condition whatever the
    latent. The authors show both images to the discriminator; here the second one is compared alone.

    Args:
        weight: 1 in the paper.
        share: of the step's images that get a second one, above 0 and at most 1, the authors'. Less costs
            less: that part of a generator's pass.
        epsilon: keeps the quotient finite; 1e-5 in the authors' code.

    Raises:
        ValueError: ``share`` or ``epsilon`` is out of range.
    """

    allowed_on = ("generator",)

    def __init__(
        self,
        on: str = "generator",
        weight: float = 1.0,
        interval: int = 1,
        share: float = 1.0,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__(on, weight, interval)
        if not 0 < share <= 1:
            raise ValueError(f"ModeSeeking: share must be above 0 and at most 1, got {share}")
        if not epsilon > 0:
            raise ValueError(f"ModeSeeking: epsilon must be greater than 0, got {epsilon}")
        self.share, self.epsilon = share, epsilon

    def forward(self, context: StepContext) -> Tensor:
        """Return the inverse quotient, a scalar.

        Raises:
            ValueError: the generator takes no latents.
        """
        if context.latent.shape[1] == 0:
            raise ValueError("ModeSeeking: the generator takes no latents (latent_dim 0) that could differ")
        count = max(1, round(self.share * len(context.latent)))
        latent, stream = context.latent[:count], context.random["second latent"]
        drawn = draw_shared(lambda n: context.network.draw_latents(n, stream), count)
        other = drawn.to(latent, non_blocking=True)
        image = context.generate(other, context.fake.condition[:count])
        apart = F.l1_loss(image, context.fake.image[:count]) / F.l1_loss(other, latent)
        return 1 / (apart + self.epsilon)
