"""How a generator is tuned to an image: stages, from its first block to its last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One stage of tuning.

    Attributes:
        iterations: how many at most.
        generator_rate: Adam's learning rate of group 0 of the generator's parameters.
        latent_rate: that of z.
        depth: how many groups are tuned, see :func:`mmcgan.restoration.groups.parameter_groups`; 0 tunes
            z only.
        ratio: group i learns at ``generator_rate * ratio ** i``.
        features: how many of the discriminator's features are compared, from its end.
        distance_weight, mse_weight: of the feature distance and of the mean squared difference of pixels.
        instance_norm: replace the blocks' batch norms, see
            :class:`mmcgan.restoration.instance_norm.InstanceNorms`.

    Raises:
        ValueError: a negative value, or no iterations.
    """

    iterations: int = 200
    generator_rate: float = 5e-5
    latent_rate: float = 1e-3
    depth: int = 2
    ratio: float = 1.0
    features: int = 3
    distance_weight: float = 1.0
    mse_weight: float = 0.0
    instance_norm: bool = False

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"a stage needs at least 1 iteration, got {self.iterations}")
        for name, value in vars(self).items():
            if not value >= 0:
                raise ValueError(f"{name} of a stage must not be negative, got {value}")


@dataclass(frozen=True)
class Plan:
    """Everything that is set for one image.

    Attributes:
        stages: one after the other.
        prior_weight: of mean(z^2 / 2), the negative logarithm of z's density.
        warm_up: iterations, over all stages, in which rates rise to their value.
        stop_mse, stop_distance: a stage ends when the loss falls below; 0 never.
        tune_generator: tune the generator, not only z.
        tune_embedding: tune the embedding of the condition with group 0.
        betas: of Adam.
        candidates: latents to choose the first from; 0 starts at z = 0.
        deviation: their standard deviation.

    Raises:
        ValueError: no stages, or a negative value.
    """

    stages: Sequence[Stage]
    prior_weight: float = 0.02
    warm_up: int = 0
    stop_mse: float = 0.0
    stop_distance: float = 0.0
    tune_generator: bool = True
    tune_embedding: bool = False
    betas: tuple[float, float] = (0.0, 0.999)
    candidates: int = 500
    deviation: float = 0.5

    def __post_init__(self) -> None:
        if not self.stages:
            raise ValueError("a plan needs at least one stage")
        for name in ("prior_weight", "warm_up", "stop_mse", "stop_distance", "candidates", "deviation"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")

    @property
    def iterations(self) -> int:
        """Of all stages together."""
        return sum(stage.iterations for stage in self.stages)


@dataclass(frozen=True)
class Rates:
    """Learning rates of one iteration: of z and of every group of the generator."""

    latent: float
    groups: tuple[float, ...]


def rates(plan: Plan, stage: Stage, iteration: int, groups: int) -> Rates:
    """Return the learning rates of ``iteration``, counted from 1 over all stages.

    Groups from ``stage.depth`` on have rate 0: they are not stepped, but Adam's moments see their gradients.
    """
    rise = iteration / plan.warm_up if iteration < plan.warm_up else 1.0
    chosen = [rise * stage.generator_rate * stage.ratio**i * (i < stage.depth) for i in range(groups)]
    return Rates(rise * stage.latent_rate, tuple(chosen))


def stage_at(plan: Plan, iteration: int) -> Stage:
    """Return the stage of ``iteration``, counted from 1, if none ends early.

    Raises:
        ValueError: the plan is over by then.
    """
    left = iteration
    for stage in plan.stages:
        if left <= stage.iterations:
            return stage
        left -= stage.iterations
    raise ValueError(f"iteration {iteration} of a plan with {plan.iterations}")
