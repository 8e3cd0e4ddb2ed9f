"""Checkers: losses on logits and class logits of BigGAN-PyTorch, StudioGAN and MMagic."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from mmcgan.losses import AbsoluteLoss, HingeLoss, LeastSquaresLoss, NonSaturatingLoss, WassersteinLoss
from mmcgan.losses.base import Loss
from tests.parity.cases import GoldenCase
from tests.parity.checkers.gradient_losses import compare_mmagic_gradients
from tests.parity.checkers.latent_steps import compare_mmagic_path_length
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import checker

EXACT = Tolerance(1e-5, 1e-6)

BIGGAN_LOSSES: dict[str, Callable[[], Loss]] = {"hinge": HingeLoss, "dcgan": NonSaturatingLoss}
STUDIOGAN_LOSSES: dict[str, Callable[[], Loss]] = {
    "vanilla": NonSaturatingLoss,
    "logistic": NonSaturatingLoss,
    "ls": LeastSquaresLoss,
    "hinge": HingeLoss,
    "wasserstein": WassersteinLoss,
}
# Given the targets of real and generated images. MMagic's least squares has no factor 1/2.
MMAGIC_LOSSES: dict[str, Callable[[float, float], Loss]] = {
    "vanilla": NonSaturatingLoss,
    "wgan-logistic-ns": lambda real, fake: NonSaturatingLoss(),
    "lsgan": lambda real, fake: LeastSquaresLoss(1.0, real, fake),
    "l1": AbsoluteLoss,
    "hinge": lambda real, fake: HingeLoss(),
    "wgan": lambda real, fake: WassersteinLoss(),
}


def loss_values(loss: Loss, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """Return values and logit gradients of the three views of ``loss`` on logits (N,) or (N, 1)."""
    values: dict[str, Tensor] = {}
    for view, logit in (("real", real), ("fake", fake), ("generated", fake)):
        column = logit.clone().requires_grad_()
        value = getattr(loss, view)(logit=column.flatten())
        (gradient,) = torch.autograd.grad(value, column)
        values |= {view: value, f"grad_{view}": gradient}
    return values | {"both": values["real"] + values["fake"]}


def compare_loss(
    case: GoldenCase, comparison: Comparison, values: Mapping[str, Tensor], names: Mapping[str, str]
) -> None:
    """Compare ``values[view]`` with the tensor that ``names`` gives for it, where it is stored."""
    for view, name in names.items():
        if name in case.tensors:
            comparison.equal(name, values[view], case.tensors[name], EXACT)


@checker(("biggan_pytorch", "losses"))
def check_biggan_losses(case: GoldenCase, comparison: Comparison) -> None:
    """Hinge and logistic losses; the recorded gradient is that of real + fake."""
    for name in _families(case, r"out/(\w+)_dis_real"):
        if name not in BIGGAN_LOSSES:
            comparison.skip(f"loss {name!r}")
            continue
        values = loss_values(BIGGAN_LOSSES[name](), case.tensors["in/dis_real"], case.tensors["in/dis_fake"])
        start = f"out/{name}_"
        compare_loss(
            case,
            comparison,
            values,
            {
                "real": f"{start}dis_real",
                "fake": f"{start}dis_fake",
                "grad_real": f"{start}dis_grad_real",
                "grad_fake": f"{start}dis_grad_fake",
                "generated": f"{start}gen",
                "grad_generated": f"{start}gen_grad_fake",
            },
        )


@checker(("studiogan", "loss/adversarial"))
def check_studiogan_losses(case: GoldenCase, comparison: Comparison) -> None:
    """Every adversarial loss of StudioGAN; D values are real + fake."""
    for name in _families(case, r"out/d_(\w+)"):
        if name not in STUDIOGAN_LOSSES:
            comparison.skip(f"loss {name!r}")
            continue
        loss = STUDIOGAN_LOSSES[name]()
        values = loss_values(loss, case.tensors["in/d_logit_real"], case.tensors["in/d_logit_fake"])
        compare_loss(
            case,
            comparison,
            values,
            {
                "both": f"out/d_{name}",
                "grad_real": f"out/d_{name}/grad_real",
                "grad_fake": f"out/d_{name}/grad_fake",
                "generated": f"out/g_{name}",
                "grad_generated": f"out/g_{name}/grad_fake",
            },
        )


@checker(("mmagic", "losses"))
def check_mmagic_losses(case: GoldenCase, comparison: Comparison) -> None:
    """GAN losses (the weight acts on the generator only), gradient penalties, drift and path lengths."""
    settings = case.spec["constructor"]
    weight = float(settings["loss_weight"])
    targets = float(settings["real_label_val"]), float(settings["fake_label_val"])
    for group in _families(case, r"out/(GANLoss\w*/[\w-]+)/disc_real"):
        name = group.split("/")[1]
        if name not in MMAGIC_LOSSES:
            comparison.skip(f"loss {name!r}")
            continue
        _compare_mmagic_loss(case, comparison, f"out/{group}", MMAGIC_LOSSES[name](*targets), weight)
    if "out/BigGAN_hardcoded/gen" in case.tensors:
        _compare_mmagic_loss(case, comparison, "out/BigGAN_hardcoded", HingeLoss(), 1.0)
    compare_mmagic_gradients(case, comparison)
    compare_mmagic_path_length(case, comparison)


def _compare_mmagic_loss(
    case: GoldenCase, comparison: Comparison, start: str, loss: Loss, weight: float
) -> None:
    values = loss_values(loss, case.tensors["in/pred_real"], case.tensors["in/pred_fake"])
    values["generated"] = weight * values["generated"]
    values["grad_generated"] = weight * values["grad_generated"]
    names = {"real": "disc_real", "fake": "disc_fake", "grad_real": "grad_real", "grad_fake": "grad_fake"}
    names |= {"generated": "gen", "grad_generated": "gen_grad"}
    compare_loss(case, comparison, values, {view: f"{start}/{name}" for view, name in names.items()})


def _families(case: GoldenCase, pattern: str) -> list[str]:
    matches = (re.fullmatch(pattern, name) for name in case.tensors)
    return sorted(match.group(1) for match in matches if match)
