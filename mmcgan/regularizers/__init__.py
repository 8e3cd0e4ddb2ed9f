"""Regularisers: what a step adds beyond losses of the scores."""

from mmcgan.regularizers.base import Regularizer, StepContext
from mmcgan.regularizers.gradient_penalty import (
    R2,
    DivergencePenalty,
    GradientPenalty,
    MaxGradientPenalty,
    PerturbationPenalty,
    PointPenalty,
)
from mmcgan.regularizers.orthogonal import OrthogonalRegularizer, orthogonal_gradient
from mmcgan.regularizers.r1 import R1, squared_gradient
from mmcgan.regularizers.weight_clipping import WeightClipping

__all__ = [
    "R1",
    "R2",
    "DivergencePenalty",
    "GradientPenalty",
    "MaxGradientPenalty",
    "OrthogonalRegularizer",
    "PerturbationPenalty",
    "PointPenalty",
    "Regularizer",
    "StepContext",
    "WeightClipping",
    "orthogonal_gradient",
    "squared_gradient",
]
