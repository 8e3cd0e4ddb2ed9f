"""Checkers: the published BigGAN-deep generators with their tables of batch statistics."""

from __future__ import annotations

import re

import numpy as np
import torch
from scipy.stats import truncnorm
from torch import Tensor

from mmcgan.models.layers import SpectralNorm
from mmcgan.peers import PeerNetwork, peer_format
from tests.parity.cases import GoldenCase
from tests.parity.compare import Comparison
from tests.parity.runner import checker

STRIDE = "_stride4"
#: Latents are drawn from [-2, 2] and then scaled, not drawn again at another threshold.
THRESHOLD = 2.0


def published_noise(size: int, latent_dim: int, truncation: float, seed: int) -> Tensor:
    """Return ``truncation`` times a normal draw restricted to [-2, 2], float32 (size, latent_dim).

    The numbers are those of NumPy's legacy generator, for which there is no torch counterpart.
    """
    source = np.random.RandomState(seed)
    drawn = truncnorm.rvs(-THRESHOLD, THRESHOLD, size=(size, latent_dim), random_state=source)
    return torch.from_numpy(truncation * drawn.astype(np.float32))


def published_pixels(image: Tensor) -> Tensor:
    """Return uint8 of images in [-1, 1]: scaled by 256 and cut off, where we scale by 255 and round."""
    return ((image + 1) / 2 * 256).clamp(0, 255).to(torch.uint8)


@checker(("hfbiggan", "network"))
def check_published_generator(case: GoldenCase, comparison: Comparison) -> None:
    """Compare images at every truncation, parts of the network, gradients, and training's iteration."""
    network = peer_format(case.peer, case.spec).network(case.spec, case.state())
    network.module.eval()
    inputs = {name: case.tensors[f"in/{name}"] for name in ("z", "y")}
    truncations = _truncations(case)
    with torch.no_grad():
        for key, truncation in truncations.items():
            first: list[Tensor] = []
            hook = network.module.blocks[0].register_forward_hook(  # type: ignore[index, union-attr, operator]
                lambda module, given, output, kept=first: kept.append(output)
            )
            image = _images(network, inputs, truncation)
            hook.remove()
            block = key.removesuffix(STRIDE).replace("out/eval_", "out/block0_")
            if block in case.tensors:
                comparison.equal(block, first[0], case.tensors[block])
            comparison.equal(key, image[:, :, ::4, ::4] if key.endswith(STRIDE) else image, case.tensors[key])
    _compare_parts(case, comparison, network, inputs)
    _compare_gradients(case, comparison, network, inputs, next(iter(truncations.values())))
    network.load(case.state())
    network.module.train()
    with torch.no_grad():
        image = _images(network, inputs, next(iter(truncations.values())))
    key = f"out/train_mode{STRIDE}"
    comparison.equal(key, image[:, :, ::4, ::4], case.tensors[key])
    own = network.state()
    for name, expected in case.group("out/buffer_after_train/").items():
        comparison.equal(f"after {name}", own[name].flatten(), expected.flatten())


def _truncations(case: GoldenCase) -> dict[str, float]:
    """Return the truncation of every stored image, in the order of the description."""
    found = {}
    for name in case.spec["truncation_lookup"]:
        for key in case.tensors:
            if re.fullmatch(rf"out/eval_trunc_{re.escape(name)}({STRIDE})?", key):
                found[key] = float(name)
    return found


def _images(network: PeerNetwork, inputs: dict[str, Tensor], truncation: float) -> Tensor:
    return network.call({**inputs, "truncation": torch.tensor(truncation, dtype=torch.float64)})[""]


def _compare_parts(
    case: GoldenCase, comparison: Comparison, network: PeerNetwork, inputs: dict[str, Tensor]
) -> None:
    """Compare the label's embedding, the first linear map, and sigma over all filters of the last."""
    module = network.module
    with torch.no_grad():
        embedding = module.condition.label(inputs["y"])  # type: ignore[union-attr, operator]
        joined = torch.cat([inputs["z"], embedding], dim=1)
        comparison.equal("out/embed", embedding, case.tensors["out/embed"])
        comparison.equal("out/gen_z", module.linear(joined), case.tensors["out/gen_z"])  # type: ignore[operator]
        last = module.output_conv
        norm = next(part for part in last.modules() if isinstance(part, SpectralNorm))  # type: ignore[union-attr]
        matrix = case.state()["generator.conv_to_rgb.weight_orig"].flatten(1)
        sigma = norm.u0.flatten() @ matrix @ norm.v0.flatten()  # type: ignore[operator]
        comparison.equal("out/sigma_conv_to_rgb", sigma, case.tensors["out/sigma_conv_to_rgb"])


def _compare_gradients(
    case: GoldenCase,
    comparison: Comparison,
    network: PeerNetwork,
    inputs: dict[str, Tensor],
    truncation: float,
) -> None:
    latent = inputs["z"].clone().requires_grad_()
    image = _images(network, {**inputs, "z": latent}, truncation)
    loss = image.square().mean() + image.mean()
    comparison.equal("out/loss", loss, case.tensors["out/loss"])
    loss.backward()
    assert latent.grad is not None
    comparison.equal("out/grad_z", latent.grad, case.tensors["out/grad_z"])
    gradients = network.gradients()
    for name, expected in zip(case.spec["grad_param_names"], case.tensors["out/grad_norms"], strict=True):
        comparison.equal(f"gradient of {name}", gradients[name].norm(), expected)


@checker(("hfbiggan", "sampling"))
def check_published_sampling(case: GoldenCase, comparison: Comparison) -> None:
    """Compare the draws of seeds, and how images become pixels."""
    settings = case.spec["constructor"]
    size, dim = settings["batch_size"], settings["dim_z"]
    for key, expected in case.tensors.items():
        found = re.fullmatch(r"out/noise_seed(\d+)_trunc([\d.]+)", key)
        if found:
            drawn = published_noise(size, dim, float(found[2]), int(found[1]))
            comparison.equal(key, drawn, expected)
    pixels = published_pixels(case.tensors["in/img"]).permute(0, 2, 3, 1)
    comparison.equal("out/img_uint8_NHWC", pixels.float(), case.tensors["out/img_uint8_NHWC"].float())
