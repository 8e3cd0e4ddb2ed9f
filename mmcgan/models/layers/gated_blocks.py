"""The layers of FastGAN (Liu et al. 2021, "Towards Faster and Stabilized GAN Training ...", Sec. 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.models.layers.blocks import NormFactory
from mmcgan.models.layers.factories import conv2d, conv_transpose2d
from mmcgan.models.layers.normalization import batch_norm
from mmcgan.models.layers.spectral_norm import SpectralNormArg
from mmcgan.models.random_source import RandomSource
from mmcgan.random import make_generator

BOTTOM_SIZE = 4
EVAL_NOISES = ("const", "random", "none")


def gated_linear_unit(x: Tensor) -> Tensor:
    """Map (N, 2C, H, W) to (N, C, H, W): one half times the sigmoid of the other.

    Bit by bit what ``F.glu`` returns, whose gradient is never channels-last; a batch norm takes 5 to 20 times
    as long for such a gradient as for one of the layout of its maps (benchmarks/strided_filters.py).
    """
    values, gates = x.chunk(2, dim=1)
    return values * torch.sigmoid(gates)


class LatentStart(nn.Module):
    """z as a 1x1 map -> transposed 4x4 convolution, batch norm, gated linear unit.

    Args:
        latent_dim: length of z.
        channels: of the 4x4 map.
        spectral_norm: of the convolution.
    """

    def __init__(self, latent_dim: int, channels: int, spectral_norm: SpectralNormArg = None) -> None:
        super().__init__()
        self.conv = conv_transpose2d(
            latent_dim, 2 * channels, BOTTOM_SIZE, bias=False, spectral_norm=spectral_norm
        )
        self.norm = batch_norm(2 * channels)

    def forward(self, latent: Tensor) -> Tensor:
        """Map (N, latent_dim) to (N, channels, 4, 4)."""
        return gated_linear_unit(self.norm(self.conv(latent[:, :, None, None])))


class NoiseInjection(nn.Module):
    """Adds noise, one number a position for all channels, times one learnt weight that starts at 0.

    In training the noise is fresh. In evaluation it is ``const`` (the same at every call and for every image,
    so that an image is a function of its latent alone), ``random`` (one number per image and position, the
    same at every call) or ``none``.

    Args:
        size: height and width of the map.
        number: of the injection in its network, which decides the constant noise.
        eval_noise: see above.

    Raises:
        ValueError: another ``eval_noise``.
    """

    constant: Tensor

    def __init__(self, size: int, number: int = 0, eval_noise: str = "const") -> None:
        super().__init__()
        if eval_noise not in EVAL_NOISES:
            raise ValueError(f"eval_noise must be one of {EVAL_NOISES}, got {eval_noise!r}")
        self.eval_noise, self.number = eval_noise, number
        self.random_source = RandomSource()
        self.weight = nn.Parameter(torch.zeros(1))
        fixed = torch.randn(1, 1, size, size, generator=make_generator("constant noise", number))
        # a function of the seed: kept out of checkpoints
        self.register_buffer("constant", fixed.to(torch.get_default_dtype()), persistent=False)

    def draw(self, x: Tensor, call: int) -> Tensor | None:
        """Return noise (N or 1, 1, H, W) for ``x`` (N, C, H, W); None for none.

        Args:
            x: features.
            call: which injection of its network this is.
        """
        if not self.training and self.eval_noise != "random":
            return self.constant if self.eval_noise == "const" else None
        source = self.random_source.local("noise", x.device)
        if not self.training:
            source = make_generator("evaluation noise", self.number, call, device=x.device)
        return torch.randn(x.shape[0], 1, *x.shape[2:], generator=source, device=x.device)

    def forward(self, x: Tensor, call: int = 0) -> Tensor:
        """Return ``x`` (N, C, H, W) with noise."""
        noise = self.draw(x, call)
        return x if noise is None else self.add(x, noise)

    def add(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return ``x`` (N, C, H, W) plus weighted ``noise`` (N or 1, 1, H, W), in the type of ``x``."""
        return x + (self.weight * noise.to(self.weight.dtype)).to(x.dtype)


class GatedUpBlock(nn.Module):
    """x2, 3x3 convolution, noise, norm, gated linear unit; the deep form repeats all but x2.

    The light form has one convolution and no noise. The enlargement and its convolution are one layer
    (:mod:`mmcgan.models.layers.merged_convolution`).

    Args:
        in_channels, out_channels: channels.
        size: height and width of the output.
        norm: factory of normalisations called as ``norm(x, condition)``.
        light: one convolution and no noise.
        shared_noise: give both injections one weight.
        number: of the first injection in its network.
        eval_noise: see :class:`NoiseInjection`.
        spectral_norm: of the convolutions.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int,
        *,
        norm: NormFactory,
        light: bool = False,
        shared_noise: bool = False,
        number: int = 0,
        eval_noise: str = "const",
        spectral_norm: SpectralNormArg = None,
    ) -> None:
        super().__init__()
        wide = 2 * out_channels
        self.conv1 = conv2d(
            in_channels, wide, 3, padding=1, bias=False, spectral_norm=spectral_norm, resize="double"
        )
        self.norm1 = norm(wide)
        self.conv2, self.norm2 = None, None
        if not light:
            self.conv2 = conv2d(out_channels, wide, 3, padding=1, bias=False, spectral_norm=spectral_norm)
            self.norm2 = norm(wide)
        injections = 0 if light else 1 if shared_noise else 2
        self.noise = nn.ModuleList(
            NoiseInjection(size, number + index, eval_noise) for index in range(injections)
        )

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map (N, in, H, W) to (N, out, 2H, 2W)."""
        x = self._stage(self.conv1(x), self.norm1, condition, 0)
        if self.conv2 is None or self.norm2 is None:
            return x
        return self._stage(self.conv2(x), self.norm2, condition, 1)

    def _stage(self, x: Tensor, norm: nn.Module, condition: Tensor | None, call: int) -> Tensor:
        if self.noise:
            x = self.noise[min(call, len(self.noise) - 1)](x, call)
        return gated_linear_unit(norm(x, condition))


class SkipExcitation(nn.Module):
    """Scales the channels of a large map by gates read off a small one (FastGAN, Eq. 1).

    Args:
        small_channels, channels: of the two maps.
        spectral_norm: of the convolutions.
    """

    def __init__(self, small_channels: int, channels: int, spectral_norm: SpectralNormArg = None) -> None:
        super().__init__()
        self.conv1 = conv2d(small_channels, channels, BOTTOM_SIZE, bias=False, spectral_norm=spectral_norm)
        self.conv2 = conv2d(channels, channels, 1, bias=False, spectral_norm=spectral_norm)

    def forward(self, small: Tensor, x: Tensor) -> Tensor:
        """Return ``x`` (N, C, H, W) scaled as ``small`` (N, small_channels, h, w) says; h, w at least 4."""
        pooled = F.adaptive_avg_pool2d(small, BOTTOM_SIZE)
        return x * self.conv2(F.silu(self.conv1(pooled))).sigmoid()
