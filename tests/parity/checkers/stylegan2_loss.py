"""Checker: the phases of StyleGAN2-ADA's loss, through our losses, R1, path length and style mixing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcgan.losses import NonSaturatingLoss
from mmcgan.peers import PeerNetwork, peer_format
from mmcgan.peers.translation import read_condition
from mmcgan.regularizers import PathLengthPenalty
from mmcgan.regularizers.path_length import path_lengths
from mmcgan.regularizers.r1 import squared_gradient
from mmcgan.structures import Condition
from tests.parity.cases import GoldenCase
from tests.parity.checkers.networks import compare_gradient_norms, recorded_gradient_norms
from tests.parity.compare import Comparison
from tests.parity.runner import Unsupported, checker

PHASES = {
    "Gmain": ("G", "main"),
    "Greg": ("G", "reg"),
    "Gboth": ("G", "main", "reg"),
    "Dmain": ("D", "main"),
    "Dreg": ("D", "reg"),
    "Dboth": ("D", "main", "reg"),
}


class Phase:
    """One phase: both networks fresh, the recorded draws, and what is reported.

    Args:
        case: the golden case.
        name: of the phase.
    """

    def __init__(self, case: GoldenCase, name: str) -> None:
        self.case, self.name = case, name
        self.player, *self.parts = PHASES[name]
        self.settings: dict[str, Any] = case.spec["settings"]
        noise = str(self.settings.get("noise_mode", "random")).split()[0]
        self.generator = _network(case, {"constructor_kwargs": case.spec["G_kwargs"]}, "state_G/")
        self.discriminator = _network(case, {"constructor_kwargs": case.spec["D_kwargs"]}, "state_D/")
        self.generator.module.noise = noise  # type: ignore[assignment]
        self.generator.module.style_mixing = self.settings["style_mixing_prob"]
        self.generator.module.draw_mixing = self._draw_mixing  # type: ignore[assignment]
        for network, player in ((self.generator, "G"), (self.discriminator, "D")):
            network.module.train().requires_grad_(player == self.player)
        self.draws = self._recorded_draws()
        self.penalty = PathLengthPenalty(
            weight=self.settings["pl_weight"],
            decay=self.settings["pl_decay"],
            shrink=self.settings["pl_batch_shrink"],
        )
        self.reports: dict[str, Tensor] = {}

    def _recorded_draws(self) -> Iterator[Tensor]:
        found = self.case.group(f"in/{self.name}/draw")
        return iter([found[key] for key in sorted(found, key=lambda key: int(re.match(r"\d+", key)[0]))])  # type: ignore[index]

    def _draw_mixing(self, latent: Tensor) -> tuple[Tensor, int]:
        first = int(next(self.draws))
        return next(self.draws), first

    def condition(self, origin: str, rows: int | None = None) -> Condition:
        """Return the recorded condition of ``gen`` or ``real`` images."""
        tensors = self.case.tensors
        read = read_condition({"label": tensors[f"in/{origin}_c"], "instance": tensors[f"in/{origin}_h"]})
        return read if rows is None else read[slice(rows)]

    def generate(self, rows: int | None = None) -> tuple[Tensor, Tensor]:
        """Return images and styles of the first ``rows`` recorded latents."""
        module = self.generator.module
        styles = module.map(self.case.tensors["in/gen_z"][:rows], self.condition("gen", rows))  # type: ignore[operator]
        return module.synthesize_styles(styles), styles  # type: ignore[operator]

    def score(self, image: Tensor, origin: str, report: str) -> Tensor:
        """Return the logits (N,) and report them."""
        logit = self.discriminator.module(image, self.condition(origin))["adv.logit"]
        self.reports[f"scores/{report}"] = logit
        self.reports[f"signs/{report}"] = logit.sign()
        return logit

    def generator_loss(self) -> Tensor:
        """Return what the generator minimises."""
        total = torch.zeros(())
        if "main" in self.parts:
            logit = self.score(self.generate()[0], "gen", "fake")
            self.reports["G/loss"] = F.softplus(-logit)
            total = total + NonSaturatingLoss().generated(logit)
        if "reg" in self.parts:
            rows = len(self.case.tensors["in/gen_z"]) // self.penalty.shrink
            image, styles = self.generate(rows)
            noise = next(self.draws) / (image.shape[2] * image.shape[3]) ** 0.5
            lengths = path_lengths(image, styles, noise)
            total = total + self.penalty.weight * self.penalty.penalty(lengths)
            self.reports["pl_penalty"] = (lengths - self.penalty.mean).square()
            self.reports["G/reg"] = self.penalty.weight * self.reports["pl_penalty"]
        return total

    def discriminator_loss(self) -> Tensor:
        """Return what the discriminator minimises."""
        total, loss = torch.zeros(()), NonSaturatingLoss()
        if "main" in self.parts:
            fake = self.score(self.generate()[0].detach(), "gen", "fake")
            total = total + loss.fake(fake)
        image = self.case.tensors["in/real_img"].clone().requires_grad_()
        real = self.score(image, "real", "real")
        if "main" in self.parts:
            total = total + loss.real(real)
            self.reports["D/loss"] = F.softplus(fake) + F.softplus(-real)
        if "reg" in self.parts:
            self.reports["r1_penalty"] = squared_gradient(real, image)
            self.reports["D/reg"] = self.reports["r1_penalty"] * (self.settings["r1_gamma"] / 2)
            total = total + self.reports["D/reg"].mean()
        return total

    def compare(self, comparison: Comparison) -> None:
        """Compute the phase and compare everything recorded of it."""
        loss = self.generator_loss() if self.player == "G" else self.discriminator_loss()
        (loss * self.settings["gain"]).backward()
        recorded = self.case.group(f"out/{self.name}/")
        comparison.equal_all(
            f"{self.name}: ",
            {f"Loss/{name}": value.detach() for name, value in self.reports.items()},
            {name: value for name, value in recorded.items() if name.startswith("Loss/")},
        )
        mean = self.generator.module.mean_style
        state = {"pl_mean": self.penalty.mean, "w_avg": mean}
        for name in state.keys() & recorded.keys():
            comparison.equal(f"{self.name}: {name}", state[name], recorded[name])  # type: ignore[arg-type]
        network = self.generator if self.player == "G" else self.discriminator
        expected = recorded_gradient_norms(self.case, f"out/{self.name}/")
        compare_gradient_norms(comparison, network.gradients(), expected, f"{self.name}: ")


def _network(case: GoldenCase, spec: dict[str, Any], prefix: str) -> PeerNetwork:
    return peer_format(case.peer, spec).network(spec, case.group(prefix))


@checker(("ic_gan", "loss"))
def check_stylegan2_loss(case: GoldenCase, comparison: Comparison) -> None:
    """Losses, penalties, running means and gradients of every recorded phase."""
    if not {"G_kwargs", "D_kwargs", "settings"} <= case.spec.keys():
        raise Unsupported("a loss without descriptions of both networks")
    recorded = {key.split("/")[1] for key in case.tensors if key.startswith("out/")}
    for name in sorted(recorded):
        if name not in PHASES:
            comparison.skip(f"phase {name}")
            continue
        Phase(case, name).compare(comparison)
