"""Optimisers of the two players: precision, ranks and per-parameter rules."""

from mmcgan.optim.adam_s import AdamS
from mmcgan.optim.constructor import GANOptimWrapperConstructor
from mmcgan.optim.exchange import FlatExchange, GradientExchange, OverlappedExchange
from mmcgan.optim.sharded import ShardedExchange
from mmcgan.optim.wrapper import PRECISIONS, GANOptimWrapper

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
