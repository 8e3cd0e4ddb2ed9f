import pytest
import torch

from mmcgan.models.generators import BigGANGenerator
from mmcgan.structures import Condition


def tiny(image_size=32, num_classes=5, **options):
    torch.manual_seed(0)
    settings = {"base_channels": 2, "latent_dim": 12, "shared_dim": 6, **options}
    return BigGANGenerator(image_size, num_classes, **settings)


def draw(generator, labels=(0, 3, 4)):
    torch.manual_seed(1)
    return torch.randn(len(labels), generator.latent_dim), Condition(label=torch.tensor(labels))


VARIANTS = {
    "shared, hierarchical": {},
    "shared": {"hierarchical": False},
    "per class": {"shared_embedding": False, "hierarchical": False},
    "per class, one-hot": {"shared_embedding": False, "hierarchical": False, "one_hot": True},
    "unlabelled, hierarchical": {"num_classes": 0},
    "unlabelled": {"num_classes": 0, "hierarchical": False},
    "attention": {"base_channels": 4, "attention_resolutions": (16,)},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_images_and_gradients(variant):
    generator = tiny(**VARIANTS[variant])
    latent, condition = draw(generator)
    image = generator(latent, condition)
    assert image.shape == (3, 3, 32, 32)
    assert image.abs().max() <= 1
    image.square().mean().backward()
    idle = {name for name, p in generator.named_parameters() if p.grad is None or not p.grad.isfinite().all()}
    assert not idle


@pytest.mark.parametrize("image_size", [16, 32, 64, 128, 256, 512])
def test_every_size(image_size):
    with torch.device("meta"):
        generator = BigGANGenerator(image_size, 10, base_channels=2, latent_dim=32, attention_resolutions=())
        latent = torch.empty(2, generator.latent_dim)
        image = generator.synthesize(latent, generator.condition.label.weight[:2])
    assert image.shape == (2, 3, image_size, image_size)


def test_label_decides_the_image_in_evaluation():
    generator = tiny().eval()
    latent, _ = draw(generator)
    by_label = [generator(latent[:1], Condition(label=torch.tensor([label]))) for label in range(5)]
    assert all((a - b).abs().max() > 1e-4 for a in by_label for b in by_label if a is not b)


def test_rows_do_not_see_each_other_in_evaluation():
    generator = tiny().eval()
    latent, condition = draw(generator)
    alone = generator(latent[1:2], condition[1:2])
    torch.testing.assert_close(generator(latent, condition)[1:2], alone, atol=1e-5, rtol=1e-4)


def test_gradient_reaches_the_embedding():
    generator = tiny().eval()
    latent, condition = draw(generator)
    embedding = generator.embed(condition).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(generator.synthesize(latent, embedding).sum(), embedding)
    assert (gradient.abs().sum(1) > 0).all()


def test_every_chunk_of_the_latent_matters():
    generator = tiny().eval()
    latent, condition = draw(generator)
    latent.requires_grad_()
    (gradient,) = torch.autograd.grad(generator(latent, condition).square().sum(), latent)
    assert (gradient.abs() > 0).all()


def test_latent_is_cut_to_whole_chunks():
    assert tiny(latent_dim=27).latent_dim == 24
    assert tiny(latent_dim=27, hierarchical=False).latent_dim == 27


def test_instances_condition_the_image():
    generator = tiny(num_classes=0, instance_dim=9, instance_embedding_dim=4).eval()
    assert generator.requires == ("instance",)
    latent, _ = draw(generator)
    first, second = (generator(latent, Condition(instance=torch.randn(3, 9))) for _ in range(2))
    assert (first - second).abs().max() > 1e-4


def test_channels_last_gives_the_same_image():
    generator = tiny(base_channels=4, attention_resolutions=(16,)).eval()
    torch.nn.init.ones_(generator.attention["1"].gamma)
    latent, condition = draw(generator)
    plain = generator(latent, condition)
    image = generator.to(memory_format=torch.channels_last)(latent, condition)
    torch.testing.assert_close(image, plain, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_bf16_autocast(variant):
    generator = tiny(**VARIANTS[variant])
    latent, condition = draw(generator)
    exact = generator(latent, condition)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        image = generator(latent, condition)
    assert image.dtype == torch.float32
    assert (image - exact).abs().mean() < 0.05
    image.square().mean().backward()
    assert all(p.grad.isfinite().all() for p in generator.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 48}, r"image_size must be one of \[16, 32, 64, 128, 256, 512\], got 48"),
        ({"image_size": 64, "channels": (4, 4)}, "1 blocks enlarge bottom_size=4 to 8, not to image_size=64"),
        ({"latent_dim": 3}, "latent_dim=3 is too short for 4 chunks"),
        ({"shared_embedding": False}, "hierarchical=True needs shared_embedding=True"),
        (
            {"shared_embedding": False, "hierarchical": False, "instance_dim": 4},
            "need shared_embedding=True",
        ),
        ({"attention_blocks": (3,)}, r"attention_blocks: 3 is not in 0\.\.2"),
        ({"init": "he"}, "unknown scheme 'he'"),
        ({"batch_norm": {"decay": 0.9}}, "unknown option 'decay'"),
    ],
)
def test_bad_settings_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        tiny(**options)


def test_wrong_inputs_are_named():
    generator = tiny()
    with pytest.raises(ValueError, match="latent has length 7, the generator expects 12"):
        generator(torch.randn(1, 7), Condition(label=torch.tensor([0])))
    with pytest.raises(ValueError, match=r"needs condition\.label"):
        generator(torch.randn(1, 12), Condition())
    per_class = tiny(shared_embedding=False, hierarchical=False)
    with pytest.raises(ValueError, match=r"labels range from 5 to 5.*num_classes=5"):
        per_class(torch.randn(1, 12), Condition(label=torch.tensor([5])))
