"""Discriminator-driven latent sampling: latents drift to where the discriminator believes the images."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class LangevinOptions:
    """Settings of :func:`langevin_latents`.

    Attributes:
        steps: number of steps, at least 1.
        rate: step size, positive and finite.
        variance: of the noise, positive and finite. StudioGAN's ``langevin_noise_std`` is this variance.
        decay: factor of rate and noise after every ``decay_interval`` steps, in (0, 1].
        decay_interval: at least 1.

    Raises:
        ValueError: a setting is out of range.
    """

    steps: int = 1000
    rate: float = 0.01
    variance: float = 1.0
    decay: float = 1.0
    decay_interval: int = 1

    def __post_init__(self) -> None:
        if self.steps < 1 or self.decay_interval < 1:
            raise ValueError(f"LangevinOptions: steps and decay_interval must be at least 1, got {self}")
        if not (0 < self.rate < math.inf and 0 < self.variance < math.inf and 0 < self.decay <= 1):
            raise ValueError(
                f"LangevinOptions: rate and variance must be finite numbers above 0 and decay "
                f"in (0, 1], got {self}"
            )


def langevin_latents(
    latent: Tensor,
    logit: Callable[[Tensor], Tensor],
    options: LangevinOptions,
    noise: Generator | Callable[[int], Tensor],
    prior: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Return latents (N, D) after Langevin steps on p(z) * exp(logit) (DDLS, Che et al. 2020).

    z <- z - rate / 2 * grad E(z) + sqrt(rate) * noise, with E(z) = -log p(z) - logit(z).

    Args:
        latent: where the chains start, (N, D).
        logit: latents -> the discriminator's logits (N,) of their images, differentiable.
        options: step size, noise and their decay.
        noise: source of the normal noise, or step -> noise (N, D), variance included.
        prior: latents -> -log p(z) (N,), up to a constant; |z|^2 / 2 of N(0, I) by default.
    """
    rate, scale = options.rate, 1.0
    for step in range(options.steps):
        point = latent.detach().requires_grad_()
        with torch.enable_grad():
            own = 0.5 * point.square().sum(1) if prior is None else prior(point)
            energy = own - logit(point)
            (gradient,) = torch.autograd.grad(energy.sum(), point)
        kick = noise(step) if callable(noise) else _normal(latent, options.variance, noise)
        latent = latent - 0.5 * rate * gradient + math.sqrt(rate) * scale * kick
        if (step + 1) % options.decay_interval == 0:
            rate, scale = rate * options.decay, scale * options.decay
    return latent.detach()


def _normal(latent: Tensor, variance: float, generator: Generator) -> Tensor:
    drawn = torch.randn(latent.shape, generator=generator, device=generator.device)
    return math.sqrt(variance) * drawn.to(latent)
