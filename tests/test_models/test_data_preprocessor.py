import pytest
import torch

from mmcgan.models import GANDataPreprocessor
from mmcgan.random import make_generator


@pytest.fixture
def image():
    return torch.randint(256, (64, 3, 4, 6), generator=make_generator(0, "images")).to(torch.uint8)


def test_all_levels_are_scaled_to_minus_one_to_one():
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    image = GANDataPreprocessor()(dict(image=levels)).image
    assert image.dtype == torch.float32
    torch.testing.assert_close(image[0, 0].flatten(), torch.linspace(-1, 1, 256))
    assert (image.min(), image.max()) == (-1, 1)


def test_the_input_is_left_alone(image):
    before = image.clone()
    GANDataPreprocessor(flip_probability=1.0)(dict(image=image), training=True, generator=make_generator(0))
    assert torch.equal(image, before)


def test_condition_fields_become_the_condition(image):
    data = dict(image=image, label=torch.arange(64), instance=torch.ones(64, 5), path=["a"] * 64)
    batch = GANDataPreprocessor()(data)
    assert sorted(batch.condition.present()) == ["instance", "label"]
    assert torch.equal(batch.condition.label, torch.arange(64))
    assert len(GANDataPreprocessor()(dict(image=image)).condition) == 0


def test_flip_is_per_image_and_in_training_only(image):
    plain = GANDataPreprocessor()(dict(image=image)).image
    preprocessor = GANDataPreprocessor(flip_probability=0.5)
    assert torch.equal(preprocessor(dict(image=image)).image, plain)
    out = preprocessor(dict(image=image), training=True, generator=make_generator(0, "flip")).image
    kept = (out == plain).flatten(1).all(1)
    flipped = (out == plain.flip(-1)).flatten(1).all(1)
    assert (kept ^ flipped).all()
    assert 15 < kept.sum() < 49


def test_flips_depend_on_the_generator_only(image):
    preprocessor = GANDataPreprocessor(flip_probability=0.5)

    def flipped(*stream):
        return preprocessor(dict(image=image), training=True, generator=make_generator(*stream)).image

    assert torch.equal(flipped(0, "a"), flipped(0, "a"))
    assert not torch.equal(flipped(0, "a"), flipped(1, "a"))


def test_channels_last_changes_the_layout_not_the_values(image):
    out = GANDataPreprocessor(channels_last=True)(dict(image=image)).image
    assert out.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(out, GANDataPreprocessor()(dict(image=image)).image)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([dict(image=0)], "gan_collate"),
        (dict(image=[torch.zeros(3, 4, 4)]), "got list.*gan_collate"),
        (dict(label=torch.zeros(2)), "got NoneType"),
        (dict(image=torch.zeros(2, 3, 4, 4)), r"must be uint8 \(N, 3, H, W\), got torch.float32"),
        (dict(image=torch.zeros(2, 1, 4, 4, dtype=torch.uint8)), r"\(2, 1, 4, 4\)"),
    ],
)
def test_bad_batches_are_named(data, message):
    with pytest.raises(ValueError, match=message):
        GANDataPreprocessor()(data)


def test_bad_flips_are_named(image):
    with pytest.raises(ValueError, match=r"flip_probability must be in \[0, 1\], got 2"):
        GANDataPreprocessor(flip_probability=2)
    with pytest.raises(ValueError, match=r"needs a torch\.Generator"):
        GANDataPreprocessor(flip_probability=0.5)(dict(image=image), training=True)


def test_what_belongs_to_pixels_is_flipped_with_the_image(image):
    marks = image[:, 0].long()
    data = dict(image=image, label_map=marks, edge_map=(marks > 128).byte(), label=torch.arange(64))
    preprocessor = GANDataPreprocessor(flip_probability=0.5)
    batch = preprocessor(data, training=True, generator=make_generator(0, "flip"))
    seen = ((batch.image[:, 0] + 1) * 127.5).round().long()
    assert torch.equal(batch.condition.label_map, seen)
    assert torch.equal(batch.condition.edge_map, seen > 128)
    assert not torch.equal(seen, marks) and torch.equal(batch.condition.label, torch.arange(64))
