"""Spectral normalisation of weights (Miyato et al., "Spectral Normalization for GANs", 2018).

Every normalised layer owns a :class:`SpectralNorm` child called ``spectral``, which divides the
layer's weight by an estimate of its largest singular value. The estimate comes from power
iteration on vectors that are kept between calls (buffers ``u0``, ``u1``, ...).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.models.layers.tiled_convolution import Conv2d
from mmcgan.option_groups import options_from


@dataclass(frozen=True)
class SpectralNormOptions:
    """How the largest singular value is estimated and used.

    Attributes:
        eps: lower bound of the norms the iteration divides by.
        iterations: power iterations per training forward.
        singular_values: how many singular values are tracked (all are logged in ``sigma<i>``).
        differentiable: whether the weight's gradient flows through sigma (eq. 12 of the paper).
            MMagic's home-made layers treat sigma as a constant.
        iterate_in_eval: True runs an iteration in evaluation without storing its vectors
            (BigGAN-PyTorch); False uses the stored vectors u and v (torch's classic hook).
        divide_by_smallest: divide by the last tracked singular value, as MMagic does by mistake
            when it tracks several. For converted weights only.
    """

    eps: float = 1e-6
    iterations: int = 1
    singular_values: int = 1
    differentiable: bool = True
    iterate_in_eval: bool = True
    divide_by_smallest: bool = False

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.singular_values < 1:
            raise ValueError(f"spectral_norm needs iterations >= 1 and singular_values >= 1, got {self}")
        if self.singular_values > 1 and not self.iterate_in_eval:
            raise ValueError("spectral_norm with singular_values > 1 needs iterate_in_eval=True")


#: torch's classic spectral norm, which the networks of SPADE and Projected GAN use
CLASSIC_SPECTRAL = SpectralNormOptions(eps=1e-12, iterate_in_eval=False)

SpectralNormArg = bool | Mapping[str, object] | SpectralNormOptions | None


def spectral_norm_options(value: SpectralNormArg) -> SpectralNormOptions | None:
    """Return the options that a ``spectral_norm`` argument means: None/False, True, dict or options.

    Raises:
        ValueError: a dict with an unknown key.
    """
    if value is None or value is False:
        return None
    if value is True:
        return SpectralNormOptions()
    if isinstance(value, SpectralNormOptions):
        return value
    return options_from(SpectralNormOptions, "spectral_norm", value)


def _without(vector: Tensor, others: list[Tensor]) -> Tensor:
    """Remove the components of ``vector`` along ``others`` (Gram-Schmidt)."""
    for other in others:
        vector = vector - (vector @ other) / (other @ other) * other
    return vector


class SpectralNorm(nn.Module):
    """Divides a weight by its estimated largest singular value.

    Args:
        weight: the weight; its shape alone is used, as a matrix with axis ``axis`` as rows.
        options: see :class:`SpectralNormOptions`.
        axis: output axis of the weight (1 for transposed convolutions).
    """

    def __init__(self, weight: Tensor, options: SpectralNormOptions, axis: int = 0) -> None:
        super().__init__()
        self.options = options
        self.axis = axis
        rows, columns = self._matrix(weight.detach()).shape
        for index in range(options.singular_values):
            self.register_buffer(f"u{index}", F.normalize(torch.randn(rows), dim=0))
            if options.iterate_in_eval:
                self.register_buffer(f"sigma{index}", torch.ones(1))
            else:
                self.register_buffer(f"v{index}", F.normalize(torch.randn(columns), dim=0))

    def _matrix(self, weight: Tensor) -> Tensor:
        """Return (outputs, all else); columns in the order of memory unless vectors of theirs are stored.

        Singular values do not depend on the order, and channels-last weights need not be copied.
        """
        free = self.options.iterate_in_eval and self.axis == 0 and weight.dim() == 4
        if free and weight.is_contiguous(memory_format=torch.channels_last):
            return weight.permute(0, 2, 3, 1).flatten(1)
        return weight.transpose(0, self.axis).flatten(1)

    def _vectors(self, name: str) -> list[Tensor]:
        return [getattr(self, f"{name}{index}") for index in range(self.options.singular_values)]

    @torch.no_grad()
    def _iterate(self, matrix: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Run one power iteration from the stored left vectors; return new left and right ones."""
        left: list[Tensor] = []
        right: list[Tensor] = []
        for u in self._vectors("u"):
            right.append(F.normalize(_without(u @ matrix, right), dim=0, eps=self.options.eps))
            left.append(F.normalize(_without(matrix @ right[-1], left), dim=0, eps=self.options.eps))
        return left, right

    @torch.no_grad()
    def _store(self, left: list[Tensor], right: list[Tensor]) -> None:
        for buffer, u in zip(self._vectors("u"), left, strict=True):
            buffer.copy_(u)
        if not self.options.iterate_in_eval:
            for buffer, v in zip(self._vectors("v"), right, strict=True):
                buffer.copy_(v)

    def _estimate(self, matrix: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return the singular vectors to use in this forward, storing them when training."""
        if not self.training and not self.options.iterate_in_eval:
            return [u.clone() for u in self._vectors("u")], [v.clone() for v in self._vectors("v")]
        # Evaluation stores nothing, so that repeating the iteration would not change its result.
        for _ in range(self.options.iterations if self.training else 1):
            left, right = self._iterate(matrix)
            if self.training:
                self._store(left, right)
        return left, right

    def forward(self, weight: Tensor) -> Tensor:
        """Return ``weight / sigma`` in float32, whatever the autocast state."""
        # The meta device, on which networks are measured, has no autocast.
        device = "cpu" if weight.is_meta else weight.device.type
        with torch.autocast(device, enabled=False):
            matrix = self._matrix(weight)
            left, right = self._estimate(matrix)
            source = matrix if self.options.differentiable else matrix.detach()
            sigmas = [u @ (source @ v) for u, v in zip(left, right, strict=True)]
            if self.training and self.options.iterate_in_eval:
                for index, sigma in enumerate(sigmas):
                    getattr(self, f"sigma{index}").copy_(sigma.detach())
            return weight / sigmas[-1 if self.options.divide_by_smallest else 0]

    def extra_repr(self) -> str:
        """Return the options, for printing the network."""
        return ", ".join(f"{key}={value}" for key, value in asdict(self.options).items())


class SpectralConv2d(Conv2d):
    """A convolution with a spectrally normalised weight."""

    spectral: SpectralNorm

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, C_in, H, W) to (N, C_out, H', W')."""
        return self._conv_forward(input, self.spectral(self.weight), self.bias)


class SpectralConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution with a spectrally normalised weight (rows: output channels)."""

    spectral: SpectralNorm

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map (N, C_in, H, W) to (N, C_out, H', W')."""
        weight = self.spectral(self.weight)
        padding = cast("tuple[int, int]", self.padding)
        return F.conv_transpose2d(
            input, weight, self.bias, self.stride, padding, self.output_padding, self.groups
        )


class SpectralLinear(nn.Linear):
    """A linear map with a spectrally normalised weight."""

    spectral: SpectralNorm

    def forward(self, input: Tensor) -> Tensor:
        """Map (N, in_features) to (N, out_features)."""
        return F.linear(input, self.spectral(self.weight), self.bias)


class SpectralEmbedding(nn.Embedding):
    """A table whose (num_embeddings, dim) matrix is spectrally normalised."""

    spectral: SpectralNorm

    def forward(self, input: Tensor) -> Tensor:
        """Map indices (N,) to rows (N, dim)."""
        return F.embedding(input, self.spectral(self.weight))


def applied_weight(layer: nn.Module) -> Tensor:
    """Return the weight that ``layer`` multiplies by, normalised if it is one of the layers above."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    norm = layer._modules.get("spectral")
    return weight if norm is None else norm(weight)


@torch.no_grad()
def evaluated_weight(layer: nn.Module) -> Tensor:
    """Return the weight that ``layer`` applies in evaluation, spectral norm included, detached."""
    norm = layer._modules.get("spectral")
    was_training = norm is not None and norm.training
    if norm is not None:
        norm.eval()
    weight = applied_weight(layer).detach()
    if norm is not None:
        norm.train(was_training)
    return weight
