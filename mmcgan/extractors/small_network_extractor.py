"""What the extractors around a small network share."""

from __future__ import annotations

from torch import Tensor

from mmcgan.extractors.base import Extractor, ExtractorOutput
from mmcgan.extractors.small_network import SmallNetwork


class SmallNetworkExtractor(Extractor):
    """Base of extractors that look with a :class:`~mmcgan.extractors.small_network.SmallNetwork`."""

    network: SmallNetwork

    def encode(self, pixels: Tensor) -> ExtractorOutput:
        """Return features (N, F), non-negative, and logits: of classes (N, C), or of attributes (N, A)."""
        features, logits = self.network(pixels)
        return ExtractorOutput(features, logits)

    def feature_maps(self, pixels: Tensor) -> list[Tensor]:
        """Return the maps behind the stem and every stage: strides 1, 2, 4, ..."""
        return self.network.maps(pixels)
