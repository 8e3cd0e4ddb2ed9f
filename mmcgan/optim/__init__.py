"""Optimisers of the two players: precision, ranks and per-parameter rules."""

from mmcgan.optim.adam_s import AdamS
from mmcgan.optim.constructor import GANOptimWrapperConstructor
from mmcgan.optim.wrapper import PRECISIONS, GANOptimWrapper

__all__ = ["PRECISIONS", "AdamS", "GANOptimWrapper", "GANOptimWrapperConstructor"]
