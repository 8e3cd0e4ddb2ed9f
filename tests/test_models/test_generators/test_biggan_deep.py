import pytest
import torch

from mmcgan.models.generators import BigGANDeepGenerator
from mmcgan.models.layers.tabulated_norm import TabulatedBatchNorm2d
from mmcgan.structures import Condition


def tiny(image_size=16, num_classes=5, **options):
    torch.manual_seed(0)
    settings = {"base_channels": 4, "latent_dim": 8, "shared_dim": 6, **options}
    return BigGANDeepGenerator(image_size, num_classes, **settings)


def label(*values):
    return Condition(label=torch.tensor(values))


@pytest.mark.parametrize("image_size", [16, 32, 64, 128, 256, 512])
def test_every_size(image_size):
    with torch.device("meta"):
        generator = BigGANDeepGenerator(image_size, 0, 4, 8, attention_resolutions=())
        image = generator(torch.empty(2, 8), Condition())
    assert image.shape == (2, 3, image_size, image_size)


def test_published_size():
    """The paper's BigGAN-deep generator at 128 has 50.4 M parameters (Table 1)."""
    with torch.device("meta"):
        generator = BigGANDeepGenerator(128, 1000, 128, 128)
    assert sum(parameter.numel() for parameter in generator.parameters()) == pytest.approx(50.4e6, rel=0.01)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"projected_shortcut": True},
        {"latent_first": True, "bottom_channels_last": True, "image_filters": 4},
        {"shared_embedding": False},
        {"depth": 1},
        {"base_channels": 8, "attention_resolutions": (16,)},
    ],
)
def test_label_and_latent_matter(options):
    generator = tiny(**options).eval()
    latent = torch.randn(2, 8)
    image = generator(latent, label(0, 1))
    assert image.shape == (2, 3, 16, 16) and image.abs().max() <= 1
    assert not torch.allclose(image, generator(latent, label(2, 3)))
    assert not torch.allclose(image, generator(latent.flip(0), label(0, 1)))


def test_instances_condition_too():
    generator = tiny(num_classes=0, instance_dim=7, instance_embedding_dim=4).eval()
    latent, instance = torch.randn(2, 8), torch.randn(2, 7)
    image = generator(latent, Condition(instance=instance))
    assert not torch.allclose(image, generator(latent, Condition(instance=instance.flip(0))))


def test_tabulated_statistics_follow_the_truncation():
    generator = tiny(batch_norm={"rows": 3}, output_batch_norm={"rows": 3}).eval()
    for norm in generator.modules():
        if isinstance(norm, TabulatedBatchNorm2d):
            norm.variances.copy_(torch.tensor([[1.0], [4.0], [9.0]]).expand_as(norm.variances))
    latent, condition = torch.randn(2, 8), label(0, 1)
    whole, narrow = generator(latent, condition), generator.forward_truncated(latent, condition, 0.5)
    assert not torch.allclose(whole, narrow)
    torch.testing.assert_close(generator(latent, condition), whole)  # the setting does not stay
    with pytest.raises(ValueError, match=r"truncation must be in \[0, 1\]"):
        generator.forward_truncated(latent, condition, 2.0)


@pytest.mark.parametrize(("swapped", "mean"), [(False, 1.25), (True, 1.75)])
def test_statistics_between_two_rows(swapped, mean):
    norm = TabulatedBatchNorm2d(1, 3, swapped=swapped)
    norm.means.copy_(torch.tensor([[0.0], [1.0], [2.0]]))
    norm.truncation = 0.625
    assert norm.statistics()[0].item() == pytest.approx(mean)
    norm.truncation = 1.0
    assert norm.statistics()[0].item() == 2.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 48}, "must be one of"),
        ({"block_plan": [(True, 16, 16)]}, "enlarge bottom_size=4 to 8, not to image_size=16"),
        ({"block_plan": [(True, 16, 8), (True, 16, 8)]}, "a block of 16 channels follows one of 8"),
        ({"channels": (8, 8, 16)}, "projected_shortcut=True"),
        ({"shared_embedding": False, "instance_dim": 3}, "need shared_embedding=True"),
        ({"batch_norm": {"rows": 1}}, "at least 2 rows"),
    ],
)
def test_bad_settings_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        tiny(**options)


def test_wrong_latent_is_named():
    with pytest.raises(ValueError, match="latent has length 9, the generator expects 8"):
        tiny()(torch.randn(1, 9), label(0))
