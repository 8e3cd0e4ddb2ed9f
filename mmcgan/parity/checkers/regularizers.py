"""Checkers: orthogonal regularisation and penalties of the discriminator's gradient."""

from __future__ import annotations

import re
from typing import Any

import torch

from mmcgan.checkpoints.peers import PeerNetwork, peer_format
from mmcgan.parity.cases import GoldenCase
from mmcgan.parity.checkers.ema import StateModule
from mmcgan.parity.checkers.networks import compare_gradient_norms, recorded_gradient_norms
from mmcgan.parity.compare import Comparison, Tolerance
from mmcgan.parity.runner import checker
from mmcgan.random import RandomStreams
from mmcgan.regularizers import R1, OrthogonalRegularizer, StepContext
from mmcgan.structures import Condition, GANBatch


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


@checker(("studiogan", "gradient_penalty"))
def check_gradient_penalties(case: GoldenCase, comparison: Comparison) -> None:
    """R1, value and gradients; the other penalties are a later issue."""
    for name in ("r1", "r1_stylegan"):
        if f"out/{name}" in case.tensors:
            _compare_r1(case, comparison, name)
    later = sorted({key.split("/")[0] for key in case.group("out/")} - {"r1", "r1_stylegan"})
    if later:
        comparison.skip(f"penalties {', '.join(later)}")


def _compare_r1(case: GoldenCase, comparison: Comparison, name: str) -> None:
    network = _penalised_network(case)
    batch = GANBatch(case.tensors["in/real"].clone(), Condition(label=case.tensors["in/label"]))

    def score(image: Any, condition: Condition, augment: bool = True) -> Any:
        return network.module(image, condition)

    context = StepContext(batch, batch, torch.empty(0), None, {}, score, score, RandomStreams())
    value = R1()(context)
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
