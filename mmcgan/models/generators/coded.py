"""Any generator, with latent codes mixed into its latent (InfoGAN)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from mmcgan.image_shapes import ImageShapes
from mmcgan.models.generators.base import LATENT, FirstMap, Generator, Stages
from mmcgan.models.layers import SpectralNormArg, initialize, linear
from mmcgan.models.layers.spectral_norm import evaluated_weight
from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition


@GENERATORS.register_module()
class CodedGenerator(Generator):
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

    image_shapes = ImageShapes("as those of its `generator`", square=True)

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
        self.latent_dim, self.requires = self.generator.latent_dim + code_dim, self.generator.requires
        self.mix = linear(self.latent_dim, self.generator.latent_dim, spectral_norm=spectral_norm)
        initialize(self.mix, init)

    def embed(self, condition: Condition) -> Tensor | None:
        """Return what the generator makes of ``condition``."""
        return self.generator.embed(condition)

    def synthesize(self, latent: Tensor, embedding: Tensor | None) -> Tensor:
        """Return images (N, 3, H, W) in [-1, 1] from noise and codes (N, latent_dim)."""
        return self.generator.synthesize(self.mix(latent), embedding)

    def forward(self, latent: Tensor, condition: Condition) -> Tensor:
        """Return images (N, 3, H, W) in [-1, 1] from noise and codes under ``condition``."""
        return self.generator(self.mix(latent), condition)

    def first_map(self) -> FirstMap:
        """Return the map in front of the generator's own; of one that has styles, the generator's."""
        found = self.generator.first_map()
        if found.space != LATENT:
            return found
        return FirstMap(found.matrix @ evaluated_weight(self.mix))

    def moved(self, latent: Tensor, condition: Condition, step: Tensor, space: str) -> Tensor:
        """Return images (N, 3, H, W) of one latent moved by ``step``, or of its styles if those are meant."""
        if space == LATENT:
            return super().moved(latent, condition, step, space)
        return self.generator.moved(self.mix(latent), condition, step, space)

    def stages(self) -> Stages:
        """Return the generator's."""
        return self.generator.stages()

    def norms(self) -> Mapping[str, tuple[nn.Module, str]]:
        """Return the generator's."""
        return self.generator.norms()
