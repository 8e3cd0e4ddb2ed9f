"""Figures about generated images: metrics that share one extractor pass."""

from mmcgan.evaluation.attribute_accuracy import AttributeAccuracy
from mmcgan.evaluation.base import GenerationMetric
from mmcgan.evaluation.conditional_accuracy import ConditionalAccuracy
from mmcgan.evaluation.evaluator import GenerationEvaluator
from mmcgan.evaluation.fid import FID
from mmcgan.evaluation.fid_infinity import FIDInfinity, extrapolate
from mmcgan.evaluation.frechet import (
    GaussianStatistics,
    StreamingMoments,
    feature_frechet_distance,
    frechet_distance,
)
from mmcgan.evaluation.grouped_fid import IntraFID, StratifiedFID, class_groups, intra_class_fid
from mmcgan.evaluation.inception import InceptionScore, inception_score
from mmcgan.evaluation.kid import KID, kernel_distance, kernel_distance_of_subsets
from mmcgan.evaluation.memorized import Memorization, memorization
from mmcgan.evaluation.neighbours import kth_neighbour_distances, nearest_neighbours
from mmcgan.evaluation.pixels import MSSSIM, SWD, ClassificationAccuracyScore, LPIPSDiversity
from mmcgan.evaluation.precision_recall import PRDC, PrecisionRecall, improved_precision_recall, prdc
from mmcgan.evaluation.reference import Reference
from mmcgan.evaluation.sajjadi import SajjadiPrecisionRecall, sajjadi_precision_recall
from mmcgan.evaluation.semantic import MIoU
from mmcgan.evaluation.spatial_fid import SpatialFID

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
