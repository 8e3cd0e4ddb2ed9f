"""Rules that move latents before images are made of them, guided by the discriminator."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from mmcgan.contracts import Contract, Reading, Value, some_names
from mmcgan.option_groups import takes_options
from mmcgan.random import make_generator
from mmcgan.realness import check_reading, is_reading
from mmcgan.registry import SAMPLERS
from mmcgan.regularizers.latent_optimization import ClimbOptions, natural_gradient_step
from mmcgan.samplers.base import LatentSampler
from mmcgan.samplers.langevin import LangevinOptions, langevin_latents

Logit = Callable[[Tensor], Tensor]


class LatentMove(Reading):
    """Base of the rules; ``reads`` names the discriminator's output that is climbed, ``law`` is the latents'.

    ``reading`` is what of that output is climbed, one of :data:`mmcgan.realness.READINGS`.

    What is drawn for a latent depends on that latent alone, so that an image does not depend on the
    batch it is made in, nor on the number of processes.
    """

    contract: ClassVar[Contract] = Contract(
        "latent move",
        "docs/extending/latent_move.md",
        methods={"__call__": "latents and a function to logits -> moved latents (N, D)"},
        values={
            "reads": Value("a tuple of one named tensor, the logit that is climbed", some_names),
            "reading": Value("the name of a reading of mmcgan.realness", is_reading),
        },
    )

    reads: tuple[str, ...] = ("adv.logit",)
    reading: str = "logit"
    law: LatentSampler | None = None

    def follow(self, law: LatentSampler) -> None:
        """Learn the law of the latents that will be moved; called once, before any is.

        Raises:
            ValueError: a law that the rule cannot follow.
        """
        self.law = law

    @classmethod
    def reads_with(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the logit that a rule of these settings climbs."""
        return (settings.get("logit", cls.reads[0]),)

    def __call__(self, latent: Tensor, logit: Logit) -> Tensor:
        """Return moved latents (N, D).

        Args:
            latent: (N, D).
            logit: latents -> logits (N,) of their images, differentiable.
        """
        raise NotImplementedError


def own_sources(name: str, latent: Tensor) -> list[Generator]:
    """Return a generator for each row of ``latent`` (N, D), seeded by the row's values."""
    rows = latent.detach().float().cpu().numpy()
    return [make_generator(name, zlib.crc32(row.tobytes())) for row in rows]


@SAMPLERS.register_module()
class OptimizedLatents(LatentMove):
    """LOGAN's natural-gradient steps at evaluation (Wu et al. 2019, Sec. 4; StudioGAN's lo_steps4eval).

    z <- z + alpha * g / (beta + |g|^2), where g is the gradient of the logit; kept within ``bound``.

    Args:
        climb: see :class:`~mmcgan.regularizers.latent_optimization.ClimbOptions`; StudioGAN uses its share
            of training.

    Raises:
        ValueError: a setting is out of range.
    """

    @takes_options
    def __init__(self, *, climb: ClimbOptions = ClimbOptions()) -> None:
        climb.check("OptimizedLatents")
        self.steps, self.alpha, self.beta = climb.steps, climb.alpha, climb.beta
        self.share, self.bound = climb.share, climb.bound
        self.reads, self.reading = (climb.logit,), climb.reading

    def __call__(self, latent: Tensor, logit: Logit) -> Tensor:
        """Return latents after ``steps`` steps, (N, D)."""
        uniform = torch.stack(
            [torch.rand(self.steps, generator=source) for source in own_sources("latent steps", latent)]
        ).to(latent)
        for index in range(self.steps):
            with torch.enable_grad():
                step = natural_gradient_step(latent.detach(), logit, self.alpha, self.beta).detach()
            latent = latent + (uniform[:, index : index + 1] > 1 - self.share).to(latent) * step
            if self.bound is not None:
                latent = latent.clamp(-self.bound, self.bound)
        return latent.detach()


@SAMPLERS.register_module()
class LangevinLatents(LatentMove):
    """Discriminator-driven latent sampling (DDLS, Che et al. 2020), see :func:`langevin_latents`.

    Args:
        steps, rate, variance, decay, decay_interval: see :class:`LangevinOptions`.
        logit: which named output is the logarithm of the density ratio.
        reading: what of it, one of :data:`mmcgan.realness.READINGS`.

    Raises:
        ValueError: a setting is out of range.
    """

    def __init__(
        self,
        steps: int = 1000,
        rate: float = 0.01,
        variance: float = 1.0,
        decay: float = 1.0,
        decay_interval: int = 1,
        logit: str = "adv.logit",
        reading: str = "logit",
    ) -> None:
        self.options = LangevinOptions(steps, rate, variance, decay, decay_interval)
        check_reading(reading, "LangevinLatents")
        self.reads, self.reading = (logit,), reading

    def follow(self, law: LatentSampler) -> None:
        """Learn the law, whose density the chain follows.

        Raises:
            ValueError: it does not say its density.
        """
        super().follow(law)
        law.energy(torch.zeros(0, law.latent_dim - law.code_dim))

    def __call__(self, latent: Tensor, logit: Logit) -> Tensor:
        """Return latents after the chain, (N, D)."""
        sources = own_sources("langevin", latent)
        deviation = self.options.variance**0.5

        def noise(step: int) -> Tensor:
            drawn = [torch.randn(latent.shape[1], generator=source) for source in sources]
            return deviation * torch.stack(drawn).to(latent)

        prior = None if self.law is None else self.law.energy
        return langevin_latents(latent, logit, self.options, noise, prior)
