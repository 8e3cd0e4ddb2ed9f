"""The projection head for labels, instance features, or both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmcgan.models.heads.base import Head
from mmcgan.models.layers import embedding, linear
from mmcgan.models.layers.condition_weight import WeighsCondition
from mmcgan.registry import HEADS
from mmcgan.structures import Condition


@HEADS.register_module()
class ConditionProjectionHead(WeighsCondition, Head):
    """Real or fake given label and/or instance: linear(h) + <embedding, h>; emits ``logit`` (N,).

    The embedding is a row per class, a linear map of the instance feature, or half of each,
    concatenated label first (IC-GAN, Casanova et al., 2021, App. B.1).

    Args:
        in_channels: length of the pooled features.
        num_classes: number of labels, 0 for no label part.
        instance_dim: length of an instance feature, 0 for no instance part.
        spectral_norm: applied to all maps.

    Raises:
        ValueError: neither part is asked for, or both with an odd number of channels.
    """

    emits = ("logit",)
    reads = ("pooled",)
    follows_init = True
    class_rows = ("embed",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        instance_dim: int = 0,
        spectral_norm: bool | dict[str, Any] | None = True,
    ) -> None:
        super().__init__()
        parts = bool(num_classes) + bool(instance_dim)
        if not parts:
            raise ValueError("ConditionProjectionHead needs num_classes or instance_dim above 0")
        if in_channels % parts:
            raise ValueError(f"label and instance share in_channels={in_channels}, which must be even")
        self.linear = linear(in_channels, 1, spectral_norm=spectral_norm)
        self.num_classes, self.instance_dim = num_classes, instance_dim
        if num_classes:
            self.embed = embedding(num_classes, in_channels // parts, spectral_norm=spectral_norm)
        if instance_dim:
            self.instance = linear(instance_dim, in_channels // parts, spectral_norm=spectral_norm)
        used = {"label": num_classes, "instance": instance_dim}
        self.requires = tuple(name for name, size in used.items() if size)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logit`` (N,) of ``features['pooled']`` (N, in_channels) under the condition."""
        pooled = features["pooled"]
        parts = []
        if self.num_classes:
            parts.append(self.embed(condition.label))
        if self.instance_dim:
            parts.append(self.instance(condition.instance))
        projected = (torch.cat(parts, dim=1) * pooled).sum(1)
        return {"logit": self.linear(pooled).squeeze(1) + self.weighed(projected)}
