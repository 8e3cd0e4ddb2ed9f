"""Checkers: orthogonal regularisation and penalties of the discriminator's gradient."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor

from mmcgan.peers import PeerNetwork, peer_format
from mmcgan.random import RandomStreams
from mmcgan.regularizers import (
    R1,
    GradientPenalty,
    MaxGradientPenalty,
    OrthogonalRegularizer,
    PerturbationPenalty,
    PointPenalty,
    Regularizer,
    StepContext,
)
from mmcgan.structures import Condition, GANBatch
from tests.parity.cases import GoldenCase
from tests.parity.checkers.ema import StateModule
from tests.parity.checkers.networks import compare_gradient_norms, recorded_gradient_norms
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import checker


@checker(("biggan_pytorch", "orthogonal"))
def check_orthogonal(case: GoldenCase, comparison: Comparison) -> None:
    """Gradients after the regulariser was added: BigGAN's off-diagonal form and the older full one."""
    strength = float(case.spec["strength"])
    excluded = {"modified": tuple(case.spec.get("blacklisted_for_modified", ())), "default": ()}
    for name, exclude in excluded.items():
        expected = case.group(f"out/{name}/")
        if not expected:
            continue
        network = StateModule(case.group("in/param/"))
        for key, parameter in network.named_parameters():
            parameter.grad = case.tensors[f"in/grad/{key}"].clone()
        regularizer = OrthogonalRegularizer(weight=strength, off_diagonal=name == "modified", exclude=exclude)
        regularizer.after_backward(network)
        gradients = {key: p.grad for key, p in network.named_parameters() if p.grad is not None}
        comparison.equal_all(f"{name} ", gradients, expected)


class RecordedDraws(PointPenalty):
    """Gives a penalty recorded numbers instead of its own, in the order they are asked for."""

    recorded: list[Tensor]

    def uniform(self, context: StepContext, shape: tuple[int, ...]) -> Tensor:
        """Return the next recorded numbers as (N, *shape)."""
        return self.recorded.pop(0).reshape(-1, *shape)


class RecordedGradientPenalty(RecordedDraws, GradientPenalty):
    """WGAN-GP on recorded draws."""


class RecordedMaxGradientPenalty(RecordedDraws, MaxGradientPenalty):
    """Max-GP on recorded draws."""


class RecordedPerturbationPenalty(RecordedDraws, PerturbationPenalty):
    """DRAGAN on recorded draws."""


MIXED = ("in/alpha_wgan_gp_and_maxgp",)
PENALTIES: dict[str, tuple[type[Regularizer], tuple[str, ...]]] = {
    "r1": (R1, ()),
    "r1_stylegan": (R1, ()),
    "wgan_gp": (RecordedGradientPenalty, MIXED),
    "maxgp": (RecordedMaxGradientPenalty, MIXED),
    "dra": (RecordedPerturbationPenalty, ("in/alpha_dra", "in/noise_dra")),
}


@checker(("studiogan", "gradient_penalty"))
def check_gradient_penalties(case: GoldenCase, comparison: Comparison) -> None:
    """Value, gradients and moved buffers of every penalty, on the recorded draws."""
    for name in sorted({key.split("/")[0] for key in case.group("out/")}):
        if name not in PENALTIES:
            comparison.skip(f"penalty {name}")
            continue
        kind, draws = PENALTIES[name]
        regularizer: Regularizer = kind()  # type: ignore[call-arg]
        if isinstance(regularizer, RecordedDraws):
            regularizer.recorded = [case.tensors[key] for key in draws]
        _compare_penalty(case, comparison, name, regularizer)


def _compare_penalty(case: GoldenCase, comparison: Comparison, name: str, regularizer: Regularizer) -> None:
    network = _penalised_network(case)
    condition = Condition(label=case.tensors["in/label"])
    real, fake = (GANBatch(case.tensors[f"in/{key}"].clone(), condition) for key in ("real", "fake"))

    def score(image: Tensor, condition: Condition, augment: bool = True) -> Any:
        return network.module(image, condition)

    context = StepContext(real, fake, torch.empty(0), None, {}, score, score, RandomStreams())
    value = regularizer(context)
    value.backward()
    comparison.equal(f"out/{name}", value, case.tensors[f"out/{name}"], Tolerance(1e-4, 1e-6))
    expected = recorded_gradient_norms(case, f"out/{name}/")
    compare_gradient_norms(comparison, network.gradients(), expected, f"{name} ")
    for key, buffer in case.group(f"out/{name}/state_after/").items():
        comparison.equal(f"{name} {key}", network.state()[key], buffer)


def _penalised_network(case: GoldenCase) -> PeerNetwork:
    """Build the discriminator that the JSON describes in its own words: "resnet discriminator 32px"."""
    settings = dict(case.spec["model"])
    words = str(settings.pop("backbone"))
    backbone, size = words.split()[0], int((re.findall(r"(\d+)px", words) or ["32"])[0])
    spec = {
        "kind": f"network/{backbone}/D",
        "constructor_kwargs": {"img_size": size, **settings},
        "model_config": {"backbone": backbone},
    }
    network = peer_format(case.peer, spec).network(spec, case.state())
    network.module.train()
    return network
