"""Convolutions, linear maps and tables, with or without spectral normalisation."""

from __future__ import annotations

import re
from typing import TypeVar

from torch import nn

from mmcgan.models.layers.merged_convolution import (
    EnlargingConv2d,
    PoolingConv2d,
    SpectralEnlargingConv2d,
    SpectralPoolingConv2d,
)
from mmcgan.models.layers.spectral_norm import (
    SpectralConv2d,
    SpectralConvTranspose2d,
    SpectralEmbedding,
    SpectralLinear,
    SpectralNorm,
    SpectralNormArg,
    spectral_norm_options,
)
from mmcgan.models.layers.tiled_convolution import Conv2d
from mmcgan.suggestions import nearest

Normalised = TypeVar("Normalised", SpectralConv2d, SpectralConvTranspose2d, SpectralLinear, SpectralEmbedding)

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "elu": nn.ELU, "gelu": nn.GELU, "silu": nn.SiLU}
LEAKY = "leaky_relu_<slope>"

#: Convolution without and with spectral norm, by what it does to the size.
CONVOLUTIONS: dict[str | None, tuple[type[nn.Conv2d], type[SpectralConv2d]]] = {
    None: (Conv2d, SpectralConv2d),
    "double": (EnlargingConv2d, SpectralEnlargingConv2d),
    "halve": (PoolingConv2d, SpectralPoolingConv2d),
}


def _attach(layer: Normalised, spectral_norm: SpectralNormArg, axis: int = 0) -> Normalised:
    options = spectral_norm_options(spectral_norm)
    if options is None:
        raise ValueError("a spectral layer needs spectral-norm options")
    layer.spectral = SpectralNorm(layer.weight, options, axis)
    return layer


def conv2d(
    in_channels: int,
    out_channels: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: int = 0,
    bias: bool = True,
    spectral_norm: SpectralNormArg = None,
    resize: str | None = None,
    groups: int = 1,
) -> nn.Conv2d:
    """Return a convolution (N, in, H, W) -> (N, out, H', W').

    Args:
        in_channels, out_channels, kernel, stride, padding, bias: as of ``nn.Conv2d``.
        spectral_norm: of the weight.
        resize: ``double`` has the layer enlarge its input by nearest neighbour first, ``halve`` average 2x2
            outputs (:mod:`mmcgan.models.layers.merged_convolution`); for 3x3 kernels with padding 1.
        groups: as of ``nn.Conv2d``; 1 beside ``resize``.

    Raises:
        ValueError: another ``resize``, or one with another kernel, stride or padding.
    """
    if resize not in CONVOLUTIONS:
        raise ValueError(f"conv2d: resize must be None, 'double' or 'halve', got {resize!r}")
    if resize and (kernel, stride, padding, groups) != (3, 1, 1, 1):
        raise ValueError(
            f"conv2d: resize={resize!r} is for 3x3 kernels with stride 1 and padding 1, got kernel={kernel}, "
            f"stride={stride}, padding={padding}, groups={groups}"
        )
    plain, spectral = CONVOLUTIONS[resize]
    if spectral_norm_options(spectral_norm) is None:
        return plain(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=bias)
    layer = spectral(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=bias)
    return _attach(layer, spectral_norm)


def conv_transpose2d(
    in_channels: int,
    out_channels: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: int = 0,
    bias: bool = True,
    spectral_norm: SpectralNormArg = None,
) -> nn.ConvTranspose2d:
    """Return a transposed convolution (N, in, H, W) -> (N, out, H', W')."""
    if spectral_norm_options(spectral_norm) is None:
        return nn.ConvTranspose2d(in_channels, out_channels, kernel, stride, padding, bias=bias)
    layer = SpectralConvTranspose2d(in_channels, out_channels, kernel, stride, padding, bias=bias)
    return _attach(layer, spectral_norm, axis=1)


def linear(
    in_features: int, out_features: int, *, bias: bool = True, spectral_norm: SpectralNormArg = None
) -> nn.Linear:
    """Return a linear map (N, in) -> (N, out)."""
    if spectral_norm_options(spectral_norm) is None:
        return nn.Linear(in_features, out_features, bias=bias)
    return _attach(SpectralLinear(in_features, out_features, bias=bias), spectral_norm)


def embedding(num: int, dim: int, *, spectral_norm: SpectralNormArg = None) -> nn.Embedding:
    """Return a table of ``num`` rows of length ``dim``, indexed by labels (N,)."""
    if spectral_norm_options(spectral_norm) is None:
        return nn.Embedding(num, dim)
    return _attach(SpectralEmbedding(num, dim), spectral_norm)


def activation(name: str) -> nn.Module:
    """Return an element-wise non-linearity.

    Args:
        name: a key of ``ACTIVATIONS``, or ``leaky_relu_<slope>`` as in ``leaky_relu_0.2``.

    Raises:
        ValueError: unknown name; the message lists the known ones.
    """
    leaky = re.fullmatch(r"leaky_relu_(\d*\.?\d+)", name)
    if leaky:
        return nn.LeakyReLU(float(leaky[1]))
    if name not in ACTIVATIONS:
        raise ValueError(f"activation: unknown name {name!r}.{nearest(name, [*ACTIVATIONS, LEAKY])}")
    return ACTIVATIONS[name]()
