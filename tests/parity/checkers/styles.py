"""What StyleGAN2 cases hold beyond images: styles, truncation, noise modes, mixing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from mmcgan.models.generators import StyleGAN2Generator
from mmcgan.peers import PeerNetwork
from mmcgan.peers.mmagic.stylegan2 import recorded_noise
from mmcgan.peers.translation import read_condition
from tests.parity.cases import GoldenCase
from tests.parity.compare import Comparison

Inputs = Mapping[str, Tensor]


class StyleProbe:
    """A generator in evaluation, asked in the peers' words.

    Args:
        network: a StyleGAN2 generator behind a peer's names.
        inputs: the peer's inputs.
    """

    def __init__(self, network: PeerNetwork, inputs: Inputs) -> None:
        assert isinstance(network.module, StyleGAN2Generator)
        self.generator, self.inputs, self.network = network.module, inputs, network
        given = {network.format.inputs[k]: v for k, v in inputs.items() if k in network.format.inputs}
        self.condition = read_condition(given)
        self.styles = self.generator.map(inputs["z"], self.condition)

    def image(self, styles: Tensor | None = None, noise: str | list[Tensor] = "const") -> Tensor:
        """Return images as the peer shows them."""
        image = self.generator.synthesize_styles(self.styles if styles is None else styles, noise)
        form = self.network.format
        return form.present(self.network.spec, {form.image: image})[form.image]

    def truncated(self, psi: float, cutoff: int | None = None) -> Tensor:
        """Return styles moved by ``psi`` towards the recorded or the stored mean."""
        cutoff = None if cutoff is None or cutoff < 0 else cutoff
        return self.generator.truncate_styles(self.styles, psi, cutoff, self.inputs.get("truncation_latent"))

    def recorded_truncation(self) -> Tensor:
        """Return styles truncated as the inputs say."""
        return self.truncated(float(self.inputs["truncation_psi"]), int(self.inputs["truncation_cutoff"]))

    def seeded(self, seed: int) -> Tensor:
        """Return images with noise drawn layer by layer from torch's generator of ``seed``."""
        source = torch.Generator().manual_seed(seed)
        sizes = [layer.size for block in self.generator._blocks() for layer in block.layers]
        drawn = [torch.randn(len(self.styles), 1, size, size, generator=source) for size in sizes]
        return self.image(noise=drawn)

    def mixed(self, first: int) -> Tensor:
        """Return images whose styles come from a second latent from index ``first`` on."""
        other = self.generator.map(self.inputs["z2"], self.condition)
        return self.image(self.generator.mix(self.styles, other, first), recorded_noise(self.inputs))

    def moved_mean(self) -> Tensor:
        """Return the running mean after one step of training."""
        assert self.generator.mean_style is not None
        before = self.generator.mean_style.clone()
        self.generator.train()
        self.generator.map(self.inputs["z"], self.condition)
        moved = self.generator.mean_style.clone()
        self.generator.mean_style.copy_(before)
        self.generator.eval()
        return moved


#: Name of a recorded quantity -> what it is, from the groups of its name.
QUANTITIES: dict[str, Callable[..., Tensor]] = {
    r"out/ws|out/latent": lambda probe: probe.styles,
    r"out/eval/ws": lambda probe: probe.styles[:, 0],
    r"out/ws_psi([\d.]+)_cutoff(\d+)": lambda probe, psi, cut: probe.truncated(float(psi), int(cut)),
    r"out/eval/ws_trunc": lambda probe: probe.recorded_truncation(),
    r"out/eval/image_trunc": lambda probe: probe.image(probe.recorded_truncation()),
    r"out/eval_(?:psi|trunc)([\d.]+)": lambda probe, psi: probe.image(probe.truncated(float(psi))),
    r"out/eval/image_noise_none|out/eval_nonoise(?:_unfused)?": lambda probe: probe.image(noise="none"),
    r"out/eval/image_noise_random_torchseed(\d+)": lambda probe, seed: probe.seeded(int(seed)),
    r"out/eval_buffernoise": lambda probe: probe.image(),
    r"out/eval_injected": lambda probe: probe.image(noise=recorded_noise(probe.inputs)),
    r"out/eval_mix_inject(\d+)": lambda probe, first: probe.mixed(int(first)),
    r"out/w_avg_after_update_emas": lambda probe: probe.moved_mean(),
}


@torch.no_grad()
def compare_styles(case: GoldenCase, comparison: Comparison, network: PeerNetwork, inputs: Inputs) -> None:
    """Compare what only a generator with styles has, and take it out of the case.

    Some peers recorded the first rows of a batch alone.
    """
    if not isinstance(network.module, StyleGAN2Generator):
        return
    probe = StyleProbe(network, inputs)
    for key in list(case.tensors):
        for pattern, quantity in QUANTITIES.items():
            if found := re.fullmatch(pattern, key):
                expected = case.tensors.pop(key)
                comparison.equal(key, quantity(probe, *found.groups())[: len(expected)], expected)
                break
