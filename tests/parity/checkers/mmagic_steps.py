"""Checkers: training iterations of MMagic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmcgan.models.ema import ExponentialMovingAverage
from mmcgan.models.heads.basic import ProjectionHead
from mmcgan.peers import DISCRIMINATOR, GENERATOR
from mmcgan.structures import Condition
from tests.parity.cases import GoldenCase
from tests.parity.checkers.training_steps import HINGE, LOSS, compare_networks
from tests.parity.compare import Comparison
from tests.parity.replay import Replay
from tests.parity.runner import Unsupported, checker


class ColumnLabelHead(ProjectionHead):
    """MMagic's projection of real images in training, which a fault there makes meaningless.

    Its data samples give real labels as (N, 1), and the product with the features broadcasts to
    (N, N, C), over which the loss then averages. Labels (N,) project as they should.
    """

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logit`` (N,), or (N, N, C) for labels (N, 1)."""
        assert condition.label is not None
        if condition.label.dim() == 1:
            return super().forward(features, condition)
        pooled = features["pooled"]
        projected = (self.embed(condition.label) * pooled).sum(1, keepdim=True)
        return {"logit": self.linear(pooled) + projected}


@checker(("mmagic", "training_step"))
def check_mmagic_step(case: GoldenCase, comparison: Comparison) -> None:
    """One of our iterations is ``discriminator_steps`` of the peer's, which update G only at the last."""
    settings, steps = case.spec["constructor"], int(case.spec["steps"])
    critics = int(settings.get("discriminator_steps", 1))
    if steps % critics:
        raise Unsupported(f"{steps} steps do not end with a generator update ({critics} per update)")
    replay = _mmagic_replay(case, critics)
    images = [case.tensors[f"in/real_img_{index}"] for index in range(steps)]
    labels = [case.tensors[f"in/real_label_{index}"] for index in range(steps)]
    replay.run(
        [
            {
                "image": torch.cat(images[i : i + critics]),
                "label": torch.cat(labels[i : i + critics])[:, None],
            }
            for i in range(0, steps, critics)
        ]
    )
    _compare_mmagic_losses(case, comparison, replay, critics)
    rates = {role: config["optimizer"]["lr"] for role, config in case.spec["optim_wrapper"].items()}
    drift = {GENERATOR: 2 * rates[GENERATOR] * steps, DISCRIMINATOR: 2 * rates[DISCRIMINATOR] * steps}
    final = "out/state_final/"
    # Only entries that changed are stored.
    expected = {role: case.group(f"{final}{role}.") for role in (GENERATOR, DISCRIMINATOR)}
    expected["average"] = case.group(f"{final}generator_ema.module.")
    compare_networks(comparison, replay, expected, drift)


def _mmagic_replay(case: GoldenCase, critics: int) -> Replay:
    settings = case.spec["constructor"]
    if settings.get("type") not in ("BigGAN", "SAGAN", "SNGAN"):
        raise Unsupported(f"training step of {settings.get('type')!r}")
    specs = {role: {"constructor": settings[role]} for role in (GENERATOR, DISCRIMINATOR)}
    draws = sorted(
        (int(found[1]), int(found[2]), found[3], value)
        for name, value in case.tensors.items()
        if (found := re.fullmatch(r"in/iter(\d+)_draw(\d+)_(noise|label)", name))
    )
    return Replay(
        peer=case.peer,
        specs=specs,
        states={role: case.group(f"state/{role}.") for role in (GENERATOR, DISCRIMINATOR)},
        losses=HINGE,
        optimizers={role: dict(c["optimizer"]) for role, c in case.spec["optim_wrapper"].items()},
        step={"n_critic": critics, "split_d": True, "real_first": False},
        latents=[value for _, _, kind, value in draws if kind == "noise"],
        labels=[value for _, _, kind, value in draws if kind == "label"],
        average=_mmagic_average(settings.get("ema_config")),
        head=ColumnLabelHead,
    )


def _mmagic_average(config: Mapping[str, Any] | None) -> ExponentialMovingAverage | None:
    """Return the peer's average: its first update copies, and buffers follow the source."""
    if not config:
        return None
    if config["type"] != "ExponentialMovingAverage" or config.get("start_iter", 0):
        raise Unsupported(f"moving average {dict(config)}")
    interval = int(config.get("interval", 1))
    return ExponentialMovingAverage(1 - config["momentum"], start=1, interval=interval, buffers="copy")


def _compare_mmagic_losses(case: GoldenCase, comparison: Comparison, replay: Replay, critics: int) -> None:
    names = {"adversarial_fake": "loss_disc_fake", "adversarial_real": "loss_disc_real"}
    for index, terms in enumerate(replay.model.discriminator_log):
        for ours, theirs in names.items():
            key = f"out/iter{index}/{theirs}"
            comparison.equal(key, terms[ours], case.tensors[key], LOSS)
    for index, terms in enumerate(replay.model.generator_log):
        key = f"out/iter{(index + 1) * critics - 1}/loss_gen"
        comparison.equal(key, terms["adversarial_generated"], case.tensors[key], LOSS)
