"""Optimisers of the two players: precision, ranks and per-parameter rules."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.optim.adam_s import AdamS
    from mmcgan.optim.constructor import GANOptimWrapperConstructor
    from mmcgan.optim.exchange import FlatExchange, GradientExchange, OverlappedExchange
    from mmcgan.optim.sharded import ShardedExchange
    from mmcgan.optim.wrapper import GANOptimWrapper
    from mmcgan.precision import PRECISIONS
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "PRECISIONS",
    "AdamS",
    "FlatExchange",
    "GANOptimWrapper",
    "GANOptimWrapperConstructor",
    "GradientExchange",
    "OverlappedExchange",
    "ShardedExchange",
]
