"""Checkers: what moves latents (LOGAN, Langevin sampling), and path length."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mmcgan.peers import PeerNetwork, peer_format
from mmcgan.random import RandomStreams
from mmcgan.regularizers import LatentOptimization, PathLengthPenalty, path_lengths
from mmcgan.samplers.langevin import LangevinOptions, langevin_latents
from mmcgan.structures import Condition
from tests.parity.cases import GoldenCase
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import Unsupported, checker

EXACT = Tolerance(1e-4, 1e-6)
GRADIENT = Tolerance(3e-3, 1e-6)


def described_networks(case: GoldenCase) -> dict[str, PeerNetwork]:
    """Return generator ``G`` and discriminator ``D`` of a case that tells their weights, not their settings.

    Raises:
        Unsupported: the backbone is not StudioGAN's resnet.
    """
    settings = case.spec["settings"]
    words = f"{settings.get('backbone', '')} {case.spec.get('summary', '')}"
    if not re.search(r"(?<!big_)\bresnet\b", words):
        raise Unsupported(f"networks described as {words.strip()!r}")
    size = int((re.findall(r"(\d+)px", words) or ["32"])[0])
    networks = {}
    for role, read in (("G", _generator_settings), ("D", _discriminator_settings)):
        state = case.group(f"state/{role}.")
        spec = {
            "kind": f"network/resnet/{role}",
            "constructor_kwargs": {"img_size": size, **read(state)},
            "model_config": {"backbone": "resnet"},
        }
        networks[role] = peer_format(case.peer, spec).network(spec, state)
    return networks


def _generator_settings(state: dict[str, Tensor]) -> dict[str, Any]:
    normed = "linear0.weight_orig" in state
    suffix = "weight_orig" if normed else "weight"
    gain = state.get(f"blocks.0.0.bn1.gain.{suffix}")
    return {
        "z_dim": state[f"linear0.{suffix}"].shape[1],
        "g_conv_dim": len(state["linear0.bias"]) // 16 // 4,
        "g_cond_mtd": "W/O" if gain is None else "cBN",
        "num_classes": 0 if gain is None else gain.shape[1],
        "apply_g_sn": normed,
    }


def _discriminator_settings(state: dict[str, Tensor]) -> dict[str, Any]:
    normed = "linear1.weight_orig" in state
    table = state.get("embedding.weight_orig" if normed else "embedding.weight")
    return {
        "d_conv_dim": len(state["blocks.0.0.conv2d1.bias"]) // 2,
        "d_cond_mtd": "W/O" if table is None else "PD",
        "num_classes": 0 if table is None else len(table),
        "apply_d_sn": normed,
    }


def _logit(networks: dict[str, PeerNetwork], label: Tensor) -> Callable[[Tensor], Tensor]:
    condition = Condition(label=label)

    def logit(latent: Tensor) -> Tensor:
        image = networks["G"].module(latent, condition)
        return networks["D"].module(image, condition)["adv.logit"]

    return logit


class RecordedLatentOptimization(LatentOptimization):
    """LOGAN that moves the latents that a peer moved."""

    recorded: Tensor

    def moves(self, latent: Tensor, random: RandomStreams) -> Tensor:
        """Return the choice that the recorded uniform numbers make, (N, 1)."""
        return (self.recorded > 1 - self.share).to(latent)


@checker(("studiogan", "regulariser/latent_optimisation"))
def check_latent_optimization(case: GoldenCase, comparison: Comparison) -> None:
    """Moved latents, transport cost and second-order gradients; the peer makes one step, whatever is set."""
    settings = case.spec["settings"]
    for mode in ("train", "eval"):
        if not case.group(f"out/{mode}/"):
            continue
        networks = described_networks(case)
        for network in networks.values():
            network.module.train(mode == "train")
        regularizer = RecordedLatentOptimization(
            "generator",
            alpha=settings["lo_alpha"],
            beta=settings["lo_beta"],
            share=settings["lo_rate"],
        )
        regularizer.recorded = case.tensors["in/uniform_draw"]

        def score(image: Tensor, condition: Condition, augment: bool = True) -> Any:
            return networks["D"].module(image, condition)  # noqa: B023

        condition = Condition(label=case.tensors["in/label"])
        moved = regularizer.move_latent(
            case.tensors["in/z"], condition, score, networks["G"].module, RandomStreams()
        )
        cost = regularizer._cost
        assert cost is not None
        (torch.linspace(-1, 1, moved.numel()) @ moved.flatten() + cost).backward()
        comparison.equal(f"{mode} z", moved, case.tensors[f"out/{mode}/z"], EXACT)
        comparison.equal(f"{mode} cost", cost, case.tensors[f"out/{mode}/transport_cost"], EXACT)
        _compare_weight_gradients(case, comparison, networks, f"out/{mode}/grad_")


def _compare_weight_gradients(
    case: GoldenCase, comparison: Comparison, networks: dict[str, PeerNetwork], prefix: str
) -> None:
    for name, expected in case.group(prefix).items():
        role, layer = name.split("_", 1)
        gradients = networks[role].gradients()
        found = gradients.get(f"{layer}.weight_orig", gradients.get(f"{layer}.weight"))
        if found is None:
            comparison.fail(prefix + name)
        else:
            scale = float(expected.abs().max())
            comparison.equal(prefix + name, found, expected, Tolerance(3e-3, 1e-4 * scale))


@checker(("studiogan", "analysis/langevin_sampling"))
def check_langevin(case: GoldenCase, comparison: Comparison) -> None:
    """Latents after the recorded noise; a decay of -1 is none."""
    settings, noise = case.spec["settings"], case.tensors["in/noise"]
    networks = described_networks(case)
    for network in networks.values():
        network.module.eval()
    decays = settings.get("decay", -1) > 0 and settings.get("decay_steps", -1) > 0
    options = LangevinOptions(
        settings["steps"],
        settings["rate"],
        settings["noise_std"],
        settings["decay"] if decays else 1.0,
        settings["decay_steps"] if decays else 1,
    )
    logit = _logit(networks, case.tensors["in/label"])
    latent = langevin_latents(case.tensors["in/z"], logit, options, lambda step: noise[step])
    comparison.equal("out/z", latent, case.tensors["out/z"], EXACT)


@checker(("studiogan", "regulariser/path_length"))
def check_path_length(case: GoldenCase, comparison: Comparison) -> None:
    """Penalties, running means and gradients of successive calls, on the toy generator of the JSON."""
    settings = case.spec["settings"]
    weight = float(settings.get("pl_weight", 1.0))
    regularizer = PathLengthPenalty(weight=weight, decay=settings["pl_decay"])
    calls = zip(case.tensors["in/ws"], case.tensors["in/noise"], strict=True)
    for index, (styles, noise) in enumerate(calls):
        matrix = case.tensors["in/W"].clone().requires_grad_()
        styles = styles.clone().requires_grad_()
        image = torch.tanh(styles.flatten(1) @ matrix).view(noise.shape)
        lengths = path_lengths(image, styles, noise / (noise.shape[-2] * noise.shape[-1]) ** 0.5)
        value = weight * regularizer.penalty(lengths)
        (gradient,) = torch.autograd.grad(value, matrix)
        found = {"loss": value, "pl_mean": regularizer.mean, "grad_W": gradient}
        for name, ours in found.items():
            expected = case.tensors[f"out/{name}"][index]
            comparison.equal(f"call {index} {name}", ours, expected, EXACT)


def compare_mmagic_path_length(case: GoldenCase, comparison: Comparison) -> None:
    """Compare MMagic's lengths, means and penalties, with other decays and a part of the batch."""
    matrix = case.tensors["state/toyG.A"]
    for name in sorted(re.findall(r"out/pl_(\w+)_penalty", "\n".join(case.tensors))):
        noise = case.tensors[f"in/pl_noise_{name}"]
        decay = float(f"0.{found[1]}") if (found := re.fullmatch(r"decay(\d+)", name)) else 0.01
        regularizer = PathLengthPenalty(decay=decay)
        regularizer.mean.copy_(case.tensors["in/pl_mean_path"])
        styles = case.tensors["in/pl_latents"][: len(noise)].clone().requires_grad_()
        image = torch.tanh(styles.sum(1) @ matrix.T + 0.3 * styles.square().mean(1) @ matrix.T)
        scaled = noise / (noise.shape[-2] * noise.shape[-1]) ** 0.5
        lengths = path_lengths(image.view(noise.shape), styles, scaled)
        value = regularizer.penalty(lengths)
        # The weight of a call is not told; it is a whole number.
        value = value * max(1, round(float(case.tensors[f"out/pl_{name}_penalty"] / value)))
        results = {"lengths": lengths, "mean": regularizer.mean, "penalty": value}
        for key, ours in results.items():
            comparison.equal(f"out/pl_{name}_{key}", ours, case.tensors[f"out/pl_{name}_{key}"], EXACT)
