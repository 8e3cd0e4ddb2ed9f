import copy

import pytest
import torch

from mmcgan.models.generators import Generator, StyleGAN2Generator
from mmcgan.models.random_source import connect_random_sources
from mmcgan.models.sampling import SamplingModel, set_truncation_centre
from mmcgan.random import RandomStreams, make_generator
from mmcgan.structures import Condition


def tiny(image_size=16, num_classes=3, **options):
    torch.manual_seed(0)
    settings = {"max_channels": 6, "latent_dim": 5, "style_dim": 7, "mapping_layers": 2, **options}
    return StyleGAN2Generator(image_size, num_classes, **settings)


def noisy(generator):
    """Give every layer's noise a visible strength."""
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            parameter.data.fill_(0.3)
    return generator


def draw(labels=(0, 1, 2, 2)):
    torch.manual_seed(1)
    return torch.randn(len(labels), 5), Condition(label=torch.tensor(labels))


CONDITIONS = {
    "none": ({"num_classes": 0}, Condition()),
    "label": ({}, Condition(label=torch.tensor([0, 1, 2, 2]))),
    "instance": ({"num_classes": 0, "instance_dim": 4}, Condition(instance=torch.randn(4, 4))),
    "label and instance": (
        {"instance_dim": 4, "label_dim": 3, "instance_embedding_dim": 2},
        Condition(label=torch.tensor([0, 1, 2, 2]), instance=torch.randn(4, 4)),
    ),
    "attributes": ({"num_classes": 0, "num_attributes": 4}, Condition(attributes=torch.eye(4))),
}


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_images_and_gradients(architecture, condition):
    options, given = CONDITIONS[condition]
    generator = noisy(tiny(architecture=architecture, **options))
    image = generator(draw()[0], given)
    assert image.shape == (4, 3, 16, 16)
    assert generator.requires == tuple(given.present())
    image.square().mean().backward()
    idle = {n for n, p in generator.named_parameters() if p.grad is None or not p.grad.isfinite().all()}
    assert not idle


def test_the_class_decides_the_image_and_only_where_asked_for():
    latent, condition = draw((0, 1, 2))
    latent = latent[:1].expand(3, -1)
    images = tiny().eval()(latent, condition)
    assert all((images[i] - images[j]).abs().max() > 1e-3 for i, j in ((0, 1), (0, 2), (1, 2)))
    plain = tiny(num_classes=0).eval()(latent, condition)
    torch.testing.assert_close(plain[0], plain[1])


def test_embedding_apart_from_synthesis():
    generator, (latent, condition) = tiny().eval(), draw()
    torch.testing.assert_close(
        generator.synthesize(latent, generator.embed(condition)), generator(latent, condition)
    )
    torch.testing.assert_close(
        generator.synthesize_styles(generator.map(latent, condition)), generator(latent, condition)
    )


# --- truncation -----------------------------------------------------------------------------------


def trained(**options):
    """A generator whose running mean is that of its styles."""
    generator = tiny(**options)
    latent = torch.randn(4096, 5)
    label = Condition(label=torch.arange(4096) % 3)
    generator.mean_style.copy_(generator.mapping(latent, generator.embed(label)).mean(0).detach())
    return generator.eval()


def test_truncation_shrinks_the_variance_and_psi_0_gives_the_mean_image():
    generator, label = trained(), Condition(label=torch.arange(64) % 3)
    latent = torch.randn(64, 5)
    spread = {
        psi: generator.forward_truncated(latent, label, psi).var(0).mean() for psi in (1.0, 0.7, 0.3, 0.0)
    }
    assert spread[1.0] > spread[0.7] > spread[0.3] > spread[0.0]
    assert spread[0.0] < 1e-10
    mean = generator.mean_style.expand(1, generator.num_ws, -1)
    image = generator.forward_truncated(latent[:1], label[:1], 0.0)
    torch.testing.assert_close(image, generator.synthesize_styles(mean))


def test_cutoff_truncates_coarse_styles_only():
    generator, (latent, condition) = trained(truncation_cutoff=2), draw()
    styles = generator.map(latent, condition)
    moved = generator.truncate_styles(styles, 0.5)
    torch.testing.assert_close(moved[:, 2:], styles[:, 2:])
    torch.testing.assert_close(moved[:, :2], (styles[:, :2] + generator.mean_style) / 2)


def test_styles_move_towards_the_mean_of_their_class():
    generator = noisy(tiny()).eval()
    latent, condition = draw()
    generator.truncation_centre = "class"
    closed = generator.forward_truncated(latent, condition, 0.0)
    torch.testing.assert_close(closed[2], closed[3])  # of one class
    assert not torch.allclose(closed[0], closed[1])
    centre = generator.condition_centres(condition)
    source = make_generator("mean style")
    for label in range(3):  # the mean over many latents, by a plain loop
        many = torch.randn(4096, 5, generator=source if label == 0 else make_generator("mean style"))
        asked = Condition(label=torch.full((4096,), label))
        expected = generator.map(many, asked)[:, 0].double().mean(0)
        torch.testing.assert_close(centre[[0, 1, 2][label], 0].double(), expected, rtol=1e-4, atol=1e-5)
    generator.truncation_centre = "mean"
    torch.testing.assert_close(*generator.forward_truncated(latent, condition, 0.0)[:2])


def test_a_generator_without_such_a_centre_refuses_it():
    with pytest.raises(ValueError, match="moves towards mean or class"):
        set_truncation_centre(tiny(), "median", "mine")
    with pytest.raises(ValueError, match="the truncation of mine has no centre"):
        set_truncation_centre(Generator(), "class", "mine")


def test_sampling_takes_truncation_as_psi():
    latent = {"type": "NormalLatent"}
    config = {"type": "StyleGAN2Generator", "image_size": 16, "num_classes": 3, "max_channels": 6}
    model = SamplingModel({**config, "latent_dim": 5, "style_dim": 7}, latent)
    condition = Condition(label=torch.tensor([0, 1]))
    mean, other = (model.sample(condition, generator=make_generator(seed), truncation=0.0) for seed in (1, 2))
    torch.testing.assert_close(mean, other)
    assert mean.abs().max() <= 1
    half = model.sample(condition, generator=make_generator(1), truncation=0.5)
    whole = model.sample(condition, generator=make_generator(1))
    assert 0 < (half - mean).abs().mean() < (whole - mean).abs().mean()


def test_a_mean_is_estimated_where_none_is_kept_and_nothing_conditions():
    generator = tiny(num_classes=0, mean_decay=None).eval()
    w = generator.mapping(torch.randn(20000, 5), None)
    torch.testing.assert_close(generator.average_style(), w.mean(0), atol=0.05, rtol=0)
    torch.testing.assert_close(generator.average_style(), generator.average_style())
    with pytest.raises(ValueError, match="conditional StyleGAN2Generator needs mean_decay"):
        tiny(mean_decay=None).average_style()


def test_the_running_mean_is_kept_in_training_and_checkpointed():
    generator, (latent, condition) = tiny(style_mixing=0.0, mean_decay=0.9), draw()
    generator.eval()(latent, condition)
    assert not generator.mean_style.any()
    w = generator.map(latent, condition)[:, 0]
    generator.train()(latent, condition)
    torch.testing.assert_close(generator.mean_style, 0.1 * w.mean(0))
    other = tiny()
    other.load_state_dict(generator.state_dict())
    torch.testing.assert_close(other.mean_style, generator.mean_style)


# --- noise ----------------------------------------------------------------------------------------


def test_noise_modes():
    generator, (latent, condition) = noisy(tiny()).eval(), draw()
    styles = generator.map(latent, condition)
    images = {mode: generator.synthesize_styles(styles, mode) for mode in ("const", "none", "random")}
    assert (images["const"] - images["none"]).abs().max() > 1e-2
    assert (images["random"] - images["const"]).abs().max() > 1e-2
    for mode, image in images.items():  # evaluation is reproducible, whatever the mode
        torch.testing.assert_close(generator.synthesize_styles(styles, mode), image)
    torch.testing.assert_close(generator(latent, condition), images["const"])
    layers = [layer for block in generator.blocks.values() for layer in block.layers]
    torch.testing.assert_close(
        generator.synthesize_styles(styles, [layer.noise for layer in layers]), images["const"]
    )


def test_training_noise_comes_from_the_runs_streams():
    generator, (latent, condition) = noisy(tiny(style_mixing=0.5)), draw()

    def image(seed, iteration):
        streams = RandomStreams(seed)
        streams.start(iteration)
        connect_random_sources(generator, streams)
        return generator(latent, condition)

    torch.testing.assert_close(image(0, 3), image(0, 3))
    assert (image(0, 3) - image(0, 4)).abs().max() > 1e-3
    assert (image(0, 3) - image(1, 3)).abs().max() > 1e-3
    assert (generator(latent, condition) - generator(latent, condition)).abs().max() > 1e-3


def test_a_copy_draws_apart_from_the_run():
    generator = noisy(tiny())
    streams = RandomStreams(0)
    connect_random_sources(generator, streams)
    assert copy.deepcopy(generator).random_source.streams is None


# --- style mixing ---------------------------------------------------------------------------------


def test_mixing_changes_the_chosen_layers_only():
    generator, (latent, condition) = tiny().eval(), draw()
    styles = generator.map(latent, condition)
    other = generator.map(torch.randn(4, 5), condition)
    seen = {}

    def features(which):
        seen[which] = {}
        return lambda size, x: seen[which].update({size: x})

    generator.synthesize_styles(styles, tap=features("plain"))
    generator.synthesize_styles(generator.mix(styles, other, 3), tap=features("mixed"))
    # styles 0 to 2 drive the convolutions of 4x4 and 8x8
    torch.testing.assert_close(seen["plain"][4], seen["mixed"][4])
    torch.testing.assert_close(seen["plain"][8], seen["mixed"][8])
    assert (seen["plain"][16] - seen["mixed"][16]).abs().max() > 1e-3


def test_mixing_happens_in_training_with_its_probability():
    latent, condition = draw()
    uniform = tiny(style_mixing=0.0).map(latent, condition)
    assert (uniform == uniform[:, :1]).all()
    generator = tiny(style_mixing=0.5)
    mixed = [
        bool((styles != styles[:, :1]).any())
        for styles in (generator.map(latent, condition) for _ in range(60))
    ]
    assert 15 < sum(mixed) < 45
    assert not (generator.eval().map(latent, condition) != generator.map(latent, condition)[:, :1]).any()


# --- the rest -------------------------------------------------------------------------------------


def test_gradients_with_respect_to_styles_can_be_differentiated():
    """What path length regularisation does."""
    generator, (latent, condition) = tiny(), draw()
    styles = generator.map(latent, condition)
    image = generator.synthesize_styles(styles)
    (gradient,) = torch.autograd.grad((image * torch.randn_like(image)).sum(), styles, create_graph=True)
    assert gradient.shape == (4, generator.num_ws, 7)
    gradient.square().sum().backward()
    assert generator.constant.grad.abs().max() > 0


def test_bf16_autocast():
    generator, (latent, condition) = tiny(style_mixing=0.0, noise="const"), draw()
    exact = generator(latent, condition)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        image = generator(latent, condition)
    assert image.dtype == torch.float32
    assert (image - exact).abs().mean() < 0.02 * exact.abs().mean() + 0.02
    image.square().mean().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in generator.parameters())


@pytest.mark.parametrize("image_size", [8, 64, 1024])
def test_every_size(image_size):
    generator = tiny(image_size, max_channels=2).eval()
    assert generator(*draw((0,))).shape == (1, 3, image_size, image_size)
    assert generator.num_ws == 2 * image_size.bit_length() - 4


def test_channels_follow_the_rule_or_the_list():
    generator = tiny(32, channel_base=64, max_channels=12)
    assert [block.conv1.weight.shape[0] for block in generator.blocks.values()] == [12, 8, 4, 2]
    listed = tiny(32, channels=(5, 4, 3, 2))
    assert [block.conv1.weight.shape[0] for block in listed.blocks.values()] == [5, 4, 3, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 48}, "power of two >= 8, got 48"),
        ({"image_size": 4}, "power of two >= 8, got 4"),
        ({"channel_base": 8}, "channel_base >= image_size=16"),
        ({"channels": (4, 4)}, "channels lists 2 numbers, but 3 sizes lead from 4 to image_size=16"),
        ({"architecture": "deep"}, "architecture must be one of .*'skip', 'resnet', 'orig'.*'deep'"),
        ({"noise": "loud"}, "noise must be one of .*'loud'"),
        ({"eval_noise": "loud"}, "eval_noise must be one of .*'loud'"),
        ({"style_mixing": 1.5}, "style_mixing is a probability in .*1.5"),
        ({"mean_decay": 1.0}, "mean_decay must be in .*1.0"),
        ({"mapping_layers": 0}, "num_layers >= 1, got 0"),
    ],
)
def test_impossible_settings_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        tiny(**options)


def test_wrong_inputs_are_named():
    generator, (latent, condition) = tiny().eval(), draw()
    with pytest.raises(ValueError, match="latent has length 4, the generator expects 5"):
        generator(latent[:, :4], condition)
    with pytest.raises(ValueError, match=r"needs condition\.label"):
        generator(latent, Condition())
    with pytest.raises(ValueError, match="labels range from 0 to 3"):
        generator(latent, Condition(label=torch.arange(4)))
    with pytest.raises(ValueError, match=r"styles have shape \(4, 2, 7\), expected \(N, 6, 7\)"):
        generator.synthesize_styles(torch.randn(4, 2, 7))
    with pytest.raises(ValueError, match="noise for 5 layers, got 1"):
        generator.synthesize_styles(torch.randn(4, 6, 7), [torch.zeros(1)])
    with pytest.raises(ValueError, match="noise must be one of"):
        generator.synthesize_styles(torch.randn(4, 6, 7), "loud")


def test_channels_last_gives_the_same_image():
    generator, (latent, condition) = tiny().eval(), draw()
    plain = generator(latent, condition)
    image = generator.to(memory_format=torch.channels_last)(latent, condition)
    torch.testing.assert_close(image, plain, atol=1e-5, rtol=1e-4)
