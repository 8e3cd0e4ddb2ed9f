"""PSNR, SSIM and MS-SSIM of pairs of images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Wang, Simoncelli and Bovik 2003, section 3.2
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def _check(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return both as float64.

    Raises:
        ValueError: not two batches (N, C, H, W) of one shape.
    """
    if first.ndim != 4 or first.shape != second.shape:
        raise ValueError(
            f"expected two batches (N, C, H, W) of one shape, got {tuple(first.shape)} and "
            f"{tuple(second.shape)}"
        )
    return first.double(), second.double()


def psnr(first: Tensor, second: Tensor, data_range: float = 255.0) -> Tensor:
    """Return the peak signal-to-noise ratio of each pair in dB, float64 (N,); equal images give infinity.

    Args:
        first, second: (N, C, H, W), uint8 or float.
        data_range: largest possible difference; 255 for uint8, 2 for images in [-1, 1].

    Raises:
        ValueError: shapes that differ.
    """
    first, second = _check(first, second)
    error = (first - second).square().flatten(1).mean(dim=1)
    return 10 * torch.log10(data_range**2 / error)


def _window(size: int, sigma: float) -> Tensor:
    """Return a normalised Gaussian, float64 (size,); for even sizes it is centred between two pixels."""
    x = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    weight = torch.exp(-x.square() / (2 * sigma**2))
    return weight / weight.sum()


def _blur(image: Tensor, window: Tensor) -> Tensor:
    """Filter (N, C, H, W) by the window along both axes, without padding."""
    channels = image.shape[1]
    kernel = window.to(image).expand(channels, 1, 1, -1)
    image = F.conv2d(image, kernel, groups=channels)
    return F.conv2d(image, kernel.transpose(2, 3), groups=channels)


def _similarity(
    first: Tensor, second: Tensor, data_range: float, window: int, sigma: float
) -> tuple[Tensor, Tensor]:
    """Return mean SSIM and mean contrast-structure term of each pair, float64 (N,) each."""
    size = min(window, first.shape[2], first.shape[3])
    weight = _window(size, size * sigma / window)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mean1, mean2 = _blur(first, weight), _blur(second, weight)
    variances = _blur(first.square(), weight) + _blur(second.square(), weight)
    squares = mean1.square() + mean2.square()
    covariance = _blur(first * second, weight) - mean1 * mean2
    contrast = (2 * covariance + c2) / (variances - squares + c2)
    luminance = (2 * mean1 * mean2 + c1) / (squares + c1)
    return (luminance * contrast).flatten(1).mean(dim=1), contrast.flatten(1).mean(dim=1)


def ssim(
    first: Tensor, second: Tensor, data_range: float = 255.0, window: int = 11, sigma: float = 1.5
) -> Tensor:
    """Return the structural similarity of each pair, in -1..1, float64 (N,).

    Wang et al. 2004, equation 13, with a Gaussian window, averaged over the places where the window
    fits and over channels. A window larger than the image shrinks with its sigma.

    Args:
        first, second: (N, C, H, W), uint8 or float.
        data_range: largest possible difference of two values.
        window: side of the window in pixels.
        sigma: standard deviation of the window.

    Raises:
        ValueError: shapes that differ.
    """
    first, second = _check(first, second)
    return _similarity(first, second, data_range, window, sigma)[0]


def contrast_similarity(
    first: Tensor, second: Tensor, data_range: float = 255.0, window: int = 11, sigma: float = 1.5
) -> Tensor:
    """Return SSIM without its luminance term; see :func:`ssim` for arguments and errors."""
    first, second = _check(first, second)
    return _similarity(first, second, data_range, window, sigma)[1]


def ms_ssim(
    first: Tensor,
    second: Tensor,
    data_range: float = 255.0,
    weights: tuple[float, ...] = SCALE_WEIGHTS,
    window: int = 11,
    sigma: float = 1.5,
) -> Tensor:
    """Return the multi-scale structural similarity of each pair, in 0..1, float64 (N,).

    Wang et al. 2003, equation 7: contrast at every scale, luminance at the coarsest, scales halved by
    2 x 2 means. Negative terms count as 0. Pairs of *generated* images of one class give the diversity
    of Odena et al. 2017.

    Args:
        first, second: (N, C, H, W), uint8 or float.
        data_range: largest possible difference of two values.
        weights: exponent of every scale, finest first.
        window: side of the window in pixels; it shrinks with coarse scales.
        sigma: standard deviation of the window.

    Raises:
        ValueError: shapes that differ, or images too small for that many scales.
    """
    first, second = _check(first, second)
    if min(first.shape[2:]) < 2 ** (len(weights) - 1):
        raise ValueError(
            f"MS-SSIM with {len(weights)} scales needs images of {2 ** (len(weights) - 1)} pixels or more, "
            f"got {first.shape[2]} x {first.shape[3]}; give fewer weights"
        )
    product = torch.ones(len(first), dtype=torch.float64, device=first.device)
    for scale, weight in enumerate(weights):
        whole, contrast = _similarity(first, second, data_range, window, sigma)
        last = scale == len(weights) - 1
        product = product * (whole if last else contrast).clamp_min(0) ** weight
        first, second = (value if last else F.avg_pool2d(value, 2) for value in (first, second))
    return product
