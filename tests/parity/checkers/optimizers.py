"""Checkers: optimisers."""

from __future__ import annotations

from typing import Any

from torch import nn

from mmcgan.registry import OPTIMIZERS
from tests.parity.cases import GoldenCase
from tests.parity.checkers.ema import StateModule
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import checker

EXACT = Tolerance(1e-5, 1e-6)
# The peer's name of an optimiser -> ours.
TYPES = {"adam_l2": "Adam", "adams": "AdamS"}


@checker(("omnigan", "optimizer"))
def check_optimizers(case: GoldenCase, comparison: Comparison) -> None:
    """Adam with coupled L2 (and AdamS once there is one), step by step from recorded gradients."""
    settings = case.spec["settings"]
    shared = {key: settings[key] for key in ("lr", "eps", "weight_decay")}
    shared["betas"] = tuple(settings["betas"])
    for name in sorted({key.split("/")[0] for key in case.group("out/")}):
        kind = TYPES.get(name)
        if kind is None or OPTIMIZERS.get(kind) is None:
            comparison.skip(f"optimiser {name!r}")
            continue
        _compare_steps(case, comparison, name, {"type": kind, **shared})


def _compare_steps(case: GoldenCase, comparison: Comparison, name: str, config: dict[str, Any]) -> None:
    start = {k: v for k, v in case.group("in/").items() if not k.startswith("grad/")}
    network: nn.Module = StateModule(start)
    optimizer = OPTIMIZERS.build({**config, "params": list(network.parameters())})
    step = 0
    while expected := case.group(f"out/{name}/{step}/"):
        gradients = case.group(f"in/grad/{step}/")
        for key, parameter in network.named_parameters():
            parameter.grad = gradients[key].clone() if key in gradients else None
        optimizer.step()
        comparison.equal_all(f"{name} step {step} ", dict(network.named_parameters()), expected, EXACT)
        step += 1
