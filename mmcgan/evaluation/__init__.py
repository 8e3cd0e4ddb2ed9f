"""Figures about generated images: metrics that share one extractor pass."""

from mmcgan.evaluation.frechet import GaussianStatistics, StreamingMoments, frechet_distance
from mmcgan.evaluation.inception_score import inception_score

__all__ = ["GaussianStatistics", "StreamingMoments", "frechet_distance", "inception_score"]
