import pytest
import torch

from mmcgan.models.backbones import BigGANDeepBackbone


def tiny(image_size=32, **options):
    torch.manual_seed(0)
    return BigGANDeepBackbone(image_size, **{"base_channels": 4, **options})


def test_published_size():
    """Table 8 of the paper: BigGAN-deep at 128 with 128 base channels has 34,590,210 weights in D."""
    with torch.device("meta"):
        backbone = BigGANDeepBackbone(128, base_channels=128, spectral_norm=None)
    weights = sum(parameter.numel() for parameter in backbone.parameters())
    classes, width = 1000, backbone.out_channels
    assert weights + (classes + 1) * width + 1 == pytest.approx(34.6e6, rel=0.01)


@pytest.mark.parametrize("projected", [False, True])
def test_depth_adds_blocks_that_keep_the_size(projected):
    shallow, deep = (tiny(depth=depth, projected_shortcut=projected) for depth in (1, 3))
    assert len(deep.blocks) == 3 * len(shallow.blocks) == 9
    image = torch.randn(2, 3, 32, 32)
    assert shallow(image)["map"].shape == deep(image)["map"].shape


def test_attention_follows_stages():
    assert list(tiny(64, attention_resolutions=(32, 8)).attention) == ["1", "5"]
    assert list(tiny(32, attention_blocks=(1,)).attention) == ["1"]


def test_gradient_penalty_reaches_every_weight():
    backbone = tiny(base_channels=16, projected_shortcut=True)
    image = torch.rand(3, 3, 32, 32).mul(2).sub(1).requires_grad_()
    (gradient,) = torch.autograd.grad(backbone(image)["pooled"].sum(), image, create_graph=True)
    gradient.square().sum().backward()
    weights = {n: p.grad for n, p in backbone.named_parameters() if n.endswith("weight") and p.ndim > 1}
    assert [name for name, value in weights.items() if value is None or not value.any()] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 48}, "must be one of"),
        ({"pooling": "max"}, "pooling must be one of"),
        ({"downsample": [True]}, "3 stages but 1 entries"),
        ({"attention_blocks": (9,)}, "9 is not in"),
        ({"channels": (16, 8, 8, 8)}, "projected_shortcut=True"),
    ],
)
def test_bad_settings_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        tiny(**options)
