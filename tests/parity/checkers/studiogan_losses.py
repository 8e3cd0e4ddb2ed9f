"""Checkers: StudioGAN's contrastive and class losses, LeCam and top-k."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from mmcgan.losses import (
    ConditionalContrastiveLoss,
    CrossEntropyLoss,
    D2DCELoss,
    FeatureMatchingLoss,
    HingeLoss,
    LeCamLoss,
    MultiHingeLoss,
    TopKLoss,
    gaussian_code_loss,
    top_k_size,
)
from tests.parity.cases import GoldenCase
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import checker

EXACT = Tolerance(1e-5, 1e-6)
GRADIENT = Tolerance(1e-4, 1e-6)


def compare_value(
    case: GoldenCase,
    comparison: Comparison,
    name: str,
    function: Callable[..., Tensor],
    inputs: Mapping[str, Tensor],
) -> None:
    """Compare ``out/<name>`` and its stored gradients, ``/grad`` or ``/grad_<argument>``."""
    leaves = {key: value.clone().requires_grad_(value.is_floating_point()) for key, value in inputs.items()}
    value = function(**leaves)
    comparison.equal(f"out/{name}", value, case.tensors[f"out/{name}"], EXACT)
    differentiable = {key: leaf for key, leaf in leaves.items() if leaf.requires_grad}
    gradients = torch.autograd.grad(value, list(differentiable.values()), allow_unused=True)
    for (key, leaf), gradient in zip(differentiable.items(), gradients, strict=True):
        found = torch.zeros_like(leaf) if gradient is None else gradient
        for stored in (f"out/{name}/grad_{key}", f"out/{name}/grad"):
            if stored in case.tensors:
                comparison.equal(stored, found, case.tensors[stored], GRADIENT)


@checker(("studiogan", "loss/contrastive"))
def check_contrastive(case: GoldenCase, comparison: Comparison) -> None:
    """2C and D2D-CE, the latter with the peer's unbalanced maximum, for every pattern of labels."""
    pattern = re.compile(r"(\w+)/(2c|d2dce)_t([\d.]+?)(?:_mp([\d.]+))?")
    for name in case.group("out/"):
        found = pattern.fullmatch(name)
        if not found:
            if "/grad_" not in name:
                comparison.skip(f"output {name}")
            continue
        function: Callable[..., Tensor] = ConditionalContrastiveLoss(float(found[3])).real
        if found[2] == "d2dce":
            function = D2DCELoss(float(found[3]), float(found[4]), unbalanced_maximum=True).real
        compare_value(case, comparison, name, function, case.group(f"in/{found[1]}/"))


@checker(("studiogan", "loss/class_and_misc"))
def check_class_losses(case: GoldenCase, comparison: Comparison) -> None:
    """Cross-entropy, multi-hinge, feature matching and InfoGAN's Gaussian."""
    given = case.group("in/")
    plain = {"logits": given.get("cls_output"), "label": given.get("label")}
    multi = {"logits": given.get("mh_output"), "label": given.get("label")}
    rules: dict[str, tuple[Callable[..., Tensor], dict[str, Tensor | None]]] = {
        "cross_entropy": (CrossEntropyLoss().real, plain),
        "mh_real": (MultiHingeLoss().real, multi),
        "mh_fake": (MultiHingeLoss().fake, multi),
        "feature_matching": (_feature_matching, {"real": given.get("fm_real"), "fake": given.get("fm_fake")}),
        "normal_nll": (
            lambda x, mu, var: gaussian_code_loss(x, mu, var),
            {name: given.get(f"nll_{name}") for name in ("x", "mu", "var")},
        ),
    }
    for name in case.group("out/"):
        if name in rules:
            function, inputs = rules[name]
            complete = {key: value for key, value in inputs.items() if value is not None}
            compare_value(case, comparison, name, function, complete)
        elif "/" not in name:
            comparison.skip(f"output {name}")


def _feature_matching(real: Tensor, fake: Tensor) -> Tensor:
    return FeatureMatchingLoss().generator({"feature": fake}, {"feature": real})


@checker(("studiogan", "loss/lecam"))
def check_lecam(case: GoldenCase, comparison: Comparison) -> None:
    """Averages and penalty after each step; the peer begins with 7777."""
    settings = case.spec["settings"]
    loss = LeCamLoss(settings["decay"], settings["start_iter"], initial=7777.0)
    averages, values, gradients = [], [], {"real": [], "fake": []}  # type: ignore[var-annotated]
    pairs = zip(case.tensors["in/real"], case.tensors["in/fake"], strict=True)
    for step, (real, fake) in enumerate(pairs):
        leaves = {"real": real.clone().requires_grad_(), "fake": fake.clone().requires_grad_()}
        loss.update(leaves["real"], leaves["fake"], step)
        averages.append(torch.stack([loss.real_average, loss.fake_average]))
        value = loss.penalty(**leaves)
        values.append(value.detach())
        for name, gradient in zip(leaves, torch.autograd.grad(value, list(leaves.values())), strict=True):
            gradients[name].append(gradient)
    comparison.equal("out/ema_state", torch.stack(averages), case.tensors["out/ema_state"], EXACT)
    comparison.equal("out/reg", torch.stack(values), case.tensors["out/reg"], EXACT)
    for name, found in gradients.items():
        stored = f"out/grad_{name}"
        if stored in case.tensors:
            comparison.equal(stored, torch.stack(found), case.tensors[stored], GRADIENT)


@checker(("studiogan", "regulariser/topk"))
def check_top_k(case: GoldenCase, comparison: Comparison) -> None:
    """The schedule of k, and the generator's hinge loss on the k highest logits."""
    settings, k = case.spec["settings"], int(case.tensors["in/k"])
    size, gamma, nu = settings["batch_size"], settings["topk_gamma"], settings["topk_nu"]
    expected = case.tensors["out/k_sequence"]
    start = int(expected[0] != size)  # whether the sequence begins after the first epoch
    ours = [top_k_size(size, epoch + start, gamma, nu) for epoch in range(len(expected))]
    comparison.equal("out/k_sequence", torch.tensor(ours, dtype=torch.float64), expected, EXACT)
    logit = case.tensors["in/adv_output"]
    epoch = next((e for e in range(10_000) if int(top_k_size(len(logit), e, gamma, nu)) <= k), None)
    if epoch is None or int(top_k_size(len(logit), epoch, gamma, nu)) != k:
        gamma, nu, epoch = (k + 0.5) / len(logit), k / len(logit), 1
    loss = TopKLoss({"type": HingeLoss}, epoch_length=1, gamma=min(gamma, 1.0), nu=nu)

    def generated(logit: Tensor) -> Tensor:
        return loss.generated(logit, torch.tensor(epoch))

    compare_value(case, comparison, "g_hinge_topk", generated, {"logit": logit})
