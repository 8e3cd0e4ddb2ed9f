import pytest
import torch

from mmcgan.models.generators import DCGANGenerator, ResNetGenerator
from mmcgan.structures import Condition

LABELS = torch.tensor([0, 3, 4])


def tiny(kind, image_size=32, num_classes=5, **options):
    torch.manual_seed(0)
    return kind(image_size, num_classes, **{"base_channels": 2, "latent_dim": 6, **options})


VARIANTS = {
    "per class": (ResNetGenerator, {}),
    "one-hot": (ResNetGenerator, {"one_hot": True, "spectral_norm": True, "condition_spectral_norm": True}),
    "gain without one": (ResNetGenerator, {"unit_gain": False}),
    "unconditional": (ResNetGenerator, {"num_classes": 0}),
    "attention": (ResNetGenerator, {"attention_blocks": (1,), "spectral_norm": True}),
    "dcgan per class": (DCGANGenerator, {"base_channels": 4}),
    "dcgan one-hot": (DCGANGenerator, {"base_channels": 4, "one_hot": True, "spectral_norm": True}),
    "dcgan unconditional": (DCGANGenerator, {"base_channels": 4, "num_classes": 0}),
    "dcgan attention": (DCGANGenerator, {"base_channels": 4, "attention_resolutions": (16,)}),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_images_and_gradients(variant):
    kind, options = VARIANTS[variant]
    generator = tiny(kind, **options)
    image = generator(torch.randn(3, 6), Condition(label=LABELS))
    assert image.shape == (3, 3, 32, 32)
    assert image.abs().max() <= 1
    image.square().mean().backward()
    idle = {name for name, p in generator.named_parameters() if p.grad is None or not p.grad.isfinite().all()}
    assert not idle


@pytest.mark.parametrize("kind", [ResNetGenerator, DCGANGenerator])
@pytest.mark.parametrize("image_size", [16, 64, 128])
def test_sizes(kind, image_size):
    with torch.device("meta"):
        generator = tiny(kind, image_size)
        image = generator.synthesize(torch.empty(2, 6), torch.empty(2, dtype=torch.int64))
    assert image.shape == (2, 3, image_size, image_size)


@pytest.mark.parametrize("kind", [ResNetGenerator, DCGANGenerator])
def test_the_label_decides_the_image(kind):
    generator = tiny(kind, num_classes=2).eval()
    for module in generator.modules():  # the tables of normal initialisation start close to equal
        if isinstance(module, torch.nn.Embedding):
            torch.nn.init.normal_(module.weight)
    latent = torch.randn(1, 6).expand(2, 6)
    first, second = generator(latent, Condition(label=torch.tensor([0, 1])))
    assert (first - second).abs().max() > 1e-3


def test_a_gain_without_one_starts_as_plain_batch_norm():
    with_one, without = (tiny(ResNetGenerator, unit_gain=unit) for unit in (True, False))
    gains = [module.gain.weight for module in without.modules() if hasattr(module, "unit_gain")]
    assert len(gains) == 6
    assert all(bool((gain == 1).all()) for gain in gains)
    assert not bool((with_one.blocks[0].norm1.gain.weight == 1).all())


def test_attention_changes_nothing_until_gamma_moves():
    generator = tiny(ResNetGenerator, attention_blocks=(0, 2)).eval()
    latent, condition = torch.randn(3, 6), Condition(label=LABELS)
    before = generator(latent, condition)
    generator.attention["2"].gamma.data.fill_(1.0)
    assert list(generator.attention) == ["0", "2"]
    assert (generator(latent, condition) - before).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (ResNetGenerator, {"image_size": 48}, "image_size must be one of .*32.*got 48"),
        (ResNetGenerator, {"channels": (8, 8)}, "1 blocks enlarge bottom_size=4 to 8, not to image_size=32"),
        (ResNetGenerator, {"attention_blocks": (3,)}, "attention_blocks: 3 is not in 0..2"),
        (DCGANGenerator, {"image_size": 24}, "image_size must be 8, 16, 32.*got 24"),
        (DCGANGenerator, {"attention_blocks": (3,)}, "attention_blocks: 3 is not in 0..2"),
    ],
)
def test_bad_settings_are_named(kind, options, message):
    with pytest.raises(ValueError, match=message):
        tiny(kind, **options)


@pytest.mark.parametrize("kind", [ResNetGenerator, DCGANGenerator])
def test_bad_conditions_are_named(kind):
    generator = tiny(kind)
    assert generator.requires == ("label",)
    with pytest.raises(ValueError, match=r"needs condition\.label"):
        generator(torch.randn(1, 6), Condition())
    with pytest.raises(ValueError, match="num_classes=5"):
        generator(torch.randn(1, 6), Condition(label=torch.tensor([5])))
