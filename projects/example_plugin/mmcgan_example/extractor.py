"""An extractor of one's own, as in docs/extending/extractor.md."""

from typing import ClassVar

import torch
from torch import nn

from mmcgan.extractors import Extractor, ExtractorOutput, Preprocessing
from mmcgan.registry import EXTRACTORS


@EXTRACTORS.register_module()
class RandomFeatures(Extractor):
    """Features of one convolution whose weights are random but fixed."""

    short_names: ClassVar = {"random-features": {}}  # --extractor random-features

    def __init__(self, size: int = 32, feature_dim: int = 16) -> None:
        super().__init__("random-features", Preprocessing(size))
        self.feature_dim = feature_dim  # must be set; so must num_classes if there are logits
        self.network = nn.Conv2d(3, feature_dim, 5, stride=4)
        weights = torch.randn(self.network.weight.shape, generator=torch.Generator().manual_seed(0))
        self.network.weight.data.copy_(weights)
        nn.init.zeros_(self.network.bias)
        self.freeze()

    def encode(self, pixels):
        """Return features of normalised images (N, 3, size, size)."""
        return ExtractorOutput(self.network(pixels).relu().mean((2, 3)))
