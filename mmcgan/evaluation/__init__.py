"""Figures about generated images: metrics that share one extractor pass."""

from mmcgan.evaluation.base import GenerationMetric
from mmcgan.evaluation.conditional_accuracy import ConditionalAccuracy
from mmcgan.evaluation.evaluator import GenerationEvaluator
from mmcgan.evaluation.fid import FID
from mmcgan.evaluation.frechet import GaussianStatistics, StreamingMoments, frechet_distance
from mmcgan.evaluation.inception_score import InceptionScore, inception_score
from mmcgan.evaluation.reference import Reference

__all__ = [
    "FID",
    "ConditionalAccuracy",
    "GaussianStatistics",
    "GenerationEvaluator",
    "GenerationMetric",
    "InceptionScore",
    "Reference",
    "StreamingMoments",
    "frechet_distance",
    "inception_score",
]
