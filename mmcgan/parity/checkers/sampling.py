"""Checkers: latent samplers."""

from __future__ import annotations

import torch

from mmcgan.parity.cases import GoldenCase
from mmcgan.parity.compare import Comparison, Tolerance
from mmcgan.parity.runner import checker
from mmcgan.random import make_generator
from mmcgan.samplers import TruncatedNormalLatent

DRAWS = 200_000
STATISTICAL = Tolerance(1e-2, 1e-2)


@checker(("studiogan", "sampling"))
def check_sampling(case: GoldenCase, comparison: Comparison) -> None:
    """Moments of the truncated normal; the peer's draws come from generators we do not share."""
    for name, expected in case.group("out/truncnorm_").items():
        threshold, _, suffix = name.partition("_")
        if suffix != "moments":
            continue
        sampler = TruncatedNormalLatent(1, float(threshold))
        drawn = sampler.sample(DRAWS, make_generator("parity", name)).double()
        ours = torch.stack([drawn.mean(), drawn.std(), drawn.abs().max()])
        comparison.equal(f"out/truncnorm_{name}", ours, expected, STATISTICAL)
    comparison.skip("label orders, perturbed latents and interpolation of the sampling case")
