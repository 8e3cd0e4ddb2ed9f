"""Plans to start from, one per task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mmcgan.registry import DEGRADATIONS
from mmcgan.restoration.features import ALL
from mmcgan.restoration.plan import Plan, Stage
from mmcgan.suggestions import nearest


@dataclass(frozen=True)
class Preset:
    """The lists of one of the Deep Generative Prior's scripts, an entry per stage, and the rest of a plan."""

    iterations: tuple[int, ...]
    generator_rates: tuple[float, ...]
    latent_rates: tuple[float, ...]
    depths: tuple[int, ...]
    mse_weights: tuple[float, ...]
    ratios: tuple[float, ...] = ()
    prior_weight: float = 0.02
    deviation: float = 0.3
    tune_embedding: bool = False

    def plan(self, groups: int, pixels_only: bool) -> Plan:
        """Return the plan for a generator with ``groups`` of parameters.

        Depths count from the script's last stage, which reaches the last block, so that smaller generators
        are tuned from their first block on too.

        Args:
            groups: of the generator.
            pixels_only: there is no discriminator; pixels are compared, and the prior counts less.
        """
        deepest = max(self.depths)
        stages = [
            Stage(
                iterations=self.iterations[i],
                generator_rate=self.generator_rates[i],
                latent_rate=self.latent_rates[i],
                depth=max(1, round(self.depths[i] * groups / deepest)),
                ratio=self.ratios[i] if self.ratios else 1.0,
                features=ALL,
                mse_weight=self.mse_weights[i],
            )
            for i in range(len(self.iterations))
        ]
        plan = Plan(
            stages,
            prior_weight=self.prior_weight,
            tune_embedding=self.tune_embedding,
            deviation=self.deviation,
        )
        return replace(plan, prior_weight=self.prior_weight / 20) if pixels_only else plan


SCRIPTS_SIZE = 256
FIVE = (200,) * 5
_RATES, _LATENT = (5e-5, 5e-5, 2e-5, 1e-5, 1e-5), (2e-3, 1e-3, 2e-5, 1e-5, 1e-5)
_NEAR = Preset(
    (125, 125, 100),
    (2e-7, 2e-5, 2e-6),
    (0.1, 0.01, 2e-4),
    (7, 7, 7),
    (0.0,) * 3,
    prior_weight=0.2,
    deviation=0.5,
)
_DEEPER = (2, 3, 4, 5, 7)

#: Rates and weights of the scripts for 256-pixel models; denoising and reconstruction, of which there is no
#: script, take those of super-resolution, reconstruction without pixels (Omni-GAN, appendix I.2).
PRESETS: dict[str, Preset] = {
    "reconstruct": Preset(FIVE, _RATES, _LATENT, _DEEPER, (0.0,) * 5),
    "sr": Preset(FIVE, _RATES, _LATENT, _DEEPER, (1.0,) * 5),
    "denoise": Preset((100,) * 5, _RATES, _LATENT, _DEEPER, (1.0,) * 5),
    "hybrid": Preset(FIVE, _RATES, _LATENT, _DEEPER, (1.0,) * 5),
    "inpaint": Preset(
        FIVE,
        (5e-5, 5e-5, 2e-5, 2e-5, 1e-5),
        (2e-3, 1e-3, 2e-5, 2e-5, 1e-5),
        (7,) * 5,
        (1.0,) * 5,
        tune_embedding=True,
    ),
    "colorize": Preset(
        (200, 200, 300, 400, 300),
        (5e-5, 5e-5, 5e-5, 5e-5, 2e-5),
        (2e-3, 1e-3, 5e-4, 5e-5, 2e-5),
        (2, 3, 4, 5, 6),
        (0.0,) * 5,
        (0.7, 0.7, 0.8, 0.9, 1.0),
        deviation=0.5,
    ),
    "jitter": _NEAR,
    "morph": replace(_NEAR, tune_embedding=True),
    "transfer": _NEAR,
}


def check_task(task: str) -> None:
    """Refuse a task that no degradation is registered for.

    Raises:
        ValueError: suggests names.
    """
    known = DEGRADATIONS.named()
    if task not in known and DEGRADATIONS.get(task) is None:
        raise ValueError(f"task={task!r}: choose one of {', '.join(known)}.{nearest(task, list(known))}")


def preset_plan(task: str, groups: int, pixels_only: bool = False) -> Plan:
    """Return the plan of ``task``, or of the one that its class is ``plan_like``.

    Args:
        task: name of a registered degradation.
        groups: of parameters of the generator.
        pixels_only: see :meth:`Preset.plan`.

    Raises:
        ValueError: no such task; the message lists them.
    """
    check_task(task)
    kind: Any = DEGRADATIONS.require(task)
    return PRESETS[task if task in PRESETS else kind.plan_like].plan(groups, pixels_only)


def for_size(plan: Plan, image_size: int) -> Plan:
    """Return the plan with learning rates of the generator for another size than the scripts' 256 pixels.

    Smaller generators have fewer parameters that must move further: rates grow by 256 / ``image_size``. On
    Fashion-MNIST (32 pixels) 5 to 20 times the scripts' rates reconstruct 3 dB better than these, and 60
    times worse than 20.
    """
    scale = SCRIPTS_SIZE / image_size
    stages = [replace(each, generator_rate=each.generator_rate * scale) for each in plan.stages]
    return replace(plan, stages=stages)


def shortened(plan: Plan, share: float) -> Plan:
    """Return the plan with ``share`` of the iterations of every stage, at least one."""
    stages = [replace(each, iterations=max(1, round(each.iterations * share))) for each in plan.stages]
    return replace(plan, stages=stages)
