"""Checkers: spectrally normalised layers of BigGAN-PyTorch and MMagic."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.models.layers import SpectralNormOptions, conv2d, embedding, linear
from mmcgan.peers.translation import AJBROCK_SPECTRAL
from mmcgan.peers.translation.names import to_ours
from tests.parity.cases import GoldenCase, State
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import Unsupported, checker

CONVERGED_STEPS = 200


LAYER_SETTINGS = {
    *("num_embeddings", "embedding_dim", "in_features", "out_features", "in_channels", "out_channels"),
    *("kernel_size", "stride", "padding", "bias", "num_svs", "num_itrs", "eps"),
}


def plain(value: Any) -> Any:
    """Return a setting that was written down as text (``"3"``, ``"False"``, ``"(3, 3)"``) as what it says."""
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return value


def gradient_tolerance(theirs: Tensor) -> Tolerance:
    """Return the tolerance of a gradient, whose rounding error scales with its largest entry."""
    return Tolerance(1e-4, 1e-5 * float(theirs.abs().max()))


def our_name(name: str) -> str:
    """Return our key of a peer's buffer: ``u0`` -> ``spectral.u0``, ``sv0`` -> ``spectral.sigma0``."""
    return str(to_ours(AJBROCK_SPECTRAL, [name])[name])


def load_layer(layer: nn.Module, state: State) -> nn.Module:
    """Fill one of our layers from a peer's state, whose u has an extra axis."""
    own = layer.state_dict()
    converted = {our_name(name): value for name, value in state.items()}
    layer.load_state_dict({key: value.reshape(own[key].shape) for key, value in converted.items()})
    return layer


def build_layer(state: State, options: SpectralNormOptions, stride: int = 1, padding: int = 0) -> nn.Module:
    """Build the layer whose weight and bias ``state`` holds: a convolution, linear map or table."""
    shape, bias = state["weight"].shape, "bias" in state
    if len(shape) == 4:
        return conv2d(
            shape[1], shape[0], shape[2], stride=stride, padding=padding, bias=bias, spectral_norm=options
        )
    return linear(shape[1], shape[0], bias=bias, spectral_norm=options)


def _buffers(layer: nn.Module) -> State:
    return {name: value.clone() for name, value in layer.named_buffers()}


def _compare_buffers(
    comparison: Comparison, name: str, layer: nn.Module, expected: Mapping[str, Tensor]
) -> None:
    ours = _buffers(layer)
    for key, value in expected.items():
        comparison.equal(f"{name} {key}", ours[our_name(key)], value)


@checker(("biggan_pytorch", "spectral_norm"))
def check_biggan_layers(case: GoldenCase, comparison: Comparison) -> None:
    """Outputs and vectors in evaluation and training, the weight's gradient, and convergence."""
    for name, written in case.spec["layers"].items():
        settings = {key: plain(value) for key, value in written.items()}
        options = SpectralNormOptions(
            eps=float(settings["eps"]),
            iterations=int(settings.get("num_itrs", 1)),
            singular_values=int(settings.get("num_svs", 1)),
        )
        layer = load_layer(biggan_layer(settings, options), case.group(f"state/{name}/"))
        _follow_biggan(case, comparison, name, layer)


def biggan_layer(settings: Mapping[str, Any], options: SpectralNormOptions) -> nn.Module:
    numbers: dict[str, Any] = dict(settings)
    unknown = numbers.keys() - LAYER_SETTINGS
    if unknown:
        raise Unsupported(f"spectral layer with settings {sorted(unknown)}")
    bias = bool(numbers.get("bias", True))
    if "num_embeddings" in numbers:
        return embedding(numbers["num_embeddings"], numbers["embedding_dim"], spectral_norm=options)
    if "in_features" in numbers:
        return linear(numbers["in_features"], numbers["out_features"], bias=bias, spectral_norm=options)
    if "in_channels" not in numbers:
        raise Unsupported(f"spectral layer with settings {dict(settings)}")
    return conv2d(
        numbers["in_channels"],
        numbers["out_channels"],
        _side(numbers["kernel_size"]),
        stride=_side(numbers.get("stride", 1)),
        padding=_side(numbers.get("padding", 0)),
        bias=bias,
        spectral_norm=options,
    )


def _side(value: int | tuple[int, ...]) -> int:
    """Return the one number of a side that may be written as a pair.

    Raises:
        Unsupported: the sides differ.
    """
    if isinstance(value, int):
        return value
    if len(set(value)) != 1:
        raise Unsupported(f"convolution whose sides differ: {value}")
    return value[0]


def _follow_biggan(case: GoldenCase, comparison: Comparison, name: str, layer: nn.Module) -> None:
    """Call the layer in the recorded order: eval, three times train, train with gradient, eval, 200 train."""
    given, out = case.tensors[f"in/{name}"], case.group(f"out/{name}/")
    comparison.equal(f"{name} eval_before", layer.eval()(given), out["eval_before"])
    layer.train()
    for index in range(3):
        comparison.equal(f"{name} train{index}", layer(given), out[f"train{index}"])
        _compare_buffers(comparison, f"{name} train{index}", layer, case.group(f"after/{name}/train{index}/"))
    layer(given).square().sum().backward()
    weight: Any = layer.weight
    gradient = out["grad_weight_call4"]
    comparison.equal(f"{name} grad_weight", weight.grad, gradient, gradient_tolerance(gradient))
    comparison.equal(f"{name} eval_after", layer.eval()(given), out["eval_after"])
    layer.train()
    with torch.no_grad():
        for _ in range(CONVERGED_STEPS):
            layer(given)
    rtol = float(case.spec["tolerances_seen"].get("sv_converged_rtol", 1e-3))
    for key, value in _buffers(layer).items():
        recorded = out.get(key.replace("spectral.sigma", "sv_converged_"))
        if recorded is not None:
            comparison.equal(f"{name} {key} converged", value, recorded, Tolerance(rtol, 1e-6))


@checker(("mmagic", "spectral_norm"))
def check_mmagic_layers(case: GoldenCase, comparison: Comparison) -> None:
    """The home-made layers of MMagic: sigma is a constant in backward, the last singular value divides."""
    settings = case.spec["constructor"]
    options = SpectralNormOptions(
        eps=float(settings["eps"]),
        iterations=int(settings["num_iters"]),
        singular_values=int(settings["num_svs"]),
        differentiable=False,
        divide_by_smallest=True,
    )
    for name, given in case.group("in/").items():
        out, state = case.group(f"out/{name}/"), case.group(f"state/{name}.")
        if given.is_floating_point():
            stride, padding = _geometry(state["weight"], given, out["eval0"])
            layer = build_layer(state, options, stride, padding)
        else:
            layer = embedding(*state["weight"].shape, spectral_norm=options)
        _follow_mmagic(comparison, name, load_layer(layer, state), given, out)


def _geometry(weight: Tensor, given: Tensor, out: Tensor) -> tuple[int, int]:
    """Return stride and padding of a convolution from its sizes (they are not in the JSON)."""
    if weight.dim() != 4:
        return 1, 0
    kernel, size, wanted = weight.shape[2], given.shape[2], out.shape[2]
    for padding in (kernel // 2, 0, *range(1, kernel)):
        for stride in (1, 2, 3, 4):
            if (size + 2 * padding - kernel) // stride + 1 == wanted:
                return stride, padding
    raise Unsupported(f"convolution {tuple(weight.shape)} from size {size} to {wanted}")


def _follow_mmagic(
    comparison: Comparison, name: str, layer: nn.Module, given: Tensor, out: Mapping[str, Tensor]
) -> None:
    """Call the layer in the recorded order: eval, train and backward several times, eval twice."""
    weight: Any = layer.weight
    comparison.equal(f"{name} eval0", layer.eval()(given), out["eval0"])
    steps = sum(re.fullmatch(r"train\d+", key) is not None for key in out)
    layer.train()
    for index in range(steps):
        weight.grad = None
        value = layer(given)
        value.square().mean().backward()
        comparison.equal(f"{name} train{index}", value, out[f"train{index}"])
        comparison.equal(f"{name} grad{index}", weight.grad, out[f"grad{index}"])
        expected = {k.split("/")[1]: v for k, v in out.items() if k.startswith(f"buffers{index}/")}
        _compare_buffers(comparison, f"{name} buffers{index}", layer, expected)
    layer.eval()
    for key in (f"eval{steps}", f"eval{steps}_again"):
        comparison.equal(f"{name} {key}", layer(given), out[key])
