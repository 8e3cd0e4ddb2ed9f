"""Batch normalisation, plain and conditional (Dumoulin et al., 2017; de Vries et al., 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from mmcgan.dtypes import at_least_float32
from mmcgan.models.layers.condition_weight import WeighsCondition
from mmcgan.models.layers.factories import embedding, linear
from mmcgan.models.layers.spectral_norm import SpectralNormArg
from mmcgan.models.layers.tabulated_norm import TabulatedBatchNorm2d
from mmcgan.option_groups import options_from

ENCODINGS = ("vector", "label", "one_hot")


@dataclass(frozen=True)
class BatchNormOptions:
    """How batch statistics are taken.

    Attributes:
        eps: added to the variance.
        momentum: weight of the new batch in the running statistics.
        biased_variance: keep the biased batch variance as running variance (the ``mybn`` layer of
            BigGAN-PyTorch); torch keeps the unbiased one. For converted weights only.
        add_gain: add the gain to the normalised features instead of multiplying by it, a bug of
            BigGAN-PyTorch's ``cross_replica`` layer on a single device. For converted weights only.
        rows: keep statistics for this many truncations, see
            :class:`~mmcgan.models.layers.tabulated_norm.TabulatedBatchNorm2d`; 0 for running ones.
        swapped_rows: how that table is read between its rows. For converted weights only.
    """

    eps: float = 1e-5
    momentum: float | None = 0.1
    biased_variance: bool = False
    add_gain: bool = False
    rows: int = 0
    swapped_rows: bool = False


def batch_norm_options(value: Mapping[str, object] | BatchNormOptions | None) -> BatchNormOptions:
    """Return the options that a ``batch_norm`` argument means: None (defaults), dict or options.

    Raises:
        ValueError: a dict with an unknown key.
    """
    if value is None or isinstance(value, BatchNormOptions):
        return value or BatchNormOptions()
    return options_from(BatchNormOptions, "batch_norm", value)


class BiasedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation whose running variance is the biased batch variance."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (N, C, H, W) per channel."""
        if not self.training:
            return super().forward(input)
        if self.track_running_stats:
            self._track(at_least_float32(input.detach()))
        return F.batch_norm(input, None, None, self.weight, self.bias, True, 0.0, self.eps)

    @torch.no_grad()
    def _track(self, input: Tensor) -> None:
        variance, mean = torch.var_mean(input, dim=(0, 2, 3), correction=0)
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        rate = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        assert self.running_mean is not None and self.running_var is not None
        self.running_mean.lerp_(mean, rate)
        self.running_var.lerp_(variance, rate)


def batch_norm(
    channels: int, options: BatchNormOptions | None = None, *, affine: bool = True
) -> nn.BatchNorm2d | TabulatedBatchNorm2d:
    """Return a batch normalisation of (N, ``channels``, H, W)."""
    options = options or BatchNormOptions()
    if options.rows:
        swapped = options.swapped_rows
        return TabulatedBatchNorm2d(channels, options.rows, options.eps, affine=affine, swapped=swapped)
    kind = BiasedBatchNorm2d if options.biased_variance else nn.BatchNorm2d
    return kind(channels, eps=options.eps, momentum=options.momentum, affine=affine)


class ConditionalBatchNorm(WeighsCondition):
    """Batch normalisation whose gain and bias are predicted from the condition.

    ``forward(x, c) = norm(x) * (1 + gain(c)) + bias(c)``, gain and bias being linear maps (without a
    bias of their own unless asked for) of a conditioning vector, or one row per class.

    Args:
        channels: channels of the image features.
        condition_dim: length of the conditioning vector, or number of classes.
        encoding: what ``forward`` receives: ``vector`` (N, condition_dim); ``label`` (N,) looked up
            in a table; ``one_hot`` (N,) labels, expanded and passed through the linear map (the
            same function as ``label`` but another weight layout and spectral norm).
        spectral_norm: applied to the gain and bias maps.
        options: batch statistics.
        unit_gain: False multiplies by ``gain(c)`` itself (Miyato's SNGAN), which then starts at 1.
        biased_maps: give the linear maps a bias each (Projected GAN).

    Raises:
        ValueError: unknown ``encoding`` or ``condition_dim`` below 1.
    """

    def __init__(
        self,
        channels: int,
        condition_dim: int,
        *,
        encoding: str = "vector",
        spectral_norm: SpectralNormArg = None,
        options: BatchNormOptions | None = None,
        unit_gain: bool = True,
        biased_maps: bool = False,
    ) -> None:
        super().__init__()
        if encoding not in ENCODINGS:
            raise ValueError(f"encoding must be one of {ENCODINGS}, got {encoding!r}")
        if condition_dim < 1:
            raise ValueError(f"conditional batch norm needs condition_dim >= 1, got {condition_dim}")
        self.encoding = encoding
        self.condition_dim = condition_dim
        self.unit_gain = unit_gain
        # which tensors belong to classes, see mmcgan.models.class_rows
        self.class_rows = ("gain", "bias") if encoding == "label" else ()
        self.class_columns = ("gain", "bias") if encoding == "one_hot" else ()
        self.add_gain = batch_norm_options(options).add_gain
        self.norm = batch_norm(channels, options, affine=False)
        if encoding == "label":
            self.gain: nn.Module = embedding(condition_dim, channels, spectral_norm=spectral_norm)
            self.bias: nn.Module = embedding(condition_dim, channels, spectral_norm=spectral_norm)
        else:
            self.gain = linear(condition_dim, channels, bias=biased_maps, spectral_norm=spectral_norm)
            self.bias = linear(condition_dim, channels, bias=biased_maps, spectral_norm=spectral_norm)

    def reset_affine(self) -> None:
        """Start from gain 1 and bias 0 for every class, where gain is the table itself."""
        if not self.unit_gain:
            nn.init.ones_(cast(Tensor, self.gain.weight))
            nn.init.zeros_(cast(Tensor, self.bias.weight))

    def weigh_condition(self, weight: float) -> None:
        """Let labels act with ``weight``; a vector was weighed where it was made."""
        if self.encoding != "vector":
            super().weigh_condition(weight)

    def _look_up(self, source: nn.Module, condition: Tensor) -> Tensor:
        """Return rows (N, C) of a map or table, or mixtures of a table's rows."""
        if self.encoding == "label" and condition.is_floating_point():
            return condition @ source(torch.arange(self.condition_dim, device=condition.device))
        return source(condition)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Normalise (N, C, H, W) under ``condition`` (N, condition_dim) or labels (N,).

        In place of labels a mixture of classes may be given, float (N, condition_dim).
        """
        if self.encoding == "one_hot" and not condition.is_floating_point():
            condition = F.one_hot(condition, self.condition_dim).to(x.dtype)
        # Under autocast the maps come out in another type than the features.
        gain = self._look_up(self.gain, condition).to(x.dtype)[:, :, None, None]
        bias = self.weighed(self._look_up(self.bias, condition).to(x.dtype)[:, :, None, None])
        gain = 1 + self.weighed(gain) if self.unit_gain else self.between(torch.ones_like(gain), gain)
        x = self.norm(x)
        return x + gain + bias if self.add_gain else torch.addcmul(bias, x, gain)


class PlainBatchNorm(nn.Module):
    """An affine batch normalisation with the signature of the conditional one."""

    def __init__(self, channels: int, options: BatchNormOptions | None = None) -> None:
        super().__init__()
        self.add_gain = batch_norm_options(options).add_gain
        self.norm = batch_norm(channels, options)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Normalise (N, C, H, W); the condition is not used."""
        if not self.add_gain:
            return self.norm(x)
        gain, bias = self.norm.weight, self.norm.bias
        assert gain is not None and bias is not None
        normalised = functional_call(
            self.norm, {"weight": torch.ones_like(gain), "bias": torch.zeros_like(bias)}, (x,)
        )
        return normalised + (gain + bias)[:, None, None]
