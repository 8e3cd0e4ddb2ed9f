"""Latent distributions p(z). Samplers are pure: all randomness comes from the passed generator."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from mmcgan.registry import SAMPLERS
from mmcgan.samplers.base import LatentSampler


def check_amount(truncation: float | None) -> None:
    """Raise ValueError if no law and no generator could truncate by this: NaN, infinity, below 0.

    What is asked for from outside is checked so; a law itself takes infinity for no truncation.
    """
    if truncation is not None and not 0 <= truncation < math.inf:
        raise ValueError(
            f"truncation must be a finite number of at least 0, got {truncation}; leave it out for none"
        )


def _check_threshold(threshold: float) -> None:
    if not threshold > 0:
        raise ValueError(f"truncation must be greater than 0, got {threshold}")


def truncated_normal(shape: tuple[int, ...], threshold: float, generator: Generator) -> Tensor:
    """Draw N(0, 1) restricted to [-threshold, threshold], float32 of ``shape``.

    The law of a normal value redrawn until it falls inside the interval (BigGAN, section 3.1), and of
    scipy's ``truncnorm(-t, t)``. Drawn through the inverse distribution function, so that the
    number of random draws does not depend on their values.

    Raises:
        ValueError: ``threshold`` is not positive.
    """
    _check_threshold(threshold)
    uniform = torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float64)
    return truncated_quantile(uniform, threshold)


def truncated_quantile(uniform: Tensor, threshold: float) -> Tensor:
    """Return the quantiles, float32, of N(0, 1) restricted to [-threshold, threshold].

    Args:
        uniform: probabilities in [0, 1], float64 of any shape.
        threshold: greater than 0.
    """
    half_mass = math.erf(threshold / math.sqrt(2.0))
    value = torch.erfinv((2.0 * uniform - 1.0) * half_mass) * math.sqrt(2.0)
    return value.clamp(-threshold, threshold).float()


def truncate(latent: Tensor, threshold: float, generator: Generator | None = None) -> Tensor:
    """Return ``latent`` with every value inside [-threshold, threshold].

    With a generator, the values outside are redrawn from the truncated normal law (the truncation
    trick of BigGAN, section 3.1); without one they are clamped, as MMagic does. Values already
    inside are kept either way; an infinite threshold changes nothing.

    Args:
        latent: (N, D).
        threshold: greater than 0.
        generator: source of the redrawn values, on any device.

    Raises:
        ValueError: ``threshold`` is not positive.
    """
    _check_threshold(threshold)
    if math.isinf(threshold):
        return latent
    if generator is None:
        return latent.clamp(-threshold, threshold)
    redrawn = truncated_normal(tuple(latent.shape), threshold, generator).to(latent)
    return torch.where(latent.abs() > threshold, redrawn, latent)


def truncate_latent(
    law: LatentSampler, latent: Tensor, threshold: float, generator: Generator | None
) -> Tensor:
    """Return ``law.truncate(latent, threshold, generator)``.

    Raises:
        ValueError: ``threshold`` is not positive, or the law has no truncation.
    """
    _check_threshold(threshold)
    return law.truncate(latent, threshold, generator)


def check_truncation(law: LatentSampler, threshold: float) -> None:
    """Raise ValueError if latents of ``law`` cannot be truncated at ``threshold``; draws nothing."""
    check_amount(threshold)
    truncate_latent(law, torch.empty(0, law.latent_dim), threshold, None)


@SAMPLERS.register_module()
class NormalLatent(LatentSampler):
    """z ~ N(0, I); truncation redraws values beyond the threshold (BigGAN, section 3.1).

    Examples:
        >>> from mmcgan.random import make_generator
        >>> law = NormalLatent(latent_dim=8)
        >>> law.sample(2, make_generator(0)).shape
        torch.Size([2, 8])
    """

    def sample(self, n: int, generator: Generator) -> Tensor:
        """Draw float32 (n, latent_dim)."""
        return torch.randn(n, self.latent_dim, generator=generator, device=generator.device)

    def energy(self, latent: Tensor) -> Tensor:
        """Return |z|^2 / 2."""
        return 0.5 * latent.square().sum(1)

    def truncate(self, latent: Tensor, threshold: float, generator: Generator | None = None) -> Tensor:
        """Return :func:`truncate` of the latents."""
        return truncate(latent, threshold, generator)


@SAMPLERS.register_module()
class UniformLatent(LatentSampler):
    """z ~ U(-1, 1) in every dimension (DCGAN); truncation redraws values beyond the threshold uniformly."""

    def sample(self, n: int, generator: Generator) -> Tensor:
        """Draw float32 (n, latent_dim) in [-1, 1)."""
        uniform = torch.rand(n, self.latent_dim, generator=generator, device=generator.device)
        return 2.0 * uniform - 1.0

    def truncate(self, latent: Tensor, threshold: float, generator: Generator | None = None) -> Tensor:
        """Return latents of U(-threshold, threshold); a threshold of 1 or more changes nothing."""
        _check_threshold(threshold)
        if threshold >= 1:
            return latent
        if generator is None:
            return latent.clamp(-threshold, threshold)
        uniform = torch.rand(tuple(latent.shape), generator=generator, device=generator.device).to(latent)
        return torch.where(latent.abs() > threshold, threshold * (2.0 * uniform - 1.0), latent)


@SAMPLERS.register_module()
class TruncatedNormalLatent(LatentSampler):
    """z ~ N(0, I) with values beyond ``threshold`` redrawn; not rescaled (BigGAN, section 3.1).

    Further truncation at a smaller threshold narrows it, at a larger one changes nothing.

    Raises:
        ValueError: ``threshold`` is not positive, or ``latent_dim`` is below 1.
    """

    def __init__(self, latent_dim: int, threshold: float = 2.0) -> None:
        super().__init__(latent_dim)
        _check_threshold(threshold)
        self.threshold = threshold

    def sample(self, n: int, generator: Generator) -> Tensor:
        """Draw float32 (n, latent_dim) in [-threshold, threshold]."""
        return truncated_normal((n, self.latent_dim), self.threshold, generator)

    def energy(self, latent: Tensor) -> Tensor:
        """Return |z|^2 / 2, that of the law inside of the threshold."""
        return 0.5 * latent.square().sum(1)

    def truncate(self, latent: Tensor, threshold: float, generator: Generator | None = None) -> Tensor:
        """Return latents with values beyond the smaller of both thresholds redrawn."""
        return latent if threshold >= self.threshold else truncate(latent, threshold, generator)
