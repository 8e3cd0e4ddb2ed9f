import pytest
import torch

from mmcgan.models.backbones import BigGANBackbone


def tiny(image_size=32, **options):
    torch.manual_seed(0)
    return BigGANBackbone(image_size, **{"base_channels": 2, **options})


def test_pools_after_the_last_activation():
    image = torch.randn(2, 3, 32, 32)
    summed, averaged = tiny().eval()(image), tiny(pooling="mean").eval()(image)
    assert summed["map"].min() >= 0
    torch.testing.assert_close(summed["pooled"], summed["map"].sum((2, 3)))
    torch.testing.assert_close(averaged["pooled"], averaged["map"].mean((2, 3)))
    torch.testing.assert_close(averaged["pooled"] * 64, summed["pooled"])


OPTIONS = {
    "spectral norm": {},
    "legacy spectral norm": {"spectral_norm": {"iterate_in_eval": False}},
    "attention": {"base_channels": 4, "attention_resolutions": (16,)},
    "activated shortcut": {"activated_shortcut": True},
    "thin": {"wide": False, "channels": (2, 4, 8, 8)},
    "batch norm": {"spectral_norm": None, "batch_norm": {"eps": 1e-4}},
    "gelu": {"activation_name": "gelu"},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_gradient_penalty_reaches_every_weight(name):
    """R1 differentiates a gradient: every layer must be differentiable twice."""
    backbone = tiny(**OPTIONS[name])
    for attention in backbone.attention.values():
        torch.nn.init.ones_(attention.gamma)
    image = torch.rand(3, 3, 32, 32).mul(2).sub(1).requires_grad_()
    score = backbone(image)["pooled"].sum()
    (gradient,) = torch.autograd.grad(score, image, create_graph=True)
    gradient.square().sum().backward()
    weights = {n: p.grad for n, p in backbone.named_parameters() if n.endswith("weight") and p.ndim > 1}
    assert [name for name, value in weights.items() if value is None or not value.any()] == []
    assert all(value.isfinite().all() for value in weights.values())


def test_second_derivative_is_right():
    backbone = tiny(base_channels=4, attention_resolutions=(16,), activation_name="elu").double().eval()
    torch.nn.init.ones_(backbone.attention["0"].gamma)
    image = torch.randn(1, 3, 32, 32).double()
    direction = torch.randn_like(image)

    def slope(step):
        x = (image + step * direction).requires_grad_()
        (gradient,) = torch.autograd.grad(backbone(x)["map"].square().sum(), x, create_graph=True)
        return (gradient * direction).sum(), x

    value, x = slope(torch.tensor(0.0))
    (second,) = torch.autograd.grad(value, x)
    h = 1e-5
    numeric = (slope(h)[0] - slope(-h)[0]) / (2 * h)
    assert (second * direction).sum().item() == pytest.approx(numeric.item(), rel=1e-3)


@pytest.mark.parametrize("name", OPTIONS)
def test_bf16_autocast(name):
    backbone = tiny(**OPTIONS[name])
    image = torch.rand(3, 3, 32, 32) * 2 - 1
    exact = backbone(image)["pooled"]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = backbone(image)
    assert features["pooled"].dtype == torch.float32
    assert (features["pooled"] - exact).norm() < 0.05 * exact.norm()
    features["pooled"].sum().backward()
    assert all(p.grad.isfinite().all() for p in backbone.parameters())


def test_channels_last_gives_the_same_features():
    backbone = tiny(base_channels=4, attention_resolutions=(16,)).eval()
    torch.nn.init.ones_(backbone.attention["0"].gamma)
    image = torch.randn(2, 3, 32, 32)
    plain = backbone(image)["pooled"]
    backbone = backbone.to(memory_format=torch.channels_last)
    strided = backbone(image.to(memory_format=torch.channels_last))["pooled"]
    torch.testing.assert_close(strided, plain, atol=1e-5, rtol=1e-4)


def test_attention_follows_feature_maps_of_that_size():
    assert list(tiny(base_channels=4, attention_resolutions=(16,)).attention) == ["0"]
    assert list(tiny(base_channels=4, attention_resolutions=(8,)).attention) == ["1", "2", "3"]
    assert list(tiny(base_channels=4, attention_blocks=(2,)).attention) == ["2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 48}, r"image_size must be one of \[16, 32, 64, 128, 256, 512\], got 48"),
        ({"downsample": (True, False)}, "4 channels but 2 entries in downsample"),
        ({"pooling": "max"}, r"pooling must be one of \('sum', 'mean'\), got 'max'"),
        ({"activation_name": "swish"}, "unknown name 'swish'"),
    ],
)
def test_bad_settings_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        tiny(**options)
