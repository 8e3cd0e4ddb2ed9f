"""A regulariser of one's own, as in docs/extending/regularizer.md."""

from mmcgan.registry import REGULARIZERS
from mmcgan.regularizers.base import LogitRegularizer


@REGULARIZERS.register_module()
class SmallLogits(LogitRegularizer):
    """The mean square of the real logits."""

    def forward(self, context):
        """Return the scalar; it is weighted by ``weight`` and ``interval``."""
        return context.real_scores[self.logit].square().mean()
