"""Variants of the peers' networks that we hold no record of: what their code does, written down again."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from mmcgan.models import ConditionalGAN
from mmcgan.peers import UnsupportedSetting, peer_format
from mmcgan.peers.reading.generators import implicit_choices
from mmcgan.random import make_generator
from mmcgan.structures import Condition, GANBatch
from tests.parity.checkers.ema import followers, ramp_up
from tests.parity.checkers.semantic_synthesis import map_transform

DOUBLE = {"rtol": 1e-9, "atol": 1e-9}


def randomised(network):
    """Return ``network`` in float64 with random weights, in evaluation mode."""
    source = make_generator("variants")
    with torch.no_grad():
        for name, value in network.double().state_dict().items():
            if value.is_floating_point():
                noise = torch.randn(value.shape, generator=source, dtype=torch.float64) * 0.3
                value.copy_(noise.abs() + 0.5 if name.endswith(("running_var", "norm.weight")) else noise)
    return network.eval()


# --- BigGAN-PyTorch: BigGAN-deep's discriminator at 32 pixels, attention behind every stage ------------
DEEP_32 = {
    "kind": "network",
    "constructor_kwargs": dict(
        D_ch=4, D_depth=2, D_wide=True, resolution=32, D_attn="16", n_classes=10, SN_eps=1e-6, D_param="none"
    ),
}


def test_deep_discriminator_at_32_pixels_with_attention():
    network = randomised(peer_format("biggan_pytorch", DEEP_32).build(DEEP_32))
    weights = {key.removeprefix("backbone."): value for key, value in network.state_dict().items()}
    assert weights["blocks.5.conv3.bias"].shape == (4,)
    image = torch.randn(3, 3, 32, 32, generator=make_generator(1), dtype=torch.float64)
    label = torch.tensor([1, 4, 9])

    def convolve(name, x, padding=0):
        return F.conv2d(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"), padding=padding)

    x = convolve("input_conv", image, 1)
    for index in range(6):
        name = f"blocks.{index}."
        h = convolve(name + "conv2", F.relu(convolve(name + "conv1", F.relu(x))), 1)
        h = F.relu(convolve(name + "conv3", F.relu(h), 1))
        if index in (0, 2):  # the first block of the first two stages halves
            h, x = F.avg_pool2d(h, 2), F.avg_pool2d(x, 2)
        x = convolve(name + "conv4", h) + x
        if index % 2:
            query, key, value = (
                convolve(f"attention.{index}.{part}", x) for part in ("query", "key", "value")
            )
            key, value = F.max_pool2d(key, 2).flatten(2), F.max_pool2d(value, 2).flatten(2)
            weight = (query.flatten(2).transpose(1, 2) @ key).softmax(-1)
            seen = (value @ weight.transpose(1, 2)).unflatten(2, x.shape[2:])
            x = x + weights[f"attention.{index}.gamma"] * convolve(f"attention.{index}.output", seen)
    pooled = F.relu(x).sum((2, 3))
    head = {key.removeprefix("heads.adv."): value for key, value in weights.items()}
    logit = F.linear(pooled, head["linear.weight"], head["linear.bias"])[:, 0]
    logit = logit + (head["embed.weight"][label] * pooled).sum(1)
    torch.testing.assert_close(network(image, Condition(label=label))["adv.logit"], logit, **DOUBLE)


# --- MMagic: BigGAN-deep whose blocks do not see the noise --------------------------------------------
def deep_generator(classes, shared):
    constructor = dict(
        type="BigGANDeepGenerator", output_scale=32, noise_size=20, base_channels=4, block_depth=1
    )
    settings = dict(num_classes=classes, with_shared_embedding=shared, shared_dim=8, concat_noise=False)
    spec = {"constructor": constructor | settings}
    return randomised(peer_format("mmagic", spec).build(spec))


@pytest.mark.parametrize(("classes", "shared"), [(6, True), (6, False), (0, False)])
def test_blocks_that_do_not_see_the_noise(classes, shared):
    network = deep_generator(classes, shared)
    label = torch.tensor([1, 5])
    condition = Condition(label=label) if classes else Condition()
    assert network.linear.weight.shape[1] == 20
    seen = []
    network.blocks[0].norm1.register_forward_hook(lambda module, given, output: seen.append((given, output)))
    network(torch.randn(2, 20, dtype=torch.float64), condition)
    (x, told), output = seen[0]
    norm = network.blocks[0].norm1
    plain = F.batch_norm(x, norm.norm.running_mean, norm.norm.running_var, eps=norm.norm.eps)
    if classes:
        assert (told is None) is False
        vector = network.condition.label.weight[label] if shared else F.one_hot(label, classes).double()
        torch.testing.assert_close(vector if shared else label, told)
        gain, bias = (part(vector if shared else label)[:, :, None, None] for part in (norm.gain, norm.bias))
        expected = plain * (1 + gain) + bias
    else:
        expected = plain * norm.norm.weight[:, None, None] + norm.norm.bias[:, None, None]
    torch.testing.assert_close(output, expected, **DOUBLE)


def test_concatenation_needs_an_embedding():
    spec = {"constructor": dict(type="BigGANDeepGenerator", output_scale=32, with_shared_embedding=False)}
    with pytest.raises(UnsupportedSetting, match="concat_noise needs with_shared_embedding"):
        peer_format("mmagic", spec).build(spec)


# --- MMagic: a StyleGAN2 discriminator that is shown BGR and turns it -----------------------------------
def test_a_discriminator_that_turns_its_input():
    plain = dict(type="StyleGAN2Discriminator", in_size=8, channel_multiplier=1)
    specs = [{"constructor": {**plain, "input_bgr2rgb": turned}} for turned in (False, True)]
    form = peer_format("mmagic", specs[0])
    with torch.device("meta"):
        assert form.build(specs[0]).state_dict().keys() == form.build(specs[1]).state_dict().keys()
    image = torch.randn(2, 3, 8, 8)
    shown = [form.receive(spec, {"x": image})["x"] for spec in specs]
    assert torch.equal(shown[0], image)  # handed on untouched
    assert torch.equal(shown[1], image.flip(1))


# --- Omni-INR-GAN without coordinates ------------------------------------------------------------------
IMPLICIT = {
    "kind": "network/G",
    "class_name": "Generator_no_coord",
    "constructor_kwargs": dict(
        resolution=32, G_ch=2, G_attn="0", hidden_list=[4], n_classes=5, dim_z=18, shared_dim=4, hier=True
    ),
}


@pytest.mark.parametrize("size", [None, (20, 31)])
def test_implicit_generator_without_coordinates(size):
    network = randomised(peer_format("omni_inr", IMPLICIT).build(IMPLICIT))
    latent = torch.randn(2, network.latent_dim, dtype=torch.float64)
    condition = Condition(label=torch.tensor([0, 4]))
    features = network.features(latent, network.embed(condition))
    height, width = size or (32, 32)
    rows, columns = ((torch.arange(n, dtype=torch.float64) * 2 + 1) / n - 1 for n in (height, width))
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1).flip(-1)
    unfolded = F.unfold(features, 3, padding=1).unflatten(2, features.shape[2:])
    sampled = F.grid_sample(unfolded, grid.expand(2, -1, -1, -1), align_corners=False).permute(0, 2, 3, 1)
    cell = torch.tensor([2 / height * 32, 2 / width * 32], dtype=torch.float64)
    x = torch.cat([sampled, cell.expand(*sampled.shape[:3], -1)], -1)
    first, last = network.implicit.layers
    x = F.relu(F.linear(x, first.spectral(first.weight), first.bias))
    x = torch.tanh(F.linear(x, last.spectral(last.weight), last.bias)).permute(0, 3, 1, 2)
    torch.testing.assert_close(network(latent, condition, size=size), x, **DOUBLE)


@pytest.mark.parametrize(
    ("told", "choices"),
    [(0, [("none", False)]), (2, [("none", True), ("relative", False)]), (4, [("relative", True)])],
)
def test_what_the_weights_say_of_the_inputs(told, choices):
    found = implicit_choices({"implicit.layers.0.weight": (4, 8 * 9 + told)}, 8)
    assert [(choice["cell"], choice["coordinates"]) for choice in found] == choices


def test_a_step_makes_fakes_of_the_size_of_the_real_images():
    model = ConditionalGAN(
        generator=dict(type="BigGANGenerator", image_size=16, num_classes=3, base_channels=2, latent_dim=9)
        | dict(shared_dim=4, implicit=dict(hidden=[4], cell="relative")),
        discriminator=dict(
            backbone=dict(type="BigGANBackbone", image_size=16, base_channels=2, attention_resolutions=[]),
            heads=dict(omni=dict(type="OmniHead", num_classes=3)),
        ),
        losses=dict(omni=dict(type="OmniLoss", one_sided=True)),
        condition_sampler=dict(type="UniformLabel", num_classes=3),
    )
    for size in ((16, 16), (24, 20)):
        real = GANBatch(torch.rand(2, 3, *size), Condition(label=torch.tensor([0, 2])))
        for role in ("generator", "discriminator"):
            fake = model.make_fakes(role, 2, real)
            assert fake.image.shape[2:] == size
            assert model.score_pair(real, fake)[1]["omni.score"].isfinite().all()
    assert model.make_fakes("generator", 2).image.shape[2:] == (16, 16)


# --- Omni-GAN: widths of the discriminator -------------------------------------------------------------
@pytest.mark.parametrize("width", [1, 3, 7, 12])
def test_an_omni_discriminator_of_any_width(width):
    spec = {
        "kind": "network/D",
        "constructor_kwargs": dict(resolution=32, ch=2, n_classes=10, attn="0", output_dim=str(width)),
    }
    form = peer_format("omnigan", spec)
    network = randomised(form.build(spec))
    names = [key for key in network.state_dict() if "spectral" not in key]
    theirs = {key: key.removeprefix("heads.omni.") for key in names if "heads" in key}
    assert set(theirs.values()) == {"linear.weight", "linear.bias"}
    image = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    scores = form.discriminate(network, image, Condition(), {})["omni.score"]
    pooled = network.backbone(image)["pooled"]
    linear = network.heads["omni"].linear
    expected = F.linear(pooled, linear.spectral(linear.weight), linear.bias)
    torch.testing.assert_close(scores, expected, **DOUBLE)


# --- SPADE: the shorter side ----------------------------------------------------------------------------
@pytest.mark.parametrize("shape", [(30, 50), (50, 30), (20, 26), (24, 24)])
def test_spade_scales_the_longer_side_alone(shape):
    settings = dict(preprocess_mode="scale_shortside_and_crop", load_size=40, crop_size=24)
    array = make_pixels(*shape)
    short, long = min(shape), int(40 * max(shape) / min(shape))
    width, height = (short, long) if shape[1] == short else (long, short)
    wanted = Image.fromarray(array).resize((width, height), Image.Resampling.BICUBIC).crop((3, 1, 27, 25))
    assert np.array_equal(map_transform(settings).image(array, (1, 3)), np.asarray(wanted))  # 8-bit pixels


def make_pixels(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


# --- StudioGAN: averages -----------------------------------------------------------------------------------
def test_ramp_up_may_be_left_out():
    assert [ramp_up({"ema_rampup": value}) for value in ("N/A", None, 0.05)] == [None, None, 0.05]


def test_buffers_of_any_name_are_those_that_follow():
    sources = [{"w_avg": torch.full((2,), i), "weight": torch.full((2,), i)} for i in (0.0, 1.0, 2.0)]
    expected = [{"w_avg": s["w_avg"], "weight": s["weight"] * 0.5} for s in sources]
    assert followers(sources, expected) == {"w_avg"}
