"""Figures about generated images: metrics that share one extractor pass."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.evaluation.evaluator import GenerationEvaluator
    from mmcgan.evaluation.metrics.attribute_accuracy import AttributeAccuracy
    from mmcgan.evaluation.metrics.base import GenerationMetric
    from mmcgan.evaluation.metrics.classification_score import ClassificationAccuracyScore
    from mmcgan.evaluation.metrics.conditional_accuracy import ConditionalAccuracy
    from mmcgan.evaluation.metrics.fid import FID
    from mmcgan.evaluation.metrics.fid_infinity import FIDInfinity, extrapolate
    from mmcgan.evaluation.metrics.grouped_fid import IntraFID, StratifiedFID, intra_class_fid
    from mmcgan.evaluation.metrics.inception import InceptionScore, inception_score
    from mmcgan.evaluation.metrics.kid import KID, kernel_distance, kernel_distance_of_subsets
    from mmcgan.evaluation.metrics.memorized import Memorization, memorization
    from mmcgan.evaluation.metrics.mode_coverage import ModeCoverage
    from mmcgan.evaluation.metrics.pixels import MSSSIM, SWD, LPIPSDiversity
    from mmcgan.evaluation.metrics.precision_recall import (
        PRDC,
        PrecisionRecall,
        improved_precision_recall,
        prdc,
    )
    from mmcgan.evaluation.metrics.sajjadi import SajjadiPrecisionRecall, sajjadi_precision_recall
    from mmcgan.evaluation.metrics.semantic import MIoU
    from mmcgan.evaluation.metrics.spatial_fid import SpatialFID
    from mmcgan.evaluation.statistics.frechet import (
        GaussianStatistics,
        StreamingMoments,
        feature_frechet_distance,
        frechet_distance,
    )
    from mmcgan.evaluation.statistics.groups import class_groups
    from mmcgan.evaluation.statistics.reference import Reference
    from mmcgan.neighbours.nearest import kth_neighbour_distances, nearest_neighbours
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "FID",
    "KID",
    "MSSSIM",
    "PRDC",
    "SWD",
    "AttributeAccuracy",
    "ClassificationAccuracyScore",
    "ConditionalAccuracy",
    "FIDInfinity",
    "GaussianStatistics",
    "GenerationEvaluator",
    "GenerationMetric",
    "InceptionScore",
    "IntraFID",
    "LPIPSDiversity",
    "MIoU",
    "Memorization",
    "ModeCoverage",
    "PrecisionRecall",
    "Reference",
    "SajjadiPrecisionRecall",
    "SpatialFID",
    "StratifiedFID",
    "StreamingMoments",
    "class_groups",
    "extrapolate",
    "feature_frechet_distance",
    "frechet_distance",
    "improved_precision_recall",
    "inception_score",
    "intra_class_fid",
    "kernel_distance",
    "kernel_distance_of_subsets",
    "kth_neighbour_distances",
    "memorization",
    "nearest_neighbours",
    "prdc",
    "sajjadi_precision_recall",
]
