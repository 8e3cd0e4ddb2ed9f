"""The last step of every convolutional generator: a feature map becomes an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from mmcgan.dtypes import at_least_float32
from mmcgan.models.conditioning import ConditionEmbedding
from mmcgan.models.generators.base import Generator, Stages
from mmcgan.models.layers.implicit_output import ImplicitOutput, Size, Window
from mmcgan.models.layers.spectral_norm import SpectralNormArg
from mmcgan.structures import Condition

#: Names of the layers that make colours, and of those that make vectors of conditions.
OUTPUTS = ("output_norm", "output_conv", "output_activation", "implicit")
EMBEDDINGS = ("condition",)


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


class ImageGenerator(Generator):
    """A generator that makes a feature map and then an image, of one size or of any.

    A subclass writes :meth:`embed`, :meth:`features` and :meth:`convolve`, and sets ``implicit``.
    """

    image_size: int
    implicit: ImplicitOutput | None

    @property
    def any_size(self) -> bool:
        """Whether an implicit output layer makes images of any size."""
        return self.implicit is not None

    @property
    def full_size_channels(self) -> int:
        """Channels, over all layers, that the implicit output layer computes at the size of the image."""
        if self.implicit is None:
            return 0
        return sum(cast(nn.Linear, layer).out_features for layer in self.implicit.layers)

    def stages(self) -> Stages:
        """Return the blocks, each with the attention behind it, the last layers and the embedding."""
        children = dict(self.named_children())
        attention = dict(children["attention"].named_children()) if "attention" in children else {}
        blocks = dict(children["blocks"].named_children())
        return Stages(
            [[block, *([attention[name]] if name in attention else [])] for name, block in blocks.items()],
            [children[name] for name in OUTPUTS if name in children],
            [children[name] for name in EMBEDDINGS if name in children],
        )

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

    def synthesize_at(
        self,
        latent: Tensor,
        embedding: Tensor | None,
        size: Sequence[int],
        window: Sequence[int] | None = None,
    ) -> Tensor:
        """Return :meth:`synthesize` of another size, or a part of it."""
        return self.synthesize(latent, embedding, cast(Size, size), cast("Window | None", window))

    def forward(
        self, latent: Tensor, condition: Condition, size: Size | None = None, window: Window | None = None
    ) -> Tensor:
        """Return images (N, 3, h, w) in [-1, 1] from z (N, latent_dim) under ``condition``."""
        return self.synthesize(latent, self.embed(condition), size, window)


class PlainGenerator(ImageGenerator):
    """A generator with one embedding of the condition, which ends in a convolution and no squashing function.

    Attributes:
        condition: the embedding, of nothing if unconditional.
        output_conv: the convolution, where there is no implicit output.
    """

    condition: ConditionEmbedding
    output_conv: nn.Module

    def embed(self, condition: Condition) -> Tensor | None:
        """Return the vector (N, D) that conditions the layers; None if unconditional.

        Raises:
            ValueError: a field that the generator was built for is absent or out of range.
        """
        return self.condition(condition)

    def convolve(self, features: Tensor) -> Tensor:
        """Return the colours (N, 3, H, W)."""
        return self.output_conv(features)

    def to_range(self, colours: Tensor) -> Tensor:
        """Return the colours as they are: this network ends without a squashing function."""
        return colours.to(torch.promote_types(colours.dtype, torch.float32))
