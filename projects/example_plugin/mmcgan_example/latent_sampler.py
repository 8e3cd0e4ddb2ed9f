"""A latent law of one's own, as in docs/extending/latent_sampler.md."""

import torch

from mmcgan.registry import SAMPLERS
from mmcgan.samplers import LatentSampler


@SAMPLERS.register_module()
class TwoClouds(LatentSampler):
    """N(+-distance, 1), either with probability 1/2."""

    def __init__(self, latent_dim: int, distance: float = 1.0) -> None:
        super().__init__(latent_dim)
        self.distance = distance

    def sample(self, n, generator):
        """Draw float32 (n, latent_dim); all randomness comes from ``generator``."""
        options = dict(generator=generator, device=generator.device)
        side = 2.0 * torch.randint(2, (n, 1), **options) - 1
        return self.distance * side + torch.randn(n, self.latent_dim, **options)

    def truncate(self, latent, threshold, generator=None):
        """Move latents towards the nearer centre until none is further away than ``threshold``."""
        centre = self.distance * latent.mean(1, keepdim=True).sign()
        return centre + (latent - centre).clamp(-threshold, threshold)
