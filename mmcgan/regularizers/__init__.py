"""Regularisers: what a step adds beyond losses of the scores."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.regularizers.base import Regularizer, StepContext
    from mmcgan.regularizers.consistency import ImageConsistency, LatentConsistency, LatentDiversity
    from mmcgan.regularizers.drift import LogitDrift
    from mmcgan.regularizers.gradient_clipping import GradientClipping
    from mmcgan.regularizers.gradient_penalty import (
        R2,
        DivergencePenalty,
        GradientPenalty,
        MaxGradientPenalty,
        PerturbationPenalty,
        PointPenalty,
    )
    from mmcgan.regularizers.latent_optimization import LatentOptimization, natural_gradient_step
    from mmcgan.regularizers.mode_seeking import ModeSeeking
    from mmcgan.regularizers.orthogonal import OrthogonalRegularizer, orthogonal_gradient
    from mmcgan.regularizers.path_length import PathLengthPenalty, path_lengths
    from mmcgan.regularizers.r1 import R1, squared_gradient
    from mmcgan.regularizers.weight_clipping import WeightClipping
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "R1",
    "R2",
    "DivergencePenalty",
    "GradientClipping",
    "GradientPenalty",
    "ImageConsistency",
    "LatentConsistency",
    "LatentDiversity",
    "LatentOptimization",
    "LogitDrift",
    "MaxGradientPenalty",
    "ModeSeeking",
    "OrthogonalRegularizer",
    "PathLengthPenalty",
    "PerturbationPenalty",
    "PointPenalty",
    "Regularizer",
    "StepContext",
    "WeightClipping",
    "natural_gradient_step",
    "orthogonal_gradient",
    "path_lengths",
    "squared_gradient",
]
