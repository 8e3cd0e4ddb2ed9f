"""CIE Lab and back, for images whose colours and lightness have different sources."""

from __future__ import annotations

import torch
from torch import Tensor

#: Linear sRGB to XYZ under D65 (ITU-R BT.709 primaries), and that white seen by the 2-degree observer.
TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
WHITE = (0.95047, 1.0, 1.08883)


def rgb_to_lab(image: Tensor) -> Tensor:
    """Return CIE Lab, float64 (N, 3, H, W), of sRGB images (N, 3, H, W) in [-1, 1]."""
    level = (image.double() + 1) / 2
    linear = torch.where(level > 0.04045, ((level + 0.055) / 1.055).clamp_min(0) ** 2.4, level / 12.92)
    xyz = torch.einsum("ij,njhw->nihw", _matrix(image), linear) / _white(image)
    root = torch.where(xyz > 0.008856, xyz.clamp_min(0).pow(1 / 3), 7.787 * xyz + 16 / 116)
    x, y, z = root.unbind(dim=1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Return sRGB images in [-1, 1] of CIE Lab (N, 3, H, W); colours outside the gamut are clipped."""
    lightness, a, b = lab.double().unbind(dim=1)
    y = (lightness + 16) / 116
    root = torch.stack([y + a / 500, y, (y - b / 200).clamp_min(0)], dim=1)
    xyz = torch.where(root > 0.2068966, root**3, (root - 16 / 116) / 7.787) * _white(lab)
    linear = torch.einsum("ij,njhw->nihw", torch.linalg.inv(_matrix(lab)), xyz)
    level = torch.where(linear > 0.0031308, 1.055 * linear.clamp_min(0) ** (1 / 2.4) - 0.055, 12.92 * linear)
    return level.clamp(0, 1) * 2 - 1


def with_lightness_of(colours: Tensor, lightness: Tensor) -> Tensor:
    """Return the colours (a, b) of one image with the lightness (L) of another.

    Both are (N, 3, H, W) in [-1, 1].
    """
    lab = rgb_to_lab(colours)
    lab[:, 0] = rgb_to_lab(lightness)[:, 0]
    return lab_to_rgb(lab).to(colours.dtype)


def _matrix(like: Tensor) -> Tensor:
    return torch.tensor(TO_XYZ, dtype=torch.float64, device=like.device)


def _white(like: Tensor) -> Tensor:
    return torch.tensor(WHITE, dtype=torch.float64, device=like.device).view(1, 3, 1, 1)
