"""Regularisers: what a step adds beyond losses of the scores."""

from mmcgan.regularizers.base import Regularizer, StepContext
from mmcgan.regularizers.orthogonal import OrthogonalRegularizer, orthogonal_gradient
from mmcgan.regularizers.r1 import R1, squared_gradient

__all__ = [
    "R1",
    "OrthogonalRegularizer",
    "Regularizer",
    "StepContext",
    "orthogonal_gradient",
    "squared_gradient",
]
