"""A law of latents from outside is the one that is measured, truncated, mixed in and moved."""

import math

import pytest
import torch

from mmcgan.config import load_config
from mmcgan.models.latent_moves import build_move
from mmcgan.models.sampling import SamplingModel
from mmcgan.registry import DATASETS, SAMPLERS, restore, snapshot
from mmcgan.samplers import LangevinLatents, LatentSampler, NormalLatent
from tests.tiny_networks import tiny_stylegan2

DISTANCE = 5.0


@pytest.fixture(autouse=True)
def laws():
    """Register two laws; one says what truncation and density are."""
    before = snapshot()

    @SAMPLERS.register_module()
    class Silent(LatentSampler):
        def __init__(self, latent_dim: int, distance: float = DISTANCE):
            super().__init__(latent_dim)
            self.distance = distance

        def sample(self, n, generator):
            side = 2.0 * torch.randint(2, (n, 1), generator=generator) - 1
            return self.distance * side + torch.randn(n, self.latent_dim, generator=generator)

    @SAMPLERS.register_module()
    class Clouds(Silent):
        def truncate(self, latent, threshold, generator=None):
            centre = self.distance * latent.mean(1, keepdim=True).sign()
            return centre + (latent - centre).clamp(-threshold, threshold)

        def energy(self, latent):
            near = [-0.5 * (latent - side * self.distance).square().sum(1) for side in (-1, 1)]
            return -torch.logaddexp(*near)

    for kind in (Silent, Clouds):
        kind.__module__ = "stranger"
    yield
    restore(before)


def conditions(law="Clouds", **settings):
    options = {
        "model.latent_sampler": {"type": law},
        **{f"val_dataloader.dataset.{k}": v for k, v in settings.items()},
    }
    return DATASETS.build(dict(load_config("biggan_digits-16", options).val_dataloader.dataset))


def test_evaluations_measure_the_mixture():
    latents = conditions().latents(range(64))
    assert 0.2 < float((latents.mean(1) > 0).float().mean()) < 0.8
    assert bool((latents.mean(1).abs() > DISTANCE - 1).all())  # of N(0, I), no mean is so far from 0


def test_truncation_is_asked_of_the_law():
    narrow = conditions(truncation=0.1).latents(range(16))
    assert float((narrow.abs() - DISTANCE).abs().max()) <= 0.1 + 1e-6
    with pytest.raises(ValueError, match="Silent does not say what truncation means"):
        conditions("Silent", truncation=0.1)


def model(law):
    return SamplingModel(tiny_stylegan2(mapping_layers=1, style_mixing=1.0), dict(type=law))


def test_styles_that_are_mixed_in_come_from_the_law():
    built = model("Clouds")
    generator = built.generator
    mixed = [generator.draw_mixing(torch.zeros(16, 4))[0] for _ in range(4)]
    assert bool((torch.cat(mixed).mean(1).abs() > DISTANCE - 2.5).all())
    assert built.generator_ema.latent_law is built.latent_sampler
    drawn = model("NormalLatent").generator.draw_latents(3, torch.Generator().manual_seed(1))
    assert torch.equal(drawn, torch.randn(3, 4, generator=torch.Generator().manual_seed(1)))


def test_langevin_chains_follow_the_density_of_the_law():
    law = SAMPLERS.build(dict(type="Clouds", latent_dim=3))
    start = torch.full((4, 3), 3.0)
    move = build_move(dict(type="LangevinLatents", steps=400, rate=0.05, variance=1e-6), ["adv.logit"], law)
    moved = move(start, lambda z: z.sum(1) * 0)
    assert torch.allclose(moved, torch.full((4, 3), DISTANCE), atol=0.1)  # not towards 0
    rule = LangevinLatents(steps=400, rate=0.05, variance=1e-6)
    rule.follow(NormalLatent(3))
    assert float(rule(start, lambda z: z.sum(1) * 0).abs().max()) < 0.1
    with pytest.raises(ValueError, match="Silent does not say how likely its latents are"):
        build_move(
            dict(type="LangevinLatents"), ["adv.logit"], SAMPLERS.build(dict(type="Silent", latent_dim=3))
        )
    assert math.isfinite(float(moved.sum()))
