"""Any generator, with latent codes mixed into its latent (InfoGAN)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from mmcgan.models.layers import SpectralNormArg, initialize, linear
from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition


@GENERATORS.register_module()
class CodedGenerator(nn.Module):
    """Maps noise and codes linearly to the latent of another generator.

    The latent of this one is ``code_dim`` longer: noise first, codes last, as
    :class:`~mmcgan.samplers.codes.CodedLatent` draws them. StudioGAN's injection "concat". A generator
    that spreads its whole latent needs no such map; a hierarchical one does, or its last block alone
    would see the codes.

    Args:
        generator: config of the generator.
        code_dim: number of columns of all codes.
        spectral_norm: applied to the map.
        init: of the map, see :func:`mmcgan.models.layers.initialize`.

    Raises:
        ValueError: ``code_dim`` is not positive.
    """

    def __init__(
        self,
        generator: dict[str, Any],
        code_dim: int,
        spectral_norm: SpectralNormArg = None,
        init: str = "orthogonal",
    ) -> None:
        super().__init__()
        if code_dim < 1:
            raise ValueError(f"CodedGenerator: code_dim must be at least 1, got {code_dim}")
        self.generator = GENERATORS.build(generator)
        self.image_size, self.num_classes = self.generator.image_size, self.generator.num_classes
        self.latent_dim = self.generator.latent_dim + code_dim
        self.mix = linear(self.latent_dim, self.generator.latent_dim, spectral_norm=spectral_norm)
        initialize(self.mix, init)

    @property
    def requires(self) -> tuple[str, ...]:
        """Fields of the condition that must be present."""
        return self.generator.requires

    def embed(self, condition: Condition) -> Tensor | None:
        """Return what the generator makes of ``condition``."""
        return self.generator.embed(condition)

    def synthesize(self, latent: Tensor, embedding: Tensor | None) -> Tensor:
        """Return images (N, 3, H, W) in [-1, 1] from noise and codes (N, latent_dim)."""
        return self.generator.synthesize(self.mix(latent), embedding)

    def forward(self, latent: Tensor, condition: Condition) -> Tensor:
        """Return images (N, 3, H, W) in [-1, 1] from noise and codes under ``condition``."""
        return self.generator(self.mix(latent), condition)
