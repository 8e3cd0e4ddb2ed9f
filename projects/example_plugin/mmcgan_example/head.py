"""A head of one's own."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from mmcgan.models.heads import Head
from mmcgan.models.layers import embedding
from mmcgan.registry import HEADS
from mmcgan.structures import Condition


@HEADS.register_module()
class CosineHead(Head):
    """How well an image's features point towards its class; emits ``similarity`` (N,) in [-1, 1]."""

    emits = ("similarity",)
    requires = ("label",)
    reads = ("pooled",)

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.direction = embedding(num_classes, in_channels)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return the cosine between pooled features (N, C) and the direction of ``condition.label``."""
        return {"similarity": F.cosine_similarity(features["pooled"], self.direction(condition.label))}
