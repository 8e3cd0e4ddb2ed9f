"""How close a restored image is to the original."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from mmcgan.evaluation.metrics.similarity import psnr, ssim
from mmcgan.restoration.degradations import Degradation

WINDOW = 7


def uniform_ssim(first: Tensor, second: Tensor, data_range: float) -> Tensor:
    """Return the structural similarity with a flat 7 x 7 window, float64 (N,).

    Unbiased covariances, averaged over the places where the window fits and over channels, as in
    scikit-image. For figures that are comparable with the Deep Generative Prior's, which takes
    ``data_range=2`` for images in [0, 1], so that they come out higher.

    Args:
        first, second: (N, C, H, W), at least 7 x 7.
        data_range: largest possible difference.
    """
    first, second = first.double(), second.double()
    pixels = WINDOW**2
    unbiased = pixels / (pixels - 1)

    def mean(value: Tensor) -> Tensor:
        return F.avg_pool2d(value, WINDOW, stride=1)

    m1, m2 = mean(first), mean(second)
    v1, v2 = unbiased * (mean(first**2) - m1**2), unbiased * (mean(second**2) - m2**2)
    covariance = unbiased * (mean(first * second) - m1 * m2)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    similarity = (2 * m1 * m2 + c1) * (2 * covariance + c2) / ((m1**2 + m2**2 + c1) * (v1 + v2 + c2))
    return similarity.flatten(1).mean(dim=1)


def compared_region(image: Tensor, degradation: Degradation) -> Tensor:
    """Return the part of images (N, C, H, W) over which the figures of a task are computed."""
    top, bottom, left, right = degradation.region((image.shape[2], image.shape[3]))
    return image[:, :, top:bottom, left:right]


def figures(image: Tensor, original: Tensor, degradation: Degradation) -> dict[str, float]:
    """Return PSNR (dB) and SSIM of a restored image (1, 3, H, W) against the original, both in [-1, 1].

    Only the hole counts where there was one.
    """
    pair = [(compared_region(each, degradation) + 1) / 2 for each in (image, original)]
    return {
        "psnr": float(psnr(pair[0], pair[1], data_range=1.0)),
        "ssim": float(ssim(pair[0], pair[1], data_range=1.0)),
    }
