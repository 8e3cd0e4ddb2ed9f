"""Tuning a latent and a generator to one image (Deep Generative Prior; Omni-GAN, Eq. 30)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcgan.models.generators.base import Generator
from mmcgan.restoration.groups import parameter_groups
from mmcgan.restoration.instance_norm import InstanceNorms
from mmcgan.restoration.plan import Plan, Rates, Stage, rates
from mmcgan.restoration.problem import Problem
from mmcgan.restoration.render import Size, render
from mmcgan.structures import Condition

ADAM_EPS = 1e-8


@dataclass(frozen=True)
class Progress:
    """One iteration, after its step.

    Attributes:
        iteration: counted from 1 over all stages.
        image: what was compared, made before the step.
        degraded: the same, degraded.
        latent: z after the step, with the gradient that moved it.
        losses: ``distance``, ``mse``, ``prior`` and their weighted sum ``total``.
        rates: learning rates of the step.
    """

    iteration: int
    image: Tensor
    degraded: Tensor
    latent: Tensor
    losses: dict[str, float]
    rates: Rates


def check_depth(plan: Plan, generator: Generator, groups: int) -> None:
    """Check that a generator with so many groups of parameters can be tuned by a plan.

    Raises:
        ValueError: a stage is deeper.
    """
    deepest = max(stage.depth for stage in plan.stages)
    if deepest > groups and plan.tune_generator:
        raise ValueError(
            f"depth={deepest}: {type(generator).__name__} has {groups} groups of parameters "
            f"(what comes before its {groups - 1} blocks, and these)"
        )


class Fitting:
    """A generator, a latent and their optimisers; both are changed in place by :meth:`run`.

    Args:
        generator: is put in evaluation mode; only the parameters of its groups are left trainable.
        latent: (1, D), where to start.
        plan: see :class:`Plan`.
        optimizers: those of an earlier fitting of the same generator and latent, whose moments then go on
            as in the peer; fresh ones by default.

    Raises:
        ValueError: the plan asks for more groups than the generator has.
    """

    def __init__(
        self,
        generator: Generator,
        latent: Tensor,
        plan: Plan,
        optimizers: tuple[torch.optim.Optimizer, torch.optim.Optimizer] | None = None,
    ) -> None:
        self.generator, self.plan = generator.eval(), plan
        self.latent = latent.detach().requires_grad_()
        generator.requires_grad_(False)
        self.groups = parameter_groups(generator, plan.tune_embedding)
        check_depth(plan, generator, len(self.groups))
        for parameter in (each for group in self.groups for each in group):
            parameter.requires_grad_(plan.tune_generator)
        self.optimizers = optimizers or self._optimizers()
        wanted = any(stage.instance_norm for stage in plan.stages)
        self.instance_norms = InstanceNorms(generator) if wanted else None

    def _optimizers(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        settings: dict[str, Any] = {"lr": 0.0, "betas": self.plan.betas, "eps": ADAM_EPS}
        groups = [{"params": group} for group in self.groups]
        return torch.optim.Adam([self.latent], **settings), torch.optim.Adam(groups, **settings)

    def run(
        self,
        problem: Problem,
        condition: Condition,
        report: Callable[[Progress], None] = lambda progress: None,
    ) -> Tensor:
        """Tune, stage by stage, and return the image (1, 3, H, W) that comes out.

        Args:
            problem: what is to be restored.
            condition: of the image.
            report: called after every iteration.

        Raises:
            ValueError: the loss is no longer finite.
        """
        iteration = 0
        for stage in self.plan.stages:
            for _ in range(stage.iterations):
                iteration += 1
                step = rates(self.plan, stage, iteration, len(self.groups))
                progress = self._iterate(problem, condition, stage, step, iteration)
                report(progress)
                losses = progress.losses
                if losses["mse"] < self.plan.stop_mse or losses["distance"] < self.plan.stop_distance:
                    break
        with torch.no_grad():
            return self._render(self.plan.stages[-1], condition, problem.size)

    def _render(self, stage: Stage, condition: Condition, size: Size | None) -> Tensor:
        if self.instance_norms is not None and not stage.instance_norm:
            self.instance_norms.reset()
        norms = self.instance_norms if stage.instance_norm else None
        with norms.active() if norms is not None else nullcontext():
            return render(self.generator, self.latent, condition, size)

    def _iterate(
        self, problem: Problem, condition: Condition, stage: Stage, step: Rates, iteration: int
    ) -> Progress:
        self._set_rates(step)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        image = self._render(stage, condition, problem.size)
        degraded = problem.degradation.degrade(image)
        terms = {
            "distance": problem.distance(degraded, problem.target, stage.features).mean(),
            "mse": F.mse_loss(degraded, problem.target),
            "prior": (self.latent**2 / 2).mean(),
        }
        weights = (stage.distance_weight, stage.mse_weight, self.plan.prior_weight)
        total = torch.stack(
            [weight * term for weight, term in zip(weights, terms.values(), strict=True)]
        ).sum()
        if not torch.isfinite(total):
            advice = "lower the learning rates" if iteration > 1 else "the model's image of it is not finite"
            raise ValueError(f"iteration {iteration}: the loss is {float(total.detach())}; {advice}")
        total.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        losses = {name: float(term.detach()) for name, term in {**terms, "total": total}.items()}
        return Progress(iteration, image.detach(), degraded.detach(), self.latent, losses, step)

    def _set_rates(self, step: Rates) -> None:
        latent, generator = self.optimizers
        latent.param_groups[0]["lr"] = step.latent
        for group, rate in zip(generator.param_groups, step.groups, strict=True):
            group["lr"] = rate
