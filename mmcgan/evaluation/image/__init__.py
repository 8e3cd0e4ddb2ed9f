"""Figures about pixels: pairs of images, sets of patches, paths, and label maps."""

from mmcgan.evaluation.image.mean_iou import confusion_matrix, iou_per_class, mean_iou
from mmcgan.evaluation.image.path_length import perceptual_path_length, slerp
from mmcgan.evaluation.image.similarity import ms_ssim, psnr, ssim
from mmcgan.evaluation.image.sliced_wasserstein import sliced_wasserstein_distance

__all__ = [
    "confusion_matrix",
    "iou_per_class",
    "mean_iou",
    "ms_ssim",
    "perceptual_path_length",
    "psnr",
    "slerp",
    "sliced_wasserstein_distance",
    "ssim",
]
