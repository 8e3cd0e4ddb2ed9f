"""Latents that are wider or narrower than those a generator was trained with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Generator, Tensor

from mmcgan.registry import SAMPLERS
from mmcgan.samplers.base import LatentSampler
from mmcgan.samplers.default_law import latent_law
from mmcgan.samplers.latent import truncate_latent

NAME = "ScaledLatent"


@SAMPLERS.register_module()
class ScaledLatent(LatentSampler):
    """Latents of another law times a number; codes among them stay as they are.

    A generator is trained with latents of one width and may be sampled with others. Narrower ones give up
    variety for fidelity, as truncation does; wider ones do the opposite, which is worth the most where a
    generator varies less than its data (docs/results/fashion_mnist.md: recall 0.20 -> 0.38 at 1.5 times the
    width, and a lower FID). Networks that normalise their latents (StyleGAN2) do not notice.

    Args:
        latent_dim: length of a latent.
        noise: config of the other law; N(0, I) by default.
        scale: finite and greater than 0.

    Raises:
        ValueError: a scale that is not.
    """

    def __init__(self, latent_dim: int, noise: dict[str, Any] | None = None, scale: float = 1.0) -> None:
        check_scale(scale)
        super().__init__(latent_dim)
        self.law: LatentSampler = SAMPLERS.build({"latent_dim": latent_dim, **latent_law(noise)})
        self.scale = scale
        self.emits, self.code_dim = self.law.emits, self.law.code_dim

    @classmethod
    def emits_with(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what the other law emits."""
        law = latent_law(settings.get("noise"))
        return cast(tuple[str, ...], cast(Any, SAMPLERS.require(law["type"])).emits_with(law))

    def sample(self, n: int, generator: Generator) -> Tensor:
        """Draw float32 (n, latent_dim)."""
        return self._times(self.law.sample(n, generator), self.scale)

    def energy(self, latent: Tensor) -> Tensor:
        """Return the other law's of latents (N, D) without the columns of codes, divided by the scale."""
        return self.law.energy(latent / self.scale)

    def truncate(self, latent: Tensor, threshold: float, generator: Generator | None = None) -> Tensor:
        """Return latents within a threshold that is one of these latents, not of the other law's."""
        own = self._times(latent, 1 / self.scale)
        narrow = truncate_latent(self.law, own, threshold / self.scale, generator)
        # what is kept keeps its bits, which there and back would not
        return torch.where(narrow == own, latent, self._times(narrow, self.scale))

    def codes(self, latent: Tensor) -> dict[str, Tensor]:
        """Return the codes in ``latent`` (N, latent_dim) by name."""
        return cast(Any, self.law).codes(latent)

    def with_codes(self, latent: Tensor, chosen: Mapping[str, Sequence[float | None]]) -> Tensor:
        """Return latents whose codes are what was chosen, as the other law has it."""
        return cast(Any, self.law).with_codes(latent, chosen)

    def _times(self, latent: Tensor, factor: float) -> Tensor:
        if not self.code_dim:
            return latent * factor
        factors = latent.new_full((self.latent_dim,), factor)
        factors[-self.code_dim :] = 1.0
        return latent * factors


def check_scale(scale: float | None) -> None:
    """Raise ValueError for what latents cannot be multiplied with; None leaves them as they are."""
    if scale is not None and not 0 < scale < math.inf:
        raise ValueError(f"latent scale: give a finite number above 0, got {scale}")


def unscaled(law: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the config of the law that a :class:`ScaledLatent` scales, or of a law that is none itself."""
    given = latent_law(law)
    while str(given["type"]).rpartition(".")[2] == NAME:
        given = latent_law(given.get("noise"))
    return given


def scaled(law: Mapping[str, Any] | None, scale: float | None) -> dict[str, Any]:
    """Return the config of a law with latents ``scale`` times as wide as those of training.

    Args:
        law: of training, or a scaled one, whose scale is replaced; N(0, I) if it is empty.
        scale: 1 for those of training; None leaves the law as it is.

    Raises:
        ValueError: a scale that is not finite or not above 0.
    """
    check_scale(scale)
    if scale is None:
        return latent_law(law)
    return unscaled(law) if scale == 1 else {"type": NAME, "noise": unscaled(law), "scale": scale}
