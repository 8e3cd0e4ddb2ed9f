"""Checkers: orthogonal regularisation."""

from __future__ import annotations

from mmcgan.parity.cases import GoldenCase
from mmcgan.parity.checkers.ema import StateModule
from mmcgan.parity.compare import Comparison
from mmcgan.parity.runner import checker
from mmcgan.regularizers import OrthogonalRegularizer


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
