"""Losses: named tensors in, scalars out; no parameters."""

from mmcgan.losses.adversarial import HingeLoss, LeastSquaresLoss, NonSaturatingLoss, WassersteinLoss
from mmcgan.losses.base import Loss, PairedLoss
from mmcgan.losses.classification import CrossEntropyLoss
from mmcgan.losses.omni import OmniLoss, omni_loss

__all__ = [
    "CrossEntropyLoss",
    "HingeLoss",
    "LeastSquaresLoss",
    "Loss",
    "NonSaturatingLoss",
    "OmniLoss",
    "PairedLoss",
    "WassersteinLoss",
    "omni_loss",
]
