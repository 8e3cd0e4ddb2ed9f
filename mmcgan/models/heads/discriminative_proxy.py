"""Proxies of real and of generated images of every class: ADC over embeddings."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.models.heads.proxy import ProxyHead
from mmcgan.registry import HEADS
from mmcgan.structures import Condition


@HEADS.register_module()
class DiscriminativeProxyHead(ProxyHead):
    """Two proxies of every class, for real and for generated images (StudioGAN's ADC over embeddings).

    Emits ``embed``, ``proxy`` and ``fake_proxy``, all (N, embed_dim). Row ``2 * c`` of the table is "a
    real image of c", row ``2 * c + 1`` "a generated one": ADC-GAN's columns as proxies.

    Args:
        embed_dim, normalize: see :class:`~mmcgan.models.heads.proxy.ProxyHead`.

    Raises:
        ValueError: ``num_classes`` or ``embed_dim`` is not positive.
    """

    emits = ("embed", "proxy", "fake_proxy")
    class_copies = 2

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``embed`` of ``features['pooled']`` and both proxies of ``condition.label``."""
        label = condition.label
        assert label is not None
        # one look-up, so that a spectral norm moves once
        proxies = self.embed(torch.cat([2 * label, 2 * label + 1]))
        embed = self.linear(features["pooled"])
        if self.normalize:
            embed, proxies = F.normalize(embed, dim=1), F.normalize(proxies, dim=1)
        proxy, fake_proxy = proxies.chunk(2)
        return {"embed": embed, "proxy": proxy, "fake_proxy": fake_proxy}

    def class_scores(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """Return log-sum-exps over "real" and "generated" of every class, (N, num_classes)."""
        return super().class_scores(outputs).unflatten(1, (-1, 2)).logsumexp(2)
