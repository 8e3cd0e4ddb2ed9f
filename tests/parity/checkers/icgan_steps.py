"""Checkers: training iterations of ic_gan's BigGAN branch."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor

from mmcgan.augments.base import Draws
from mmcgan.augments.diff_augment import DiffAugment
from mmcgan.models.ema import ExponentialMovingAverage
from mmcgan.peers import DISCRIMINATOR, GENERATOR
from tests.parity.cases import GoldenCase
from tests.parity.checkers.augmentation import POLICY_DRAWS, POLICY_SPELLINGS, RecordedDraws
from tests.parity.checkers.training_steps import HINGE, compare_biggan_losses, compare_networks
from tests.parity.compare import Comparison
from tests.parity.replay import Replay
from tests.parity.runner import Unsupported, checker


class RecordedDiffAugment(DiffAugment):
    """DiffAugment with recorded numbers, used up row by row.

    The peer augments generated and real images in one call, we in one call each, in the same order.

    Args:
        policy: of :class:`DiffAugment`.
        draws: one tensor per draw of the peer, in order of its calls.
    """

    def __init__(self, policy: Sequence[str], draws: Sequence[Tensor]) -> None:
        super().__init__(policy)
        names = [name for word in policy for name in POLICY_DRAWS[word]]
        self.left = {
            name: torch.cat([draw.flatten() for draw in draws[place :: len(names)]])
            for place, name in enumerate(names)
        }

    def transform(self, image: Tensor, draws: Draws) -> Tensor:
        """Return the images changed by the next recorded numbers."""
        count = len(image)
        taken = {name: values[:count] for name, values in self.left.items()}
        self.left = {name: values[count:] for name, values in self.left.items()}
        return super().transform(image, RecordedDraws(image, taken))


@checker(("ic_gan", "training_step"))
def check_icgan_step(case: GoldenCase, comparison: Comparison) -> None:
    """Discriminator steps with accumulation, one concatenated pass, DiffAugment; then the generator's."""
    iterations = int(case.spec["iterations"])
    replay = _replay(case)
    recorded = {"image": "x", "label": "y_real", "instance": "feats_real"}
    replay.run(
        [
            {
                field: case.tensors[f"in/{name}_{number}"]
                for field, name in recorded.items()
                if f"in/{name}_{number}" in case.tensors
            }
            for number in range(iterations)
        ]
    )
    compare_biggan_losses(case, comparison, replay)
    config = case.spec["config"]
    drift = {
        GENERATOR: 2 * config["G_lr"] * iterations,
        DISCRIMINATOR: 2 * config["D_lr"] * config["num_D_steps"] * iterations,
    }
    expected = {GENERATOR: case.group("after_G/"), DISCRIMINATOR: case.group("after_D/")}
    if config.get("ema"):
        expected["average"] = case.group("after_G_ema/")
    kept = {role: _without_unused(case, state) for role, state in expected.items()}
    compare_networks(comparison, replay, kept, drift)


def _without_unused(case: GoldenCase, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Leave out the class tables that the peer keeps and a model without labels never uses."""
    if case.spec["class_cond"]:
        return state
    return {key: value for key, value in state.items() if not re.match(r"(shared|embed)\.", key)}


def _replay(case: GoldenCase) -> Replay:
    spec, config = case.spec, case.spec["config"]
    strengths = {GENERATOR: config.get("G_ortho", 0), DISCRIMINATOR: config.get("D_ortho", 0)}
    average = None
    if config.get("ema"):
        average = ExponentialMovingAverage(
            config["ema_decay"], start=config["ema_start"], integers="average", average_at_zero=True
        )
    return Replay(
        peer=case.peer,
        specs={
            GENERATOR: {"constructor_kwargs": spec["G_kwargs"]},
            DISCRIMINATOR: {"constructor_kwargs": spec["D_kwargs"]},
        },
        states={
            GENERATOR: _without_unused(case, case.group("state_G/")),
            DISCRIMINATOR: _without_unused(case, case.group("state_D/")),
        },
        losses=HINGE,
        regularizers={
            f"ortho_{role[0]}": {
                "type": "OrthogonalRegularizer",
                "on": role,
                "weight": strength,
                # the instance map is regularised, the class table is not
                **({"exclude": ("condition.label",)} if role == GENERATOR else {"exclude": ()}),
            }
            for role, strength in strengths.items()
            if strength > 0
        },
        optimizers={role: _adam(case, role[0].upper()) for role in (GENERATOR, DISCRIMINATOR)},
        step={
            "n_critic": config["num_D_steps"],
            "d_accumulation": config["num_D_accumulations"],
            "g_accumulation": config["num_G_accumulations"],
            "generator_batch_size": config["G_batch_size"],
            "split_d": config["split_D"],
            "real_first": False,
        },
        latents=list(case.tensors["in/z_draws"]),
        labels=list(case.tensors.get("in/y_draws", ())),
        instances=list(case.tensors.get("in/feats_draws", ())),
        augment=_augment(case),
        average=average,
        average_numbers=[1] * int(spec["iterations"]),  # the peer's counter rests at 1
    )


def _adam(case: GoldenCase, player: str) -> dict[str, object]:
    config = case.spec["config"]
    betas = (config[f"{player}_B1"], config[f"{player}_B2"])
    return {"type": "Adam", "lr": config[f"{player}_lr"], "betas": betas, "eps": config["adam_eps"]}


def _augment(case: GoldenCase) -> RecordedDiffAugment | None:
    """Return the recorded augmentation; the peer skips it in separate passes, which is a fault."""
    config = case.spec["config"]
    policy = str(config.get("DiffAugment") or "") if config.get("DA") else ""
    if not policy:
        return None
    words = [POLICY_SPELLINGS.get(word, word) for word in re.split(r"[^a-z]+", policy) if word]
    recorded = case.group("in/diffaugment_draw_")
    unknown = [word for word in words if word not in POLICY_DRAWS]
    if unknown or (config["split_D"] and recorded):
        raise Unsupported(f"DiffAugment {unknown or 'in separate passes'}")
    return RecordedDiffAugment(words, [recorded[key] for key in sorted(recorded)])
