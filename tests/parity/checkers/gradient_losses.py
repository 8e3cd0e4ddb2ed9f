"""MMagic's penalties of gradients and logits, on the toy discriminator of its cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.random import RandomStreams
from mmcgan.regularizers import R1, LogitDrift, Regularizer, StepContext
from mmcgan.structures import Condition, GANBatch
from tests.parity.cases import GoldenCase
from tests.parity.checkers.regularizers import RecordedGradientPenalty
from tests.parity.compare import Comparison, Tolerance

EXACT = Tolerance(1e-5, 1e-6)


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


class _MaskedGradientPenalty(RecordedGradientPenalty):
    """WGAN-GP per pixel inside a mask, over the mask's mean, as MMagic weighs it."""

    mask: Tensor

    def squared(self, gradient: Tensor) -> Tensor:
        return super().squared(gradient * self.mask)

    def penalty(self, squared: Tensor) -> Tensor:
        return super().penalty(squared) / self.mask.mean()


def compare_mmagic_gradients(case: GoldenCase, comparison: Comparison) -> None:
    """Compare gradient penalty and R1, over images, pixels or masked pixels, and the drift of logits."""
    if "out/disc_shift" in case.tensors:
        scores = {"adv.logit": case.tensors["in/pred_real"]}
        nothing = GANBatch(torch.empty(0), Condition())
        score = _scorer(nn.Identity())
        context = StepContext(
            nothing, nothing, torch.empty(0), scores, {}, score, _no_images, RandomStreams()
        )
        comparison.equal("out/disc_shift", LogitDrift()(context), case.tensors["out/disc_shift"], EXACT)
    state = case.group("state/toyD.")
    if not state:
        return
    for name in ("gp_pixel", "gp_HWC", "gp_pixel_mask", "r1_HWC", "r1_pixel"):
        if f"out/{name}" in case.tensors:
            network = ToyDiscriminator(state)
            regularizer, scale = _penalty(case, name)
            value = scale * regularizer(_context(case, network))
            _compare(case, comparison, name, value, network)
    if "out/r1_pixel_mask" in case.tensors:
        network = ToyDiscriminator(state)
        image = case.tensors["in/real_img"].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(network(image).sum(), image, create_graph=True)
        mask = case.tensors["in/mask"]
        value = (gradient * mask).square().sum(1).mean() / mask.mean()
        _compare(case, comparison, "r1_pixel_mask", value, network)


def _penalty(case: GoldenCase, name: str) -> tuple[Regularizer, float]:
    """Return our regulariser of a penalty and the factor that makes the peer's value of it."""
    height, width = case.tensors["in/real_img"].shape[2:]
    if name.startswith("r1"):  # without the 1/2; "pixel" is a mean over pixels
        return R1(), 2.0 / (height * width if name == "r1_pixel" else 1)
    masked = name.endswith("mask")
    kind = _MaskedGradientPenalty if masked else RecordedGradientPenalty
    regularizer = kind(per_pixel=name != "gp_HWC")
    regularizer.recorded = [case.tensors["in/gp_alpha"]]
    if masked:
        regularizer.mask = case.tensors["in/mask"]
    return regularizer, 1.0


def _context(case: GoldenCase, network: nn.Module) -> StepContext:
    real, fake = (GANBatch(case.tensors[f"in/{name}_img"].clone(), Condition()) for name in ("real", "fake"))
    score = _scorer(network)
    return StepContext(real, fake, torch.empty(0), None, {}, score, _no_images, RandomStreams())


def _scorer(network: nn.Module) -> Callable[..., dict[str, Tensor]]:
    def score(image: Tensor, condition: Condition, augment: bool = True) -> dict[str, Tensor]:
        return {"adv.logit": network(image).flatten()}

    return score


def _no_images(latent: Tensor, condition: Condition) -> Tensor:
    """Stand in for a generator that no penalty asks."""
    raise NotImplementedError


def _compare(case: GoldenCase, comparison: Comparison, name: str, value: Tensor, network: nn.Module) -> None:
    """Compare a value and, where they are stored, the norms of its gradients."""
    comparison.equal(f"out/{name}", value, case.tensors[f"out/{name}"], EXACT)
    if f"out/{name}_gradnorms" in case.tensors:
        value.backward(inputs=list(network.parameters()))
        gradients = [p.grad for p in network.parameters()]
        norms = torch.stack([torch.zeros(()) if g is None else g.norm() for g in gradients])
        comparison.equal(f"out/{name}_gradnorms", norms, case.tensors[f"out/{name}_gradnorms"])
