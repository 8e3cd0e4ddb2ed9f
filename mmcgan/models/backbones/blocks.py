"""What the convolutional backbones share: blocks with attention between them, then pooled features."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from mmcgan.dtypes import at_least_float32
from mmcgan.models.layers import DownBlock, DownBlockOptions
from mmcgan.models.options import PooledLayerOptions


def down_blocks(
    widths: Sequence[int], halving: Sequence[bool], options: DownBlockOptions, layers: PooledLayerOptions
) -> nn.ModuleList:
    """Return residual blocks from the colours to ``widths``, of which some halve their input."""
    norm = layers.norm_factory()
    places = enumerate(zip([3, *widths], widths, halving, strict=False))
    return nn.ModuleList(
        DownBlock(
            before,
            after,
            downsample=halve,
            first=index == 0,
            norm=norm,
            options=options,
            spectral_norm=layers.spectral_norm,
        )
        for index, (before, after, halve) in places
    )


def through_blocks(x: Tensor, blocks: Iterable[nn.Module], attention: nn.ModuleDict) -> Tensor:
    """Return the features (N, C, h, w) behind all blocks."""
    for index, block in enumerate(blocks):
        x = block(x)
        if str(index) in attention:
            x = attention[str(index)](x)
    return x


def pooled_features(x: Tensor, pooling: str) -> dict[str, Tensor]:
    """Return ``map``, which is ``x`` (N, C, h, w), and its sum or mean over space as ``pooled``."""
    # Sums over positions leave bf16's eight bits quickly: accumulate in float32 or wider.
    wide = at_least_float32(x)
    pooled = wide.sum((2, 3)) if pooling == "sum" else wide.mean((2, 3))
    return {"pooled": pooled, "map": x}
