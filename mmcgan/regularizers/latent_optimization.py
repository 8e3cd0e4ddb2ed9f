"""LOGAN: latents move towards what the discriminator likes before images are made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mmcgan.distributed import draw_shared
from mmcgan.option_groups import takes_options
from mmcgan.random import RandomStreams
from mmcgan.realness import READINGS, check_reading
from mmcgan.registry import REGULARIZERS
from mmcgan.regularizers.base import Generate, Regularizer, Scores, StepContext
from mmcgan.structures import Condition


def natural_gradient_step(
    latent: Tensor, logit: Callable[[Tensor], Tensor], alpha: float, beta: float
) -> Tensor:
    """Return alpha * g / (beta + |g|^2), (N, D), where g is the gradient of the logit (LOGAN, Eq. 12).

    Differentiable with respect to whatever ``logit`` depends on.

    Args:
        latent: (N, D).
        logit: latents -> logits (N,).
        alpha: step size.
        beta: damping, positive.
    """
    point = latent if latent.requires_grad else latent.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(logit(point).sum(), point, create_graph=True)
    return alpha * gradient / (beta + gradient.square().sum(1, keepdim=True))


@dataclass(frozen=True, kw_only=True)
class ClimbOptions:
    """LOGAN's natural-gradient steps, see :func:`natural_gradient_step`.

    Attributes:
        steps: number of steps.
        alpha: step size, positive.
        beta: damping, positive.
        share: probability of a latent to move in a step, in (0, 1].
        bound: latents stay in [-bound, bound]; None for normal latents without bounds.
        logit: which named output to climb.
        reading: what of it, see :class:`~mmcgan.regularizers.base.LogitRegularizer`.
    """

    steps: int = 1
    alpha: float = 0.9
    beta: float = 0.1
    share: float = 1.0
    bound: float | None = 1.0
    logit: str = "adv.logit"
    reading: str = "logit"

    def check(self, owner: str) -> None:
        """Raise ValueError for a setting that is out of range; ``owner`` is named."""
        for name, value in (("alpha", self.alpha), ("beta", self.beta), ("bound", self.bound)):
            if value is not None and not value > 0:
                raise ValueError(f"{owner}: {name} must be greater than 0, got {value}")
        if self.steps < 1:
            raise ValueError(f"{owner}: steps must be at least 1, got {self.steps}")
        if not 0 < self.share <= 1:
            raise ValueError(f"{owner}: share must lie in (0, 1], got {self.share}")
        check_reading(self.reading, owner)


@REGULARIZERS.register_module()
class LatentOptimization(Regularizer):
    """Latent optimisation (LOGAN, Wu et al. 2019, Algorithm 1) with its transport cost.

    A share of the latents makes ``steps`` natural-gradient steps up the discriminator's logit; all
    latents are then kept within ``bound``. Gradients pass through the steps. The scalar is the mean
    |step|^2 over all samples, also those that rest (as StudioGAN counts it), summed over the steps.
    The published method acts in both players' steps: list it once for each.

    Args:
        weight: of the transport cost; 0.1 in StudioGAN, 300 in the paper.
        climb: see :class:`ClimbOptions`; StudioGAN always makes one step, whatever its setting says.

    Raises:
        ValueError: a setting is out of range.
    """

    @takes_options
    def __init__(
        self,
        on: str,
        weight: float = 0.1,
        interval: int = 1,
        *,
        climb: ClimbOptions = ClimbOptions(share=0.8),
    ) -> None:
        super().__init__(on, weight, interval)
        climb.check("LatentOptimization")
        self.alpha, self.beta, self.steps = climb.alpha, climb.beta, climb.steps
        self.share, self.bound, self.reads = climb.share, climb.bound, (climb.logit,)
        self.reading = climb.reading
        self._cost: Tensor | None = None

    def move_latent(
        self,
        latent: Tensor,
        condition: Condition,
        score: Callable[..., Scores],
        generate: Generate,
        random: RandomStreams,
    ) -> Tensor:
        """Return the moved latents (N, D), which carry gradients."""

        def logit(point: Tensor) -> Tensor:
            scores = score(generate(point, condition), condition, augment=False)
            return READINGS[self.reading](scores[self.reads[0]])

        costs = []
        for _ in range(self.steps):
            step = natural_gradient_step(latent, logit, self.alpha, self.beta)
            latent = latent + self.moves(latent, random) * step
            if self.bound is not None:
                latent = latent.clamp(-self.bound, self.bound)
            costs.append(step.square().sum(1).mean())
        self._cost = torch.stack(costs).sum()
        return latent

    def moves(self, latent: Tensor, random: RandomStreams) -> Tensor:
        """Return 1 for the latents that move and 0 for the others, (N, 1)."""
        stream = random["latent optimisation"]
        uniform = draw_shared(lambda n: torch.rand(n, 1, generator=stream), len(latent))
        return (uniform > 1 - self.share).to(latent, non_blocking=True)

    def forward(self, context: StepContext) -> Tensor | None:
        """Return the transport cost of the step's latents, a scalar."""
        cost, self._cost = self._cost, None
        return cost
