"""Checkers: R3GAN's layers, networks, resampling, start of weights, schedules and augmentation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.augments import ADA, Draws
from mmcgan.hooks.schedules import cosine
from mmcgan.models.ema import ExponentialMovingAverage
from mmcgan.models.layers.inverted_bottleneck import (
    DiscriminativeBasis,
    Enlarge,
    GenerativeBasis,
    InvertedBottleneck,
    Reduce,
    resampling_filter,
)
from mmcgan.models.layers.resample import FIRFilter
from mmcgan.peers import GENERATOR, PeerNetwork, peer_format
from mmcgan.peers.r3gan import GENERATOR_TABLE
from mmcgan.peers.translation.names import to_ours
from tests.parity.cases import GoldenCase
from tests.parity.checkers.networks import compare_gradient_norms, recorded_gradient_norms
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import checker

PEER = "r3gan"


# --- networks -----------------------------------------------------------------------------------


@checker((PEER, "network"))
def check_network(case: GoldenCase, comparison: Comparison) -> None:
    """Outputs, gradients, statistics of every stage; in mixed precision where the peer's is."""
    network = peer_format(PEER, case.spec).network(case.spec, case.state())
    count = sum(parameter.numel() for parameter in network.module.parameters())
    comparison.equal("parameter count", float(count), float(case.spec["param_count"]), Tolerance(1e-9, 1e-9))
    leaves = {
        name: value.clone().requires_grad_()
        for name, value in case.group("in/").items()
        if name != "loss_weight"
    }
    # the float32 record of a mixed network is one in bfloat16; its float64 record is in float64 throughout
    mixed = case.spec["kind"] == "network_mixed"
    low = mixed and torch.get_default_dtype() == torch.float32
    stages: list[Tensor] = []
    hooks = [stage.register_forward_hook(lambda m, i, o: stages.append(o)) for stage in _stages(network)]
    with torch.autocast("cpu", torch.bfloat16) if low else nullcontext():
        output = network.call(leaves)[""]
    for hook in hooks:
        hook.remove()
    key = next(name for name in case.tensors if name.startswith("out/output"))
    stride = int(key.partition("_stride")[2] or 1)
    seen = output[:, :, ::stride, ::stride] if stride > 1 else output
    comparison.equal(key, seen, case.tensors[key], _mixed_tolerance(case, key) if mixed else None)
    loss = (output * case.tensors["in/loss_weight"]).sum()
    loose = _mixed_tolerance(case, "out/loss", 1.0) if mixed else None
    comparison.equal("out/loss", loss, case.tensors["out/loss"], loose)
    loss.backward()
    _compare_stages(case, comparison, stages)
    _compare_gradients(case, comparison, network, leaves, mixed)


def _mixed_tolerance(case: GoldenCase, key: str, scale: float = 0.05) -> Tolerance:
    """Return the golden set's tolerance of bfloat16, relative to the largest entry."""
    return Tolerance(0.05, max(scale * float(case.tensors[key].abs().max()), 0.05))


def _stages(network: PeerNetwork) -> Iterator[nn.Module]:
    """Yield what the peer counts as stages: its last one of a discriminator ends in the head's linear map."""
    if network.role == GENERATOR:
        yield from network.module.blocks  # type: ignore[union-attr, misc]
        return
    yield from network.module.backbone.blocks[:-1]  # type: ignore[union-attr, index]
    yield network.module.heads["adv"].linear  # type: ignore[index, union-attr]


def _compare_stages(case: GoldenCase, comparison: Comparison, stages: list[Tensor]) -> None:
    expected = case.tensors.get("out/stage_mean_std")
    if expected is not None:
        found = [torch.stack([stage.mean(), stage.std(correction=0)]) for stage in stages]
        comparison.equal("out/stage_mean_std", torch.stack(found), expected)


def _compare_gradients(
    case: GoldenCase,
    comparison: Comparison,
    network: PeerNetwork,
    leaves: Mapping[str, Tensor],
    mixed: bool,
) -> None:
    gradients = network.gradients()
    norms = recorded_gradient_norms(case)
    ours = torch.stack([gradients[name].norm() for name in norms])
    theirs = torch.tensor(list(norms.values()))
    tolerance = Tolerance(0.05, 1e-3 * float(theirs.max())) if mixed else Tolerance(3e-3, 1e-6)
    comparison.equal("out/grad_norms", ours, theirs, tolerance)
    for key in case.group("out/grad_input/"):
        expected = case.tensors[f"out/grad_input/{key}"]
        gradient = leaves[key].grad
        assert gradient is not None
        tolerance = Tolerance(1e-3, 1e-4 * float(expected.abs().max()))
        comparison.equal(f"out/grad_input/{key}", gradient, expected, tolerance)


# --- layers -------------------------------------------------------------------------------------


def _layer(spec: Mapping[str, Any]) -> nn.Module:
    given = dict(spec["constructor_kwargs"])
    kind = spec["class_name"]
    if kind == "ResidualBlock":
        # the peer is given the number of blocks under the name of what it scales
        return InvertedBottleneck(
            given["InputChannels"],
            given["Cardinality"],
            given["ExpansionFactor"],
            given["KernelSize"],
            given["VarianceScalingParameter"],
        )
    if kind in ("UpsampleLayer", "DownsampleLayer"):
        layer = Enlarge if kind == "UpsampleLayer" else Reduce
        return layer(given["InputChannels"], given["OutputChannels"], given["ResamplingFilter"])
    if kind == "GenerativeBasis":
        return GenerativeBasis(given["InputDimension"], given["OutputChannels"])
    return nn.Sequential(
        DiscriminativeBasis(given["InputChannels"]),
        nn.Linear(given["InputChannels"], given["OutputDimension"], bias=False),
    )


def _layer_key(key: str) -> str | None:
    """Return our key of a layer's, which has no network around it."""
    return to_ours(GENERATOR_TABLE, [key]).get(key)


@checker((PEER, "layer"))
def check_layer(case: GoldenCase, comparison: Comparison) -> None:
    """One building block: output and gradients."""
    layer = _layer(case.spec)
    names = {key: _layer_key(key) for key in case.state()}
    if case.spec["class_name"] == "DiscriminativeBasis":
        names = {"Basis.weight": "0.conv.weight", "LinearLayer.weight": "1.weight"}
    layer.load_state_dict({ours: case.state()[key] for key, ours in names.items() if ours})
    x = case.tensors["in/x"].clone().requires_grad_()
    output = layer(x)
    comparison.equal("out/output", output, case.tensors["out/output"])
    loss = (output * case.tensors["in/loss_weight"]).sum()
    comparison.equal("out/loss", loss, case.tensors["out/loss"])
    loss.backward()
    parameters = dict(layer.named_parameters())
    gradients = {key: parameters[ours].grad for key, ours in names.items() if ours in parameters}
    compare_gradient_norms(
        comparison, {k: v for k, v in gradients.items() if v is not None}, recorded_gradient_norms(case)
    )
    assert x.grad is not None
    expected = case.tensors["out/grad_input/x"]
    comparison.equal(
        "out/grad_input/x", x.grad, expected, Tolerance(1e-3, 1e-4 * float(expected.abs().max()))
    )


class _InPlace(nn.Module):
    """The peer's second pair of resamplers, which its networks do not use: pixels move to channels and back.

    Args:
        taps: the filter as it is.
        enlarge: pixels out of channels, then the filter; else the filter, then pixels into channels.
    """

    def __init__(self, taps: list[float], enlarge: bool) -> None:
        super().__init__()
        self.filter, self.enlarge = FIRFilter(taps), enlarge

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C/4, 2H, 2W) or (N, 4C, H/2, W/2)."""
        size = self.filter.length
        before = after = size // 2
        if self.enlarge:
            return self.filter.smooth(F.pixel_shuffle(x, 2), before, after)
        return F.pixel_unshuffle(self.filter.smooth(x, before, after), 2)


@checker((PEER, "resampler"))
def check_resampler(case: GoldenCase, comparison: Comparison) -> None:
    """Doubling and halving through a filter of any taps; the peer's other implementation is not ours."""
    taps = case.spec["constructor_kwargs"]["Filter"]
    fir = resampling_filter(taps)
    ours = {
        "InterpolativeUpsampler": (fir.upsample, fir),
        "InterpolativeDownsampler": (fir.downsample, fir),
        **{
            name: (layer, layer.filter)
            for name, layer in (
                ("InplaceUpsampler", _InPlace(taps, True)),
                ("InplaceDownsampler", _InPlace(taps, False)),
            )
        },
    }
    pool = case.tensors["in/loss_weight_pool"]
    for name, (apply, holder) in ours.items():
        comparison.equal(f"out/Kernel/{name}", holder.kernel, case.tensors[f"out/Kernel/{name}"])
        for key in case.group("in/"):
            if f"out/{name}/{key}" not in case.tensors:
                continue
            x = case.tensors[f"in/{key}"].clone().requires_grad_()
            output = apply(x)
            comparison.equal(f"out/{name}/{key}", output, case.tensors[f"out/{name}/{key}"])
            (gradient,) = torch.autograd.grad((output * pool[: output.numel()].view_as(output)).sum(), x)
            comparison.equal(f"out/{name}/grad_{key}", gradient, case.tensors[f"out/{name}/grad_{key}"])


# --- start of the weights, schedules, augmentation ---------------------------------------------


@checker((PEER, "init"))
def check_start(case: GoldenCase, comparison: Comparison) -> None:
    """Root mean square of every parameter over several starts, against the formula."""
    form = peer_format(PEER, case.spec)
    names = case.spec["names"]
    sums = torch.zeros(len(names), dtype=torch.float64)
    seeds = int(case.spec["seeds"])
    for seed in range(seeds):
        torch.manual_seed(seed)
        module = form.build(case.spec)
        ours = form.key_map(names, form.role_of(case.spec))
        parameters = dict(module.named_parameters())
        sums += torch.stack([parameters[ours[name]].detach().double().square().mean() for name in names])
    measured = (sums / seeds).sqrt()
    expected = case.tensors["out/expected_std"].double()
    samples = case.tensors["out/samples"].double()
    zero = case.tensors["out/zero"].bool()
    comparison.equal("always zero", (measured == 0).double(), zero.double(), Tolerance(1e-9, 1e-9))
    # five standard errors, as the golden set asks
    allowed = 5 / (2 * samples).sqrt()
    outside = ((measured / expected - 1).abs() / allowed)[~zero].clamp_min(1) - 1
    comparison.equal(
        "outside five standard errors", outside, torch.zeros_like(outside), Tolerance(1e-9, 1e-9)
    )


@checker((PEER, "schedule"))
def check_schedule(case: GoldenCase, comparison: Comparison) -> None:
    """Half cosines in images, with a linear start and a plateau where asked for, and the average's decay."""
    seen = case.tensors["in/nimg"].tolist()
    for name, settings in case.spec["schedulers"].items():
        warm = settings.get("warmup_nimg", 0.0)
        schedule = cosine(
            settings["base_value"],
            settings["final_value"],
            begin=warm + settings.get("hold_base_value_nimg", 0.0),
            until=settings["total_nimg"],
            warmup=warm,
            warmup_start=settings.get("warmup_value", 0.0),
        )
        ours = torch.tensor([schedule(images, math.inf) for images in seen], dtype=torch.float64)
        expected = case.tensors[f"out/{name}"]
        # near a start of 0 a cosine loses all digits, the peer's as ours: relative to the largest value
        exact = Tolerance(1e-12, 1e-12 * float(expected.abs().max()))
        comparison.equal(f"out/{name}", ours, expected, exact)
        if name == "ema_scheduler":
            _compare_decay(case, comparison, ours)


def _compare_decay(case: GoldenCase, comparison: Comparison, half_lives: Tensor) -> None:
    rule, ours = ExponentialMovingAverage(half_life_images=1.0), []
    for half_life in half_lives.tolist():
        rule.half_life_images = half_life
        ours.append(rule.decay_at(1, case.spec["batch_size"]))
    found = torch.tensor(ours, dtype=torch.float64)
    comparison.equal("out/ema_beta", found, case.tensors["out/ema_beta"], Tolerance(1e-12, 1e-15))


class PipeDraws(Draws):
    """The peer's draws of one call of its augmentation, under our names.

    Args:
        image: the images.
        recorded: tensors in the order of the peer's calls.
    """

    GEOMETRY = ("xflip", "rotate90", "xint", "scale", "rotate_before", "aniso", "rotate_after", "xfrac")
    COLOURS = ("brightness", "contrast", "lumaflip", "hue", "saturation")

    def __init__(self, image: Tensor, recorded: list[Tensor]) -> None:
        super().__init__(torch.Generator(), image)
        names = [part for name in (*self.GEOMETRY, *self.COLOURS) for part in (name, f"use_{name}")]
        # the cutout decides first and draws its place afterwards
        self.recorded = dict(zip([*names, "use_cutout", "cutout"], recorded, strict=True))
        self.rows, self.kind = len(image), image.dtype

    def uniform(self, name: str, *shape: int) -> Tensor:
        """Return the recorded numbers."""
        return self.recorded[name].reshape(self.rows, *shape).to(self.kind)

    normal = uniform


def preset_pipe(settings: Mapping[str, Any], probability: float) -> ADA:
    """Return our augmentation for the peer's multipliers."""
    shares = {name: share for name, share in settings.items() if share != 1}
    return ADA(list(settings), p=probability, shares=shares)


@checker((PEER, "augment_pipe"))
def check_augmentation(case: GoldenCase, comparison: Comparison) -> None:
    """The preset's augmentation with recorded draws, and the gradient of the image."""
    augment = preset_pipe(case.spec["constructor_kwargs"], case.spec["p"])
    image = case.tensors["in/x"].clone().requires_grad_()
    draws = case.group("in/draw/")
    output = augment.transform(image, PipeDraws(image, [draws[key] for key in sorted(draws)]))
    comparison.equal("out/output", output, case.tensors["out/output"], Tolerance(1e-4, 3.2e-5))
    (gradient,) = torch.autograd.grad((output * case.tensors["in/loss_weight"]).sum(), image)
    comparison.equal("out/grad_input/x", gradient, case.tensors["out/grad_input/x"], Tolerance(1e-4, 6.2e-5))
