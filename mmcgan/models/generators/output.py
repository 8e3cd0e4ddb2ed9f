"""The last step of every convolutional generator: a feature map becomes an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.dtypes import at_least_float32
from mmcgan.models.layers.implicit_output import ImplicitOutput, Size, Window
from mmcgan.models.layers.spectral_norm import SpectralNormArg
from mmcgan.structures import Condition


def implicit_output(
    channels: int, options: Mapping[str, Any] | None, spectral_norm: SpectralNormArg
) -> ImplicitOutput | None:
    """Return the implicit output layer that ``options`` ask for; None without any.

    To be made after the weights of the other layers are initialised: it keeps torch's own start.

    Raises:
        ValueError: an option it does not have, or one out of range.
    """
    if options is None:
        return None
    try:
        return ImplicitOutput(channels, **{"spectral_norm": spectral_norm, **options})
    except TypeError as error:
        raise ValueError(f"implicit: {error}") from error


class ImageGenerator(nn.Module):
    """A generator that makes a feature map and then an image, of one size or of any.

    A subclass writes :meth:`embed`, :meth:`features` and :meth:`convolve`, and sets ``implicit``.
    """

    image_size: int
    implicit: ImplicitOutput | None

    def embed(self, condition: Condition) -> Tensor | None:
        """Return what conditions the layers, or None."""
        raise NotImplementedError

    def features(self, latent: Tensor, embedding: Tensor | None) -> Tensor:
        """Return the last feature map (N, C, H, W)."""
        raise NotImplementedError

    def convolve(self, features: Tensor) -> Tensor:
        """Return the colours (N, 3, H, W), before tanh, of a generator with a convolution at its end."""
        raise NotImplementedError

    def to_image(self, features: Tensor, size: Size | None = None, window: Window | None = None) -> Tensor:
        """Return the image (N, 3, h, w) in [-1, 1] of a feature map.

        Args:
            features: see :meth:`features`.
            size: height and width of the whole image, for a generator with an implicit output.
            window: top, left, height and width of the part to render.

        Raises:
            ValueError: another size than ``image_size`` asked of a generator with a convolution.
        """
        if self.implicit is not None:
            return self.implicit(features, size, window)
        if window is not None or size not in (None, (self.image_size, self.image_size)):
            raise ValueError(
                f"{type(self).__name__} makes images of {self.image_size} x {self.image_size} only, asked "
                f"for size={size}, window={window}; with an implicit output layer (implicit=dict(...)) "
                "a generator makes any"
            )
        return self.to_range(self.convolve(features))

    def to_range(self, colours: Tensor) -> Tensor:
        """Return the image in [-1, 1] of what :meth:`convolve` returned, float32 or wider."""
        return torch.tanh(at_least_float32(colours))

    def synthesize(
        self,
        latent: Tensor,
        embedding: Tensor | None,
        size: Size | None = None,
        window: Window | None = None,
    ) -> Tensor:
        """Return images (N, 3, h, w) in [-1, 1] from z (N, latent_dim) and :meth:`embed`'s result.

        Raises:
            ValueError: a latent of another length, or a size that cannot be made (:meth:`to_image`).
        """
        return self.to_image(self.features(latent, embedding), size, window)

    def forward(
        self, latent: Tensor, condition: Condition, size: Size | None = None, window: Window | None = None
    ) -> Tensor:
        """Return images (N, 3, h, w) in [-1, 1] from z (N, latent_dim) under ``condition``."""
        return self.synthesize(latent, self.embed(condition), size, window)
