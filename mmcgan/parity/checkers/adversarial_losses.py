"""Checkers: losses on logits and class logits of BigGAN-PyTorch, StudioGAN and MMagic."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.losses import HingeLoss, LeastSquaresLoss, NonSaturatingLoss, WassersteinLoss
from mmcgan.losses.base import Loss
from mmcgan.parity.cases import GoldenCase
from mmcgan.parity.checkers.latent_steps import compare_mmagic_path_length
from mmcgan.parity.compare import Comparison, Tolerance
from mmcgan.parity.runner import checker
from mmcgan.regularizers.r1 import squared_gradient

EXACT = Tolerance(1e-5, 1e-6)

BIGGAN_LOSSES: dict[str, Callable[[], Loss]] = {"hinge": HingeLoss, "dcgan": NonSaturatingLoss}
STUDIOGAN_LOSSES: dict[str, Callable[[], Loss]] = {
    "vanilla": NonSaturatingLoss,
    "logistic": NonSaturatingLoss,
    "ls": LeastSquaresLoss,
    "hinge": HingeLoss,
    "wasserstein": WassersteinLoss,
}
# MMagic's least squares has no factor 1/2.
MMAGIC_LOSSES: dict[str, Callable[[], Loss]] = {
    "vanilla": NonSaturatingLoss,
    "wgan-logistic-ns": NonSaturatingLoss,
    "lsgan": lambda: LeastSquaresLoss(scale=1.0),
    "hinge": HingeLoss,
    "wgan": WassersteinLoss,
}
TARGETED = ("vanilla", "lsgan")


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
    """GAN losses (the weight acts on the generator only) and R1 without its 1/2."""
    settings = case.spec["constructor"]
    weight = float(settings["loss_weight"])
    for group in _families(case, r"out/(GANLoss\w*/[\w-]+)/disc_real"):
        name = group.split("/")[1]
        usual = settings["real_label_val"] == 1.0 and settings["fake_label_val"] == 0.0
        if name not in MMAGIC_LOSSES or (name in TARGETED and not usual):
            comparison.skip(f"loss {name!r}" + ("" if usual else " with other target values"))
            continue
        _compare_mmagic_loss(case, comparison, f"out/{group}", MMAGIC_LOSSES[name](), weight)
    if "out/BigGAN_hardcoded/gen" in case.tensors:
        _compare_mmagic_loss(case, comparison, "out/BigGAN_hardcoded", HingeLoss(), 1.0)
    _compare_mmagic_r1(case, comparison)
    compare_mmagic_path_length(case, comparison)
    later = {"disc_shift": "discriminator shift", "gp_": "gradient penalty"}
    for prefix, reason in later.items():
        if case.group(f"out/{prefix}"):
            comparison.skip(reason)


def _compare_mmagic_loss(
    case: GoldenCase, comparison: Comparison, start: str, loss: Loss, weight: float
) -> None:
    values = loss_values(loss, case.tensors["in/pred_real"], case.tensors["in/pred_fake"])
    values["generated"] = weight * values["generated"]
    values["grad_generated"] = weight * values["grad_generated"]
    names = {"real": "disc_real", "fake": "disc_fake", "grad_real": "grad_real", "grad_fake": "grad_fake"}
    names |= {"generated": "gen", "grad_generated": "gen_grad"}
    compare_loss(case, comparison, values, {view: f"{start}/{name}" for view, name in names.items()})


class ToyDiscriminator(nn.Module):
    """The two-convolution network that MMagic's cases differentiate, as their JSON describes it."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        shapes = [state[f"{name}.weight"].shape for name in ("c1", "c2", "fc")]
        self.c1 = nn.Conv2d(shapes[0][1], shapes[0][0], shapes[0][2], padding=shapes[0][2] // 2)
        self.c2 = nn.Conv2d(shapes[1][1], shapes[1][0], shapes[1][2], stride=2, padding=shapes[1][2] // 2)
        self.fc = nn.Linear(shapes[2][1], shapes[2][0])
        self.load_state_dict(dict(state))

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, 1) of images (N, 3, H, W)."""
        return self.fc(F.softplus(self.c2(torch.tanh(self.c1(image)))).sum((2, 3)))


def _compare_mmagic_r1(case: GoldenCase, comparison: Comparison) -> None:
    state = case.group("state/toyD.")
    if not state:
        return
    image = case.tensors["in/real_img"].requires_grad_()
    scales = {"r1_HWC": 1.0, "r1_pixel": 1.0 / (image.shape[2] * image.shape[3])}
    for name, scale in scales.items():
        if f"out/{name}" not in case.tensors:
            continue
        network = ToyDiscriminator(state)
        value = scale * squared_gradient(network(image), image).mean()
        value.backward(inputs=list(network.parameters()))
        comparison.equal(f"out/{name}", value, case.tensors[f"out/{name}"], EXACT)
        gradients = [p.grad for p in network.parameters()]
        norms = torch.stack([torch.zeros(()) if g is None else g.norm() for g in gradients])
        comparison.equal(f"out/{name}_gradnorms", norms, case.tensors[f"out/{name}_gradnorms"])
    if "out/r1_pixel_mask" in case.tensors:
        comparison.skip("R1 under a mask")


def _families(case: GoldenCase, pattern: str) -> list[str]:
    matches = (re.fullmatch(pattern, name) for name in case.tensors)
    return sorted(match.group(1) for match in matches if match)
