"""Whatever looks at a training leaves it as it is, whatever random numbers the networks draw inside."""

from __future__ import annotations

import pytest
import torch

import mmcgan.hooks
from mmcgan.engine import preserved_random_state
from mmcgan.models.generators import DCGANGenerator
from mmcgan.models.random_source import RandomSource
from mmcgan.random import RandomStreams
from mmcgan.registry import GENERATORS
from tests.test_engine.test_resume import final
from tests.test_engine.tiny_run import EVALUATION, differences, train


@GENERATORS.register_module(force=True)
class AlwaysNoisy(DCGANGenerator):
    """Adds noise of a shared and of a local stream to its latents, in training and in evaluation."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.random_source = RandomSource()

    def forward(self, latent, condition, **options):
        for source in (self.random_source.shared("a"), self.random_source.local("b", latent.device)):
            latent = latent + 0.5 * torch.randn(latent.shape, generator=source, device=latent.device)
        return super().forward(latent, condition, **options)


SMALL = dict(_delete_=True, image_size=8, num_classes=10, latent_dim=8)
GENERATORS_WITH_NOISE = {
    "StyleGAN2Generator": dict(channels=[4, 4], style_dim=8),
    "FastGANGenerator": dict(base_channels=2, excitation_factor=4),
    "AlwaysNoisy": dict(base_channels=4),
}
# by name of a hook that does not steer: what it takes to be at work at iterations 2, 4 and 6
LOOKERS = {
    "CollapseGuardHook": dict(interval=2, begin=0),
    "DiscriminatorDiagnosticsHook": dict(interval=2, size=6),
    "EarlyStopHook": dict(monitor="level_error", rule="less", patience=9),
    "FiniteGuardHook": {},
    "GANCheckpointHook": dict(interval=3, max_keep=None, save_best="level_error", rule="less"),
    "SampleGridHook": dict(interval=2, rows=2),
    "ThroughputHook": {},
}


# the guard measures itself only where the config has no diagnostics
TOGETHER = {"all but the guard": [name for name in LOOKERS if name != "CollapseGuardHook"]}
TOGETHER["the guard"] = ["CollapseGuardHook"]


def noisy_run(work_dir, generator, names=(), **more):
    """Train with a generator that draws noise, from which pictures come too: there is no average."""
    settings = dict(SMALL, type=generator, **GENERATORS_WITH_NOISE[generator])
    changes = {"model.generator": settings, "model.ema": False, "default_hooks.generator_ema": None}
    hooks = {name: dict(type=name, **LOOKERS[name]) for name in names}
    checkpoint = hooks.pop("GANCheckpointHook", dict(type="GANCheckpointHook", interval=3, max_keep=None))
    hooks.pop("FiniteGuardHook", None)  # these two are in every run of the kind, once
    hooks.pop("ThroughputHook", None)
    changes |= {"default_hooks.checkpoint": checkpoint, "custom_hooks": list(hooks.values())}
    evaluated = {**EVALUATION, "train_cfg.val_interval": 2} if names else {}
    return train(work_dir, **changes, **evaluated, **more)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Return what a training learns that nobody looks at, by its generator."""
    ends = {}

    def end_of(generator):
        if generator not in ends:
            folder = tmp_path_factory.mktemp(generator)
            noisy_run(folder, generator)
            ends[generator] = final(folder)
        return ends[generator]

    return end_of


def test_every_hook_that_says_that_it_does_not_steer_is_looked_at():
    ours = [name for name in mmcgan.hooks.__all__ if not getattr(mmcgan.hooks, name).changes_training]
    assert sorted({*ours, "CollapseGuardHook"}) == sorted(LOOKERS), "a warning does not steer either"


@pytest.mark.parametrize("generator", GENERATORS_WITH_NOISE)
def test_the_noise_of_these_generators_decides_what_is_learnt(generator, alone, tmp_path, monkeypatch):
    end, begin = alone(generator), RandomStreams.local
    monkeypatch.setattr(
        RandomStreams, "local", lambda own, name, device="cpu": begin(own, name + "!", device)
    )
    noisy_run(tmp_path, generator)
    assert differences(end, final(tmp_path)), "else the tests below could not fail"


@pytest.mark.parametrize("generator", GENERATORS_WITH_NOISE)
@pytest.mark.parametrize("names", TOGETHER)
def test_a_training_that_is_looked_at_ends_in_the_same_bits_stopped_or_not(names, generator, alone, tmp_path):
    end = alone(generator)
    looked_at = noisy_run(tmp_path, generator, TOGETHER[names])
    assert {*TOGETHER[names]} <= {type(hook).__name__ for hook in looked_at.hooks}
    assert differences(end, final(tmp_path)) == []
    (tmp_path / "iter_6.pth").unlink()
    noisy_run(tmp_path, generator, TOGETHER[names], resume=True)
    assert differences(end, final(tmp_path)) == []


def test_streams_go_on_where_they_were_before_side_work():
    streams = RandomStreams(seed=5)
    model = torch.nn.ModuleDict({"inside": torch.nn.ModuleDict({"streams": streams})})
    expected = RandomStreams(seed=5)
    torch.rand(3, generator=streams["latent"])
    torch.rand(3, generator=expected["latent"])
    with pytest.raises(RuntimeError), preserved_random_state(model):
        torch.rand(7, generator=streams["latent"])
        torch.rand(7, generator=streams.local("noise"))
        raise RuntimeError
    for mine, theirs in ((streams["latent"], expected["latent"]), (streams.local("noise"),) * 2):
        assert torch.equal(mine.get_state(), theirs.get_state())
    assert torch.equal(streams.local("noise").get_state(), expected.local("noise").get_state())
