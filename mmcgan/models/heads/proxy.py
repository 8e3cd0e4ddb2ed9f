"""Heads that place images and classes in one space: 2C (ContraGAN) and D2D-CE (ReACGAN)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.models.heads.base import Head
from mmcgan.models.heads.basic import SpectralNorm, check_num_classes
from mmcgan.models.layers import embedding, linear
from mmcgan.registry import HEADS
from mmcgan.structures import Condition


@HEADS.register_module()
class ProxyHead(Head):
    """An embedding of every image and the proxy of its class; emits ``embed`` and ``proxy``.

    Both are (N, embed_dim). ContraGAN, Sec. 3.2; ReACGAN, Sec. 3.2. A twin classifier (TAC-GAN)
    over proxies is a second head of this class.

    Args:
        embed_dim: length of the embeddings; 512 for CIFAR10, up to 2048 for ImageNet in ReACGAN.
        normalize: divide both by their length, as both papers do.

    Raises:
        ValueError: ``num_classes`` or ``embed_dim`` is not positive.
    """

    emits: tuple[str, ...] = ("embed", "proxy")
    reads = ("pooled",)
    follows_init = True
    requires = ("label",)
    class_rows = ("embed",)
    class_copies = 1

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        embed_dim: int = 512,
        spectral_norm: SpectralNorm = True,
        normalize: bool = True,
    ) -> None:
        super().__init__()
        check_num_classes(self, num_classes)
        if embed_dim < 1:
            raise ValueError(f"ProxyHead: embed_dim must be at least 1, got {embed_dim}")
        self.normalize, self.num_classes = normalize, num_classes * self.class_copies
        self.linear = linear(in_channels, embed_dim, spectral_norm=spectral_norm)
        self.embed = embedding(self.num_classes, embed_dim, spectral_norm=spectral_norm)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``embed`` and ``proxy`` of ``features['pooled']`` and ``condition.label``."""
        embed, proxy = self.linear(features["pooled"]), self.embed(condition.label)
        if self.normalize:
            embed, proxy = F.normalize(embed, dim=1), F.normalize(proxy, dim=1)
        return {"embed": embed, "proxy": proxy}

    def class_scores(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """Return the cosines between ``embed`` and the proxies of all classes, (N, num_classes)."""
        embed = outputs["embed"]
        proxies = self.embed(torch.arange(self.num_classes, device=embed.device))
        return F.normalize(embed, dim=1) @ F.normalize(proxies, dim=1).to(embed.dtype).T
