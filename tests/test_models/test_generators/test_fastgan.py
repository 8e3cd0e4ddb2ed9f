"""FastGAN's generator: sizes, excitations, noise, conditions."""

import pytest
import torch

from mmcgan.models.generators import FastGANGenerator
from mmcgan.models.random_source import connect_random_sources
from mmcgan.random import RandomStreams
from mmcgan.structures import Condition

SMALL = dict(base_channels=2, latent_dim=6)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [
        (dict(image_size=256), 105_684_175),
        (dict(image_size=512), 105_870_961),
        (dict(image_size=1024), 105_884_483),
        (dict(image_size=256, light=True), 79_354_307),
        (dict(image_size=1024, light=True), 79_531_379),
        (dict(image_size=256, num_classes=1000), 110_527_689),
        (dict(image_size=256, num_classes=1000, light=True), 81_904_067),
    ],
)
def test_published_sizes_have_the_authors_numbers_of_parameters(settings, parameters):
    with torch.device("meta"):
        assert count(FastGANGenerator(**settings)) == parameters


@pytest.mark.parametrize(
    ("size", "factor", "excited"), [(16, 16, []), (32, 4, [2, 3]), (64, 16, [4]), (1024, 16, [4, 5, 6, 7])]
)
def test_maps_that_were_scaled_scale_no_other(size, factor, excited):
    with torch.device("meta"):
        generator = FastGANGenerator(size, base_channels=8, latent_dim=4, excitation_factor=factor)
    assert [int(step) for step in generator.excitations] == excited


@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize("size", [64, 128])
def test_images_have_the_size_asked_for(size, light):
    generator = FastGANGenerator(size, light=light, base_channels=2, latent_dim=6)
    image = generator(torch.randn(2, 6), Condition())
    assert image.shape == (2, 3, size, size)
    assert image.isfinite().all()


def test_label_and_instance_reach_every_block_but_the_first():
    torch.manual_seed(0)
    generator = FastGANGenerator(16, 3, instance_dim=5, instance_embedding_dim=4, **SMALL).eval()
    latent = torch.randn(2, 6)

    def maps(label, instance):
        seen = []
        hooks = [block.register_forward_hook(lambda m, i, o: seen.append(o)) for block in generator.blocks]
        generator(latent, Condition(label=torch.tensor(label), instance=instance))
        for hook in hooks:
            hook.remove()
        return seen

    first = torch.randn(2, 5)
    base = maps([0, 0], first)
    for other in (maps([1, 2], first), maps([0, 0], first + 1)):
        same = [torch.equal(a, b) for a, b in zip(base, other, strict=True)]
        assert same == [True, False, False]


def noisy(eval_noise):
    torch.manual_seed(0)
    generator = FastGANGenerator(16, eval_noise=eval_noise, spectral_norm=None, **SMALL)
    for name, parameter in generator.named_parameters():
        if ".noise." in name:
            torch.nn.init.ones_(parameter)
    return generator


def test_in_training_noise_is_fresh_and_comes_from_the_runs_streams():
    generator, latent = noisy("const"), torch.randn(2, 6)
    streams = RandomStreams(seed=3)
    connect_random_sources(generator, streams)
    streams.start(7)
    first, second = generator(latent, Condition()), generator(latent, Condition())
    assert not torch.equal(first, second)
    streams.start(7)
    # batch statistics stand for themselves in training: the same noise gives the same images
    assert torch.equal(generator(latent, Condition()), first)


@pytest.mark.parametrize("eval_noise", ["const", "random", "none"])
def test_in_evaluation_the_same_call_gives_the_same_images(eval_noise):
    generator, latent = noisy(eval_noise).eval(), torch.randn(3, 6)
    assert torch.equal(generator(latent, Condition()), generator(latent, Condition()))


def test_constant_noise_makes_an_image_a_function_of_its_latent_alone():
    generator, latent = noisy("const").eval(), torch.randn(3, 6)
    whole, turned = generator(latent, Condition()), generator(latent.flip(0), Condition())
    torch.testing.assert_close(turned.flip(0), whole)
    silent = noisy("none").eval()
    silent.load_state_dict(generator.state_dict())
    assert not torch.allclose(silent(latent, Condition()), whole)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(image_size=48), r"image_size must be one of \[8, 16, .* 1024\], got 48"),
        (dict(image_size=16, channels=(4, 4)), r"channels has 2 entries, but there are maps of \[4, 8, 16\]"),
        (dict(image_size=256, base_channels=1), r"widths must be at least 1.*base_channels=1"),
        (dict(image_size=16, excitation_factor=3), "excitation_factor must be 2, 4, 8, 16, .*got 3"),
        (dict(image_size=16, latent_dim=0), "latent_dim must be at least 1"),
        (dict(image_size=16, eval_noise="fresh"), "eval_noise must be one of .*got 'fresh'"),
    ],
)
def test_settings_that_cannot_be_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        FastGANGenerator(**settings)
