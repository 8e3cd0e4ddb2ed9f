"""Checkers: omni-loss values, gradients, per-sample values, dense maps and the paper's figures."""

from __future__ import annotations

import torch
from torch import Tensor

from mmcgan.losses import OmniLoss, omni_loss
from tests.parity.cases import GoldenCase
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import Unsupported, checker

EXACT = Tolerance(1e-5, 1e-6)
ONE_SIDED = {"p_and_n": False, "one_side": True}
VIEWS = {"d_real": "real", "d_fake": "fake", "g": "generated"}
NUMBERS = {"one": 1, "two": 2, "three": 3}


@checker(("omnigan", "loss/omni"))
def check_omni_loss(case: GoldenCase, comparison: Comparison) -> None:
    """Compare whichever of the three kinds of records the case holds."""
    if "columns" in case.spec:
        return _check_paper_numbers(case, comparison)
    settings = case.spec["settings"]
    margin, gamma = float(settings.get("margin", 0.0)), float(settings.get("gamma", 1.0))
    if "out/loss" in case.tensors:  # a dense map, real images under the default targets
        return _compare(case, comparison, OmniLoss(margin, gamma), "real", "out/loss", "out/grad")
    for mode in settings["modes"]:
        if mode not in ONE_SIDED:
            raise Unsupported(f"omni-loss mode {mode!r}")
        loss = OmniLoss(margin, gamma, one_sided=ONE_SIDED[mode])
        for name, view in VIEWS.items():
            start = f"out/{mode}/{name}"
            _compare(case, comparison, loss, view, start, f"{start}/grad", f"{start}/per_sample")
    return None


def _compare(
    case: GoldenCase,
    comparison: Comparison,
    loss: OmniLoss,
    view: str,
    value_name: str,
    gradient_name: str,
    sample_name: str | None = None,
) -> None:
    score, label = case.tensors["in/pred"].clone().requires_grad_(), case.tensors["in/label"]
    function = getattr(loss, view)
    value = function(score, label)
    (gradient,) = torch.autograd.grad(value, score)
    comparison.equal(value_name, value, case.tensors[value_name], EXACT)
    comparison.equal(gradient_name, gradient, case.tensors[gradient_name], EXACT)
    if sample_name in case.tensors:
        values = torch.stack([function(score[i : i + 1], label[i : i + 1]) for i in range(len(score))])
        comparison.equal(sample_name, values, case.tensors[sample_name], EXACT)


def _check_paper_numbers(case: GoldenCase, comparison: Comparison) -> None:
    """Gradients at hand-checkable scores; a table's name says how many scores of which sign come first."""
    for name, table in case.group("out/").items():
        positive = _positive_columns(name)
        count = len(positive)
        score = table[:, :count].clone().requires_grad_()
        mask = positive.expand_as(score)
        (gradient,) = torch.autograd.grad(omni_loss(score, mask, ~mask).sum(), score)
        comparison.equal(f"out/{name}", gradient, table[:, count:], Tolerance(1e-4, 1e-5))


def _positive_columns(name: str) -> Tensor:
    """Return, for ``one_negative_one_positive``, [False, True]."""
    signs: list[bool] = []
    words = name.split("_")
    for number, sign in zip(words[::2], words[1::2], strict=True):
        if number not in NUMBERS or not sign.startswith(("positive", "negative")):
            raise Unsupported(f"table {name!r}")
        signs += [sign.startswith("positive")] * NUMBERS[number]
    return torch.tensor(signs)
