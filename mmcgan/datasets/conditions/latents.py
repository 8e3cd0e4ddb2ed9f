"""The latents of an evaluation: what all sets of conditions have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from mmcgan.datasets.base import GANDataset
from mmcgan.registry import SAMPLERS
from mmcgan.samplers.default_law import latent_law, law_text
from mmcgan.samplers.drawing import draw_latents
from mmcgan.samplers.latent import check_truncation


class SeededLatents(GANDataset):
    """Latent i is a function of (seed, i) alone, that of image i of ``mmcgan sample`` with the same seed.

    Args:
        latent_dim: length of a latent vector; filled from the generator when the config is silent.
        latent_sampler: config of the latent law; that of the model when the config is silent, a standard
            normal law without a model.
        seed: another seed, other latents.
        truncation: threshold at which latents are truncated, see
            :meth:`~mmcgan.samplers.base.LatentSampler.truncate`; None for none.

    Raises:
        ValueError: ``latent_dim`` is missing, or a law without the truncation asked for.
    """

    def __init__(
        self,
        latent_dim: int | None,
        latent_sampler: dict[str, Any] | None,
        seed: int,
        truncation: float | None,
    ) -> None:
        if latent_dim is None:
            raise ValueError(f"{type(self).__name__}: latent_dim is missing; give that of the generator")
        self.latent_dim, self.seed, self.truncation = latent_dim, seed, truncation
        law = latent_law(latent_sampler)
        self.law_text = law_text(law)
        self.latent_sampler = SAMPLERS.build({**law, "latent_dim": latent_dim})
        if truncation is not None:
            check_truncation(self.latent_sampler, truncation)

    def latents(self, indices: Iterable[int]) -> Tensor:
        """Return the latents of items, float32 (N, D)."""
        return draw_latents(self.latent_sampler, self.seed, indices, self.truncation)

    @property
    def latent_metainfo(self) -> dict[str, Any]:
        """What was asked of the latents: size, law, seed and truncation."""
        return dict(
            seed=self.seed,
            latent_dim=self.latent_dim,
            latent_sampler=self.law_text,
            truncation=self.truncation,
        )
