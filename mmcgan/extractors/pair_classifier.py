"""A classifier of pairs: one small classifier asked about the red and about the green channel."""

from __future__ import annotations

import torch
from torch import Tensor

from mmcgan.extractors.base import Extractor, ExtractorOutput, Preprocessing
from mmcgan.extractors.small_classifier import SmallClassifier
from mmcgan.precision import Precision
from mmcgan.registry import EXTRACTORS


@EXTRACTORS.register_module()
class PairClassifier(Extractor):
    """Features and logits of images whose red and green channels show two things, as ``GarmentPairs`` has.

    Features (N, 2 F) are those of both channels side by side. Logits (N, C * C) are the sums of the
    logarithms of both probabilities: class C a + b is a in red and b in green, both judged independently.

    Args:
        weights: of the classifier of one channel, see :class:`SmallClassifier`.
        precision: ``float32``, ``bfloat16`` or ``auto``.
    """

    disk_arguments = ("weights",)

    def __init__(self, weights: str = "fashion-mnist-32", precision: Precision = "float32") -> None:
        each = SmallClassifier(weights, precision)
        super().__init__(f"{each.name} on each channel", Preprocessing(each.record.image_size), precision)
        self.each = each
        self.feature_dim, self.num_classes = 2 * each.feature_dim, each.network.num_classes**2
        if each.classes is not None:
            self.classes = [f"{red} + {green}" for red in each.classes for green in each.classes]
        self.freeze()

    def encode(self, pixels: Tensor) -> ExtractorOutput:
        """Return features (N, 2 F) and logits (N, C * C) of images (N, 3, H, W)."""
        red, green = (self.each.encode(pixels[:, c : c + 1].expand(-1, 3, -1, -1)) for c in (0, 1))
        assert red.logits is not None and green.logits is not None
        joint = red.logits.log_softmax(1)[:, :, None] + green.logits.log_softmax(1)[:, None]
        return ExtractorOutput(torch.cat([red.features, green.features], 1), joint.flatten(1))
