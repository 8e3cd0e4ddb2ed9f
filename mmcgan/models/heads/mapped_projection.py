"""The projection head of StyleGAN2-ADA, with a mapping network over the condition."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from mmcgan.models.heads.base import Head
from mmcgan.models.layers.equalized import EqualizedLinear
from mmcgan.models.mapping import MappingNetwork
from mmcgan.registry import HEADS
from mmcgan.structures import Condition


@HEADS.register_module()
class MappedProjectionHead(Head):
    """Real or fake given the condition: <linear(h), mapping(condition)> / sqrt(dim).

    StyleGAN2-ADA's discriminator; with instance features IC-GAN's (App. B.1). There is no
    unconditional term. Emits ``logit`` (N,) and ``embed`` = linear(h) (N, dim).

    Args:
        in_channels: length of the pooled features.
        num_classes: number of labels, 0 for no label part.
        instance_dim: length of an instance feature, 0 for no instance part.
        dim: length of both vectors; 0 means ``in_channels``.
        num_layers: of the mapping network.
        label_dim, instance_embedding_dim: lengths of the embeddings; 0 means ``dim``.

    Raises:
        ValueError: neither part is asked for, or no layer.
    """

    emits = ("logit", "embed")
    reads = ("pooled",)
    follows_init = True

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        instance_dim: int = 0,
        dim: int = 0,
        num_layers: int = 8,
        label_dim: int = 0,
        instance_embedding_dim: int = 0,
    ) -> None:
        super().__init__()
        if not (num_classes or instance_dim):
            raise ValueError("MappedProjectionHead needs num_classes or instance_dim above 0")
        self.scale = 1 / math.sqrt(dim or in_channels)
        self.linear = EqualizedLinear(in_channels, dim or in_channels)
        self.mapping = MappingNetwork(
            0,
            dim or in_channels,
            num_layers,
            num_classes=num_classes,
            instance_dim=instance_dim,
            label_dim=label_dim,
            instance_embedding_dim=instance_embedding_dim,
        )
        self.requires = self.mapping.requires

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logit`` (N,) and ``embed`` (N, dim) of ``features['pooled']`` under the condition."""
        embed = self.linear(features["pooled"])
        direction = self.mapping(None, self.mapping.embed(condition))
        return {"logit": (embed * direction).sum(1) * self.scale, "embed": embed}
