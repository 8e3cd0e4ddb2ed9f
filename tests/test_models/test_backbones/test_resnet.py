import pytest
import torch

from mmcgan.models.backbones import DCGANBackbone, ResNetBackbone


def tiny(kind, image_size=32, **options):
    torch.manual_seed(0)
    return kind(image_size, **{"base_channels": 4, **options})


VARIANTS = {
    "spectral": (ResNetBackbone, {}),
    "batch norm": (ResNetBackbone, {"spectral_norm": None, "batch_norm": {"eps": 1e-4}}),
    "attention": (ResNetBackbone, {"attention_blocks": (0,)}),
    "mean": (ResNetBackbone, {"pooling": "mean", "activated_shortcut": True}),
    "dcgan spectral": (DCGANBackbone, {}),
    "dcgan batch norm": (DCGANBackbone, {"spectral_norm": None, "batch_norm": {}}),
    "dcgan attention": (DCGANBackbone, {"attention_resolutions": (8,), "pooling": "mean"}),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_features_and_gradients(variant):
    kind, options = VARIANTS[variant]
    backbone = tiny(kind, **options)
    features = backbone(torch.randn(2, 3, 32, 32))
    assert set(features) == set(backbone.emits)
    assert features["pooled"].shape == (2, backbone.out_channels)
    pool = torch.mean if options.get("pooling") == "mean" else torch.sum
    assert torch.allclose(features["pooled"], pool(features["map"], (2, 3)), rtol=1e-5, atol=1e-5)
    assert features["map"].min() >= 0  # behind the last activation
    features["pooled"].square().mean().backward()
    idle = {name for name, p in backbone.named_parameters() if p.grad is None or not p.grad.isfinite().all()}
    assert not idle


@pytest.mark.parametrize(
    ("kind", "image_size", "channels", "size"),
    [
        (ResNetBackbone, 16, 8, 4),
        (ResNetBackbone, 32, 8, 8),
        (ResNetBackbone, 64, 64, 4),
        (ResNetBackbone, 128, 64, 4),
        (DCGANBackbone, 16, 16, 4),
        (DCGANBackbone, 64, 64, 4),
    ],
)
def test_sizes(kind, image_size, channels, size):
    with torch.device("meta"):
        backbone = tiny(kind, image_size)
        features = backbone(torch.empty(1, 3, image_size, image_size))
    assert features["map"].shape == (1, channels, size, size)


def test_an_activated_shortcut_is_another_function():
    image = torch.randn(2, 3, 32, 32)
    plain, activated = (
        tiny(ResNetBackbone, activated_shortcut=flag).eval()(image)["pooled"] for flag in (False, True)
    )
    assert (plain - activated).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (ResNetBackbone, {"image_size": 48}, "image_size must be one of .*32.*got 48"),
        (ResNetBackbone, {"channels": (8, 8), "downsample": (True,)}, "2 channels but 1 entries"),
        (ResNetBackbone, {"pooling": "max"}, "ResNetBackbone: pooling must be one of .*'max'"),
        (ResNetBackbone, {"attention_blocks": (4,)}, "attention_blocks: 4 is not in 0..3"),
        (DCGANBackbone, {"image_size": 20}, "image_size must be 8, 16, 32.*got 20"),
        (DCGANBackbone, {"pooling": "max"}, "DCGANBackbone: pooling must be one of .*'max'"),
    ],
)
def test_bad_settings_are_named(kind, options, message):
    with pytest.raises(ValueError, match=message):
        tiny(kind, **options)
