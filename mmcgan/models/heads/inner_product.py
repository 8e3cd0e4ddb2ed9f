"""The head of R3GAN: an inner product with the embedded condition, or one linear score."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmcgan.models.conditioning import ConditionEmbedding
from mmcgan.models.heads.base import Head
from mmcgan.models.layers.condition_weight import WeighsCondition
from mmcgan.models.layers.inverted_bottleneck import start_normal
from mmcgan.registry import HEADS
from mmcgan.structures import Condition


@HEADS.register_module()
class InnerProductHead(WeighsCondition, Head):
    """Real or fake given the condition: <linear(h), embedding(condition)>; without a condition linear(h).

    R3GAN's discriminator (Huang et al. 2024): no bias, no unconditional term beside the product. Emits
    ``logit`` (N,) and ``embed`` = linear(h), (N, dim). With R3GAN's start of weights: use it under
    ``discriminator.init="default"``, which leaves heads as they are.

    Args:
        in_channels: length of the pooled features.
        num_classes: number of labels, 0 for no label part.
        instance_dim: length of an instance feature, 0 for no instance part.
        dim: length of both vectors; 0 means ``in_channels``. With label and instance each has ``dim``
            entries, which are added.
    """

    emits = ("logit", "embed")
    reads = ("pooled",)
    follows_init = True

    def __init__(self, in_channels: int, num_classes: int = 0, instance_dim: int = 0, dim: int = 0) -> None:
        super().__init__()
        dim = (dim or in_channels) if num_classes or instance_dim else 1
        self.linear = nn.Linear(in_channels, dim, bias=False)
        start_normal(self.linear.weight)
        self.condition = ConditionEmbedding(
            num_classes,
            dim,
            instance_dim=instance_dim,
            instance_embedding_dim=dim,
            spectral_norm=None,
            unit_instances=True,
        )
        for part in self.condition.children():
            weight = part.weight
            assert isinstance(weight, Tensor)
            start_normal(weight.T if isinstance(part, nn.Embedding) else weight, 1 / math.sqrt(dim))
        self.dim = dim
        self.requires = self.condition.requires

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logit`` (N,) and ``embed`` (N, dim) of ``features['pooled']`` under the condition."""
        return self.product(features["pooled"], self.condition(condition))

    def product(self, pooled: Tensor, embedding: Tensor | None) -> dict[str, Tensor]:
        """Return the tensors of pooled features (N, C) and an embedded condition (N, parts * dim) or None."""
        with torch.autocast(pooled.device.type, enabled=False):
            embed = self.linear(pooled.to(self.linear.weight.dtype))
            if embedding is None:
                return {"logit": embed.squeeze(1), "embed": embed}
            direction = embedding.to(embed.dtype).unflatten(1, (-1, self.dim)).sum(1)
            # without the condition: a fixed direction of length 1, to which the linear map adapts
            direction = self.between(torch.full_like(direction, self.dim**-0.5), direction)
            return {"logit": (embed * direction).sum(1), "embed": embed}
