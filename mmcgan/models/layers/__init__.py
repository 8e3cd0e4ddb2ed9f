"""Building blocks shared by all networks."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.models.layers.attention import SelfAttention, attention_layers
    from mmcgan.models.layers.blocks import DownBlock, DownBlockOptions, NormFactory, UpBlock
    from mmcgan.models.layers.factories import (
        ACTIVATIONS,
        activation,
        conv2d,
        conv_transpose2d,
        embedding,
        linear,
    )
    from mmcgan.models.layers.initialization import SCHEMES, initialize
    from mmcgan.models.layers.normalization import (
        BatchNormOptions,
        BiasedBatchNorm2d,
        ConditionalBatchNorm,
        PlainBatchNorm,
        batch_norm,
        batch_norm_options,
    )
    from mmcgan.models.layers.spectral_norm import (
        SpectralNorm,
        SpectralNormArg,
        SpectralNormOptions,
        spectral_norm_options,
    )
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "ACTIVATIONS",
    "SCHEMES",
    "BatchNormOptions",
    "BiasedBatchNorm2d",
    "ConditionalBatchNorm",
    "DownBlock",
    "DownBlockOptions",
    "NormFactory",
    "PlainBatchNorm",
    "SelfAttention",
    "SpectralNorm",
    "SpectralNormArg",
    "SpectralNormOptions",
    "UpBlock",
    "activation",
    "attention_layers",
    "batch_norm",
    "batch_norm_options",
    "conv2d",
    "conv_transpose2d",
    "embedding",
    "initialize",
    "linear",
    "spectral_norm_options",
]
