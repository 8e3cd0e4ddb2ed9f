"""Checkers: restoration with a generative prior (Deep Generative Prior)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.evaluation.metrics.similarity import psnr
from mmcgan.models.generators.biggan import CHANNELS
from mmcgan.peers import DISCRIMINATOR, PeerNetwork, peer_format
from mmcgan.registry import DEGRADATIONS
from mmcgan.restoration import (
    Degradation,
    DiscriminatorDistance,
    PerceptualDistance,
    Plan,
    Stage,
    block_features,
    compared_region,
    lanczos_downsample,
    lanczos_kernel,
    rates,
    stage_at,
    uniform_ssim,
)
from mmcgan.structures import Condition
from tests.parity.cases import GoldenCase
from tests.parity.compare import GRADIENT_NORM, Comparison, Tolerance
from tests.parity.runner import Unsupported, checker

#: The peer's modes by our tasks' names.
MODES = {
    "SR": "sr",
    "category_transfer": "transfer",
    "colorization": "colorize",
    "hybrid": "hybrid",
    "inpainting": "inpaint",
    "jitter": "jitter",
    "morphing": "morph",
    "reconstruct": "reconstruct",
}
EIGHT_BITS = Tolerance(1e-4, 8e-3)
#: Large features are stored in part.
LARGE, STORED_CHANNELS, STORED_STRIDE = 9000, 8, 4


def build_degradation(mode: str, **settings: Any) -> Degradation:
    """Return the degradation of a peer's mode.

    Raises:
        Unsupported: we have none.
    """
    if mode not in MODES:
        raise Unsupported(f"mode {mode!r}")
    return DEGRADATIONS.build({"type": MODES[mode], **settings})


def tolerance_of(case: GoldenCase, name: str, default: Tolerance) -> Tolerance:
    """Return the tolerance that the JSON asks for ``name``, or ``default``."""
    given = case.spec.get("tolerances", {}).get(name, {})
    return Tolerance(given.get("rtol", default.rtol), given.get("atol", default.atol) or 1e-300)


def peer_network(case: GoldenCase, settings: Mapping[str, Any], role: str, prefix: str) -> PeerNetwork:
    """Return one of the peer's networks with the weights under ``prefix``, in evaluation mode."""
    kind = "network/D" if role == DISCRIMINATOR else "network/G"
    spec = {"kind": kind, "constructor_kwargs": settings}
    network = peer_format(case.peer, spec).network(spec, case.state(prefix))
    network.module.eval()
    return network


def activated_end(settings: Mapping[str, Any]) -> bool:
    """Return whether the discriminator's last feature is overwritten by an activation in place."""
    return str(settings.get("D_nl", "relu")) in ("inplace_relu", "ir")


def peer_distance(case: GoldenCase, settings: Mapping[str, Any], prefix: str) -> DiscriminatorDistance:
    """Return the distance in the peer's discriminator, with the weights under ``prefix``."""
    network = peer_network(case, settings, DISCRIMINATOR, prefix)
    return DiscriminatorDistance(network.module.backbone, activated_end(settings))  # type: ignore[arg-type]


@checker(("dgp", "degradation"))
def check_degradation(case: GoldenCase, comparison: Comparison) -> None:
    """Targets, degraded images and their gradients."""
    settings = case.spec["constructor_kwargs"]
    for mode in settings["modes"]:
        factor = settings.get("factor", {}).get(mode)
        degradation = build_degradation(mode, **({} if factor is None else {"factor": factor}))
        image = case.tensors["in/image"].clone().requires_grad_()
        target = degradation.target(image.detach())
        degraded = degradation.degrade(image)
        tolerance = EIGHT_BITS if factor is not None else None
        comparison.equal(f"out/{mode}_target", target, case.tensors[f"out/{mode}_target"], tolerance)
        comparison.equal(f"out/{mode}_image", degraded, case.tensors[f"out/{mode}_image"])
        (degraded * case.tensors["in/weight"]).sum().backward()
        gradient = torch.zeros(()) if image.grad is None else image.grad
        comparison.equal(f"out/{mode}_grad", gradient, case.tensors[f"out/{mode}_grad"])


@checker(("dgp", "downsampler"))
def check_downsampler(case: GoldenCase, comparison: Comparison) -> None:
    """Kernels and what they make of images."""
    for factor, name, phase in case.spec["constructor_kwargs"]["specs"]:
        lobes = re.fullmatch(r"lanczos(\d)", name)
        if not lobes or not case.spec["constructor_kwargs"].get("preserve_size", True):
            raise Unsupported(f"downsampler {name!r}")
        label = f"f{factor}_{name}_phase{phase}"
        kernel = lanczos_kernel(factor, int(lobes[1]), phase)
        expected = case.tensors[f"out/kernel_{label}"]
        comparison.equal(f"out/kernel_{label}", kernel, expected, Tolerance(1e-9, 1e-12))
        for key, image in case.group("in/image_").items():
            small = lanczos_downsample(image, factor, int(lobes[1]), phase)
            comparison.equal(f"out/{label}_{key}", small, case.tensors[f"out/{label}_{key}"])


@checker(("dgp", "feature_loss"))
def check_feature_loss(case: GoldenCase, comparison: Comparison) -> None:
    """Features of every block, scores, losses over the last n features and their gradients."""
    settings = case.spec["constructor_kwargs"]
    network = peer_network(case, settings, DISCRIMINATOR, "state/")
    total = sum(each.numel() for each in network.module.parameters())
    comparison.equal("parameter count", float(total), float(case.spec["param_count"]), Tolerance(1e-9, 1e-9))
    fake, real, label = (case.tensors[f"in/{name}"] for name in ("fake", "real", "label"))
    with torch.no_grad():
        outputs = network.module(fake, Condition(label=label))
        comparison.equal("score with label", outputs["adv.logit"], case.tensors["out/score_fake_with_label"])
        linear = network.module.heads["adv"].linear  # type: ignore[index,union-attr]
        score = linear(outputs["feature.pooled"])
        comparison.equal("score", score, case.tensors["out/score_fake"])
        features = block_features(network.module.backbone, fake, activated_end(settings))  # type: ignore[arg-type]
    for index, feature in enumerate(features):
        stored = feature
        if feature.numel() >= LARGE:
            stored = feature[:, :STORED_CHANNELS, ::STORED_STRIDE, ::STORED_STRIDE]
        comparison.equal(f"feature {index}", stored, case.tensors[f"out/feature_fake_{index}"])
    distance = DiscriminatorDistance(network.module.backbone, activated_end(settings))  # type: ignore[arg-type]
    expected = case.tensors["out/loss_by_ftr_num"]
    for number in range(1, len(expected)):
        leaf = fake.clone().requires_grad_()
        loss = distance(leaf, real, number).sum()
        loss.backward()
        comparison.equal(f"loss with {number}", loss, expected[number])
        assert leaf.grad is not None
        norm = case.tensors["out/grad_norm_by_ftr_num"][number]
        comparison.equal(f"gradient norm with {number}", leaf.grad.norm(), norm, GRADIENT_NORM)
        key = f"out/grad_fake_ftr{number}"
        if key in case.tensors:
            floor = max(1e-4 * float(case.tensors[key].abs().max()), 1e-12)
            comparison.equal(key, leaf.grad, case.tensors[key], Tolerance(1e-3, floor))


@checker(("dgp", "percept_loss"))
def check_perceptual_loss(case: GoldenCase, comparison: Comparison) -> None:
    """The distance in a small stand-in network of convolutions and ReLU, and its gradient."""
    state = case.state()
    layers: list[nn.Module] = []
    for index in range(1 + max(int(key.split(".")[0]) for key in state)):
        weight = state.get(f"{index}.weight")
        layers.append(nn.ReLU() if weight is None else _convolution(weight))
    network = nn.Sequential(*layers)
    network.load_state_dict(state)
    fake = case.tensors["in/fake"].clone().requires_grad_()
    loss = PerceptualDistance(network)(fake, case.tensors["in/real"]).mean()
    loss.backward()
    assert fake.grad is not None
    comparison.equal("out/loss", loss, case.tensors["out/loss"])
    expected = case.tensors["out/grad_fake"]
    floor = max(1e-4 * float(expected.abs().max()), 1e-12)
    comparison.equal("out/grad_fake", fake.grad, expected, Tolerance(1e-3, floor))


def _convolution(weight: Tensor) -> nn.Conv2d:
    return nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2])


@checker(("dgp", "lr_schedule"))
def check_schedules(case: GoldenCase, comparison: Comparison) -> None:
    """Learning rates of z and of every group."""
    settings = case.spec["constructor_kwargs"]
    tolerance = Tolerance(1e-9, 1e-300)
    for name, script in settings["scripts"].items():
        plan = Plan(read_stages(script), warm_up=settings["warm_up"])
        groups = len(CHANNELS[script["resolution"]])
        key = f"out/{name.replace('/', '_')}"
        found = [
            rates(plan, stage_at(plan, number), number, groups)
            for number in case.tensors[f"{key}_iteration"].tolist()
        ]
        expected = case.tensors[f"{key}_lr_groups"]
        ours = torch.tensor([step.groups for step in found], dtype=torch.float64)
        comparison.equal(f"{key}_lr_groups", ours, expected, tolerance)
        latent = torch.tensor([step.latent for step in found], dtype=torch.float64)
        comparison.equal(f"{key}_lr_z", latent, case.tensors[f"{key}_lr_z"], tolerance)


def read_stages(script: Mapping[str, Any]) -> list[Stage]:
    """Return the stages that a script's lists describe."""
    count = len(script["iterations"])

    def listed(name: str, default: Any) -> list[Any]:
        return list(script.get(name, [default] * count))

    columns = {
        "iterations": script["iterations"],
        "generator_rate": script["G_lrs"],
        "latent_rate": script["z_lrs"],
        "depth": script["ft_num"],
        "ratio": script["lr_ratio"],
        "features": listed("ftr_num", 3),
        "distance_weight": listed("w_D_loss", 1.0),
        "mse_weight": listed("w_mse", 0.0),
        "instance_norm": listed("use_in", False),
    }
    return [Stage(**{name: values[i] for name, values in columns.items()}) for i in range(count)]


@checker(("dgp", "dgp_metrics"))
def check_metrics(case: GoldenCase, comparison: Comparison) -> None:
    """Distances, PSNR and SSIM by the peer's data ranges, and Lab recombination."""
    image, origin = case.tensors["in/image"], case.tensors["in/target_origin"]
    modes = {key.removesuffix("_psnr") for key in case.group("out/") if key.endswith("_psnr")}
    for mode in sorted(modes):
        found = peer_figures(mode, image, origin)
        for name, value in found.items():
            key = f"{mode}_{name}"
            if f"out/{key}" in case.tensors:
                tolerance = tolerance_of(
                    case, key if name == "image" else name, tolerance_of(case, "outputs", Tolerance())
                )
                comparison.equal(key, value, case.tensors[f"out/{key}"], tolerance)


def peer_figures(mode: str, image: Tensor, origin: Tensor) -> dict[str, Tensor]:
    """Return what the peer reports; its SSIM takes twice the range of the images."""
    degradation = build_degradation(mode)
    finished = degradation.finish(image, origin) if mode == "colorization" else image
    pair = [(compared_region(each, degradation) + 1) / 2 for each in (finished, origin)]
    return {
        "l1_loss_origin": (image - origin).abs().mean() / 2,
        "mse_loss_origin": (image - origin).square().mean() / 4,
        "psnr": psnr(pair[0], pair[1], data_range=1.0),
        "ssim": uniform_ssim(pair[0], pair[1], data_range=2.0),
        "image": finished,
    }
