"""Checkers: generators and discriminators behind the loaders of ``mmcgan.peers``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from mmcgan.losses import OmniLoss
from mmcgan.models.layers import SpectralNorm
from mmcgan.peers import GENERATOR, PeerNetwork, peer_format
from mmcgan.samplers.latent import truncate
from tests.parity.cases import GoldenCase
from tests.parity.checkers.styles import compare_styles
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import checker

Outputs = Mapping[str, Tensor]
LossRule = Callable[[GoldenCase, PeerNetwork, Outputs], Tensor]


STATE_PREFIXES = ("after/", "out/state_after_train_forward/", "out/buffer_after_train/")


def weighted_sum(case: GoldenCase, network: PeerNetwork, outputs: Outputs) -> Tensor:
    """Return the sum of every output times its recorded weights, broadcast."""
    total = torch.zeros(())
    for name, value in outputs.items():
        key = f"in/loss_weight/{name}" if name else "in/loss_weight"
        if key in case.tensors:
            weight = case.tensors[key]
            total = total + (weight * _shaped(value, weight)).sum()
    return total


def omni_or_weighted_sum(case: GoldenCase, network: PeerNetwork, outputs: Outputs) -> Tensor:
    """Return Omni-GAN's loss: of real images for its discriminator, weighted sum for its generator.

    A discriminator of another width than classes + 2 has the mean of squares.
    """
    if network.role == GENERATOR:
        return weighted_sum(case, network, outputs)
    if case.spec["constructor_kwargs"].get("output_dim"):  # as the peer's description says
        return outputs[""].square().mean()
    return OmniLoss().real(outputs[""], case.tensors["in/label"])


def square_plus_mean(case: GoldenCase, network: PeerNetwork, outputs: Outputs) -> Tensor:
    """Return MMagic's recorded loss, mean(out^2) + mean(out)."""
    return outputs[""].square().mean() + outputs[""].mean()


LOSS_RULES: dict[str, LossRule] = {
    "biggan_pytorch": weighted_sum,
    "ic_gan": weighted_sum,
    "studiogan": weighted_sum,
    "omnigan": omni_or_weighted_sum,
    "mmagic": square_plus_mean,
    "spade": weighted_sum,
}


@checker(*((peer, "network") for peer in LOSS_RULES), ("spade", "layer"), ("spade", "block"))
def check_network(case: GoldenCase, comparison: Comparison) -> None:
    """Compare outputs in evaluation and training, gradients, and the state that a forward leaves."""
    form = peer_format(case.peer, case.spec)
    network = form.network(case.spec, case.state())
    _compare_parameter_count(case, comparison, network)
    inputs = case.group("in/")
    with torch.no_grad():
        network.module.eval()
        compare_styles(case, comparison, network, inputs)
        compare_outputs(case, comparison, "eval", network.call(inputs))
        _compare_truncated(case, comparison, network, inputs)
    if case.group("out/peer_eval"):
        _compare_peer_eval(case, comparison, network, inputs)
    network.load(case.state())
    _compare_training(case, comparison, network, inputs)
    _skip_unknown_outputs(case, comparison)


def compare_outputs(case: GoldenCase, comparison: Comparison, mode: str, outputs: Outputs) -> None:
    """Compare what is stored as ``out/<mode>`` or ``out/<mode>/<name>``, whole or strided."""
    pattern = re.compile(rf"out/{mode}(?:/([\w/]+?))?(?:_stride(\d+))?")
    for key, expected in case.tensors.items():
        found = pattern.fullmatch(key)
        if not found:
            continue
        name = found[1] or ""
        if name not in outputs:
            comparison.fail(key)
            continue
        stride = int(found[2] or 1)
        value = outputs[name]
        comparison.equal(key, value[:, :, ::stride, ::stride] if stride > 1 else value, expected)


def _compare_parameter_count(case: GoldenCase, comparison: Comparison, network: PeerNetwork) -> None:
    expected = case.spec.get("param_count", case.spec.get("n_params"))
    if expected is not None:
        # Some peers keep tables that their settings never use.
        count = network.unused_size + sum(parameter.numel() for parameter in network.module.parameters())
        comparison.equal("parameter count", float(count), float(expected), Tolerance(1e-9, 1e-9))


def _compare_truncated(
    case: GoldenCase, comparison: Comparison, network: PeerNetwork, inputs: Mapping[str, Tensor]
) -> None:
    """Compare images of a clamped latent (MMagic's truncation)."""
    for key in case.group("out/eval_truncation_"):
        threshold = key.split("_")[0]
        clamped = truncate(inputs["z"], float(threshold))
        mode = re.escape(f"eval_truncation_{threshold}")
        compare_outputs(case, comparison, mode, network.call({**inputs, "z": clamped}))


def _compare_peer_eval(
    case: GoldenCase, comparison: Comparison, network: PeerNetwork, inputs: Mapping[str, Tensor]
) -> None:
    """Compare StudioGAN's evaluation, in which spectral norms keep iterating."""
    network.module.eval()
    for module in network.module.modules():
        if isinstance(module, SpectralNorm):
            module.train()
    with torch.no_grad():
        compare_outputs(case, comparison, "peer_eval", network.call(inputs))


def _compare_training(
    case: GoldenCase, comparison: Comparison, network: PeerNetwork, inputs: Mapping[str, Tensor]
) -> None:
    network.module.train()
    leaves = {
        name: value.clone().requires_grad_()
        for name, value in inputs.items()
        if value.is_floating_point() and name in network.format.inputs
    }
    outputs = network.call({**inputs, **leaves})
    compare_outputs(case, comparison, "train", outputs)
    for prefix in STATE_PREFIXES:
        _compare_state(case, comparison, network, prefix)
    loss = LOSS_RULES[case.peer](case, network, outputs)
    if "out/train_loss" in case.tensors:
        scale = max(1.0, sum(float(value.detach().abs().sum()) for value in outputs.values()) * 1e-2)
        expected = case.tensors["out/train_loss"]
        comparison.equal("out/train_loss", loss, expected, Tolerance(1e-4, 2e-5 * scale))
    network.module.zero_grad()
    loss.backward()
    _compare_gradients(case, comparison, network)
    _compare_input_gradients(case, comparison, leaves)
    with torch.no_grad():
        if case.group("out/train2"):
            compare_outputs(case, comparison, "train2", network.call(inputs))
        if case.group("out/eval_after_train"):
            network.module.eval()
            compare_outputs(case, comparison, "eval_after_train", network.call(inputs))


def _compare_state(case: GoldenCase, comparison: Comparison, network: PeerNetwork, prefix: str) -> None:
    """Compare buffers that moved; those which we keep no counterpart of are left out."""
    state = network.state()
    for key, expected in case.group(prefix).items():
        if key in state:
            comparison.equal(f"{prefix}{key}", state[key], expected)


def recorded_gradient_norms(case: GoldenCase, prefix: str = "out/") -> dict[str, float]:
    """Return the gradient norms by the peer's parameter names, without those marked as noise.

    A norm of -1 marks a parameter without gradient; it is left out.
    """
    norms = {name: float(value) for name, value in case.group(f"{prefix}grad_norm/").items()}
    listed = case.tensors.get(f"{prefix}grad_norms")
    if listed is not None:
        names = case.spec.get("grad_norm_names") or case.spec.get("grad_param_names")
        if not isinstance(names, list) or len(names) != len(listed):
            raise ValueError("the JSON's names of gradients do not fit the stored norms")
        norms |= dict(zip(names, listed.tolist(), strict=True))
    noise = rounding_noise(case)
    return {name: norm for name, norm in norms.items() if norm >= 0 and name not in noise}


def rounding_noise(case: GoldenCase) -> set[str]:
    """Return the peer's names of parameters whose true gradient is zero."""
    return set(case.spec.get("grad_norms_that_are_pure_rounding_noise", ()))


def _compare_gradients(case: GoldenCase, comparison: Comparison, network: PeerNetwork) -> None:
    gradients, norms, noise = network.gradients(), recorded_gradient_norms(case), rounding_noise(case)
    compare_gradient_norms(comparison, gradients, norms)
    whole = max(norms.values(), default=0.0)
    zero = Tolerance(1e-3, 1e-4 * whole, whole)
    for name, expected in case.group("out/grad/").items():
        value = gradients[name].reshape(expected.shape)
        tolerance = zero if name in noise else _gradient_tolerance(expected)
        comparison.equal(f"gradient of {name}", value, expected, tolerance)


def compare_gradient_norms(
    comparison: Comparison, gradients: Mapping[str, Tensor], expected: Mapping[str, float], label: str = ""
) -> None:
    """Compare norms; zero gradients up to rounding (biases in front of a batch norm) count as equal."""
    whole = max(expected.values(), default=0.0)
    tolerance = Tolerance(3e-3, max(1e-5 * whole, 1e-12), whole)
    for name, norm in expected.items():
        ours = float(gradients[name].norm()) if name in gradients else 0.0
        comparison.equal(f"{label}gradient norm of {name}", ours, norm, tolerance)


def _compare_input_gradients(case: GoldenCase, comparison: Comparison, leaves: Mapping[str, Tensor]) -> None:
    """Compare gradients of inputs, stored as grad_input, grad_input/<name>, or grad_z and grad_x."""
    pattern = re.compile(r"out/grad_(?:input/)?(\w+?)(?:_stride(\d+))?")
    for key, expected in case.tensors.items():
        found = pattern.fullmatch(key)
        if not found or key.startswith(("out/grad_norm", "out/grad/")):
            continue
        name, stride = found[1], int(found[2] or 1)
        if name == "input":
            name = next(iter(leaves))
        gradient = leaves[name].grad if name in leaves else None
        if gradient is None:
            comparison.fail(key)
            continue
        if stride > 1:
            gradient = gradient[:, :, ::stride, ::stride]
        comparison.equal(key, gradient, expected, _gradient_tolerance(expected))


def _gradient_tolerance(expected: Tensor) -> Tolerance:
    """Return the tolerance of a gradient, whose rounding error scales with its largest entry."""
    return Tolerance(1e-3, max(1e-4 * float(expected.abs().max()), 1e-12))


KNOWN_OUTPUTS = re.compile(
    r"out/(eval|train|train2|peer_eval|eval_after_train|eval_truncation_[\d.]+|train_loss|label)(/|_stride|$)"
    r"|out/(grad_|grad/|state_after_train_forward/|buffer_after_train/)"
)


def _skip_unknown_outputs(case: GoldenCase, comparison: Comparison) -> None:
    """Record what the case holds and nothing was compared with."""
    unknown = [key for key in case.tensors if key.startswith("out/") and not KNOWN_OUTPUTS.match(key)]
    if unknown:
        comparison.skip(f"outputs {', '.join(unknown[:4])}")


def _shaped(value: Tensor, weight: Tensor) -> Tensor:
    """Give our (N,) logits the peer's (N, 1) shape, so that weights broadcast alike."""
    if value.dim() < weight.dim() and weight.shape[-1] == 1:
        return value.unsqueeze(-1)
    return value
