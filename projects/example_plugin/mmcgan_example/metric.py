"""A metric of one's own, as in docs/extending/metric.md."""

from typing import ClassVar

import torch
from mmengine.dist import all_reduce

from mmcgan.evaluation import GenerationMetric
from mmcgan.registry import GENERATION_METRICS


@GENERATION_METRICS.register_module()
class FeatureSpread(GenerationMetric):
    """Mean standard deviation of the features: 0 if all images are alike."""

    short_names: ClassVar = {"spread": {}}  # --metrics spread
    suite = ("spread",)  # part of --metrics all
    better: ClassVar = {"feature_spread": "greater"}
    figures = ("feature_spread",)

    def reset(self):
        """Forget all images."""
        self.sums = torch.zeros(3, 1, dtype=torch.float64)

    def update(self, output, condition):
        """Add a batch."""
        x = output.features.double().cpu()
        new = torch.stack([torch.full_like(x[0], len(x)), x.sum(0), x.square().sum(0)])
        self.sums = self.sums + new

    def merge(self):
        """Add up what all ranks gathered."""
        all_reduce(self.sums, "sum")

    def compute(self):
        """Return the figure."""
        count, total, squares = self.sums
        variance = (squares / count - (total / count) ** 2).clamp_min(0)
        return {"feature_spread": float(variance.sqrt().mean())}
