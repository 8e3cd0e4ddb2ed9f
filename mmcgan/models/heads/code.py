"""Heads that guess the latent code an image was made from (InfoGAN's Q)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from mmcgan.models.heads.base import Head
from mmcgan.models.heads.basic import SpectralNorm
from mmcgan.models.layers import linear
from mmcgan.registry import HEADS
from mmcgan.structures import Condition


@HEADS.register_module()
class DiscreteCodeHead(Head):
    """Which value every categorical code had; emits ``logits`` (N, codes, values).

    InfoGAN, Sec. 5. Looks at the mean of the last feature map, however the backbone pools.

    Raises:
        ValueError: there is no code, or a code has fewer than two values.
    """

    emits = ("logits",)
    reads = ("map",)
    follows_init = True

    def __init__(
        self,
        in_channels: int,
        codes: int = 1,
        values: int = 10,
        spectral_norm: SpectralNorm = True,
        bias: bool = False,
    ) -> None:
        super().__init__()
        if codes < 1 or values < 2:
            raise ValueError(
                f"DiscreteCodeHead: needs codes >= 1 and values >= 2, got codes={codes}, values={values}"
            )
        self.shape = (codes, values)
        self.linear = linear(in_channels, codes * values, bias=bias, spectral_norm=spectral_norm)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logits`` (N, codes, values) of ``features['map']``."""
        return {"logits": self.linear(features["map"].mean((2, 3))).unflatten(1, self.shape)}


@HEADS.register_module()
class ContinuousCodeHead(Head):
    """A Gaussian over every continuous code; emits ``mean`` and ``variance``, both (N, codes).

    InfoGAN, Sec. 6; the variance is the exponential of a linear map, so it is positive.

    Raises:
        ValueError: there is no code.
    """

    emits = ("mean", "variance")
    reads = ("map",)
    follows_init = True

    def __init__(
        self, in_channels: int, codes: int = 2, spectral_norm: SpectralNorm = True, bias: bool = False
    ) -> None:
        super().__init__()
        if codes < 1:
            raise ValueError(f"ContinuousCodeHead: codes must be at least 1, got {codes}")
        self.mean = linear(in_channels, codes, bias=bias, spectral_norm=spectral_norm)
        self.log_variance = linear(in_channels, codes, bias=bias, spectral_norm=spectral_norm)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``mean`` and ``variance`` of ``features['map']``."""
        pooled = features["map"].mean((2, 3))
        return {"mean": self.mean(pooled), "variance": self.log_variance(pooled).exp()}
