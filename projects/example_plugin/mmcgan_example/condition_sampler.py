"""A condition law of one's own, as in docs/extending/condition_sampler.md."""

import torch

from mmcgan.registry import SAMPLERS
from mmcgan.samplers import ConditionSampler
from mmcgan.structures import Condition


@SAMPLERS.register_module()
class ZipfLabel(ConditionSampler):
    """Class c with a probability proportional to 1 / (c + 1)."""

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.weights = 1 / torch.arange(1, num_classes + 1, dtype=torch.float64)

    def sample(self, n, generator):
        """Draw n labels; all randomness comes from ``generator``."""
        weights = self.weights.to(generator.device)
        return Condition(label=torch.multinomial(weights, n, replacement=True, generator=generator))
