"""Conditioning that grows (Shahbazi et al. 2022, "Collapse by Conditioning", Sec. 4).

With few images a class a conditional GAN collapses where an unconditional one does not: train without the
condition first, then let it in between two iterations, in the generator's embedding and the discriminator's
head alike. It is a number of the run like any other::

    custom_hooks=[dict(type="ScheduleHook", values=dict(
        condition_weight=dict(kind="linear", start=0.0, end=1.0, begin=2000, until=4000)))]

At weight w a generator's condition vector is w times its own (of batch norms that look up labels, gain and
bias are). Projection heads add w times the inner product. Losses of the condition alone (D2D-CE, 2C,
cross-entropy) count w times; those that judge realism too (omni-loss, multi-hinge) take 1 - w of what they
say without classes. Class tables go on being read, so that random numbers and shapes stay the same
throughout.

Any module or loss takes part by a method ``weigh_condition(weight)``; a loss without one that is wired to a
condition is weighed as a whole.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from mmcgan.models.layers.condition_weight import weighing


def grow_condition(model: Any, weight: float) -> None:
    """Let the condition act with ``weight`` in all of ``model``: generator, its average, heads, losses.

    Raises:
        ValueError: a weight outside [0, 1], a player in which nothing takes part, or one that nothing would
            train without the condition.
    """
    if not 0 <= weight <= 1:
        raise ValueError(f"condition_weight must lie in [0, 1], got {weight}")
    check_growing(model)
    average = model.generator_ema
    networks = [model.generator, model.discriminator, *([] if average is None else [average])]
    for network in networks:
        for module in weighing(network):
            module.weigh_condition(weight)
    for loss in model.losses:
        loss.weigh_condition(weight)


def check_growing(model: Any) -> None:
    """Raise ValueError unless both players look at a condition and can train without it."""
    losses = model.losses
    if not model.generator.requires or not any(weighing(model.generator)):
        raise ValueError(_nothing("generator", model.generator))
    if not any(weighing(model.discriminator)) and not any(loss.sees_condition for loss in losses):
        raise ValueError(_nothing("discriminator", model.discriminator.backbone))
    for player, views in (
        ("discriminator", {"real", "fake", "discriminator"}),
        ("generator", {"generated", "generator"}),
    ):
        own = [loss for loss in losses if views & set(loss.weights)]
        if not any(loss.stands_alone for loss in own):
            raise ValueError(
                f"condition_weight: at 0 nothing would train the {player}, whose losses "
                f"({', '.join(loss.name for loss in own)}) all ask for the condition; add an adversarial one"
            )


def _nothing(player: str, network: nn.Module) -> str:
    return (
        f"condition_weight: nothing in the {player} ({type(network).__name__}) weighs its condition; a "
        "module takes part by a method weigh_condition(weight)"
    )
