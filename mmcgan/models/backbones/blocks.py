"""What the convolutional backbones share: blocks with attention between them, then pooled features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from torch import Tensor, nn

from mmcgan.dtypes import at_least_float32
from mmcgan.models.layers import PlainBatchNorm, batch_norm_options

POOLINGS = ("sum", "mean")


def check_pooling(owner: str, pooling: str) -> None:
    """Raise ValueError unless ``pooling`` is known."""
    if pooling not in POOLINGS:
        raise ValueError(f"{owner}: pooling must be one of {POOLINGS}, got {pooling!r}")


def norm_factory(batch_norm: Mapping[str, object] | None) -> partial[PlainBatchNorm] | None:
    """Return what makes a batch norm of these options; None for no batch norm."""
    if batch_norm is None:
        return None
    return partial(PlainBatchNorm, options=batch_norm_options(batch_norm))


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
