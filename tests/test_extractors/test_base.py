import pytest
import torch

from mmcgan import precision
from mmcgan.extractors import Preprocessing, SmallClassifier, quantize
from mmcgan.precision import Choice
from tests.test_evaluation.stand_ins import MeanColour


def test_quantisation_is_that_of_both_families_of_peers():
    image = torch.linspace(-1.2, 1.2, 10_001)
    stylegan = (image * 127.5 + 128).clamp(0, 255).to(torch.uint8)
    studiogan = (255 * ((image.double() + 1) / 2) + 0.5).clamp(0, 255).to(torch.uint8)
    assert torch.equal(quantize(image), stylegan)
    assert (quantize(image).int() - studiogan.int()).abs().max() == 0
    assert quantize(torch.tensor([-1.0, 0.0, 1.0])).tolist() == [0, 128, 255]


def test_every_grey_level_survives_the_round_trip():
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(quantize(levels.float() / 127.5 - 1), levels)


@pytest.mark.parametrize("image", [torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4, dtype=torch.int64)])
def test_images_that_are_not_uint8_are_refused(image):
    with pytest.raises(TypeError, match=r"takes uint8 images in 0\.\.255, got torch\..*quantize"):
        MeanColour()(image)


@pytest.mark.parametrize("shape", [(3, 4, 4), (2, 1, 4, 4)])
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"shape \(N, 3, H, W\), got"):
        MeanColour()(torch.zeros(shape, dtype=torch.uint8))


def test_preprocessing_resizes_and_normalises():
    image = torch.full((1, 3, 8, 8), 255, dtype=torch.uint8)
    ready = Preprocessing(4, mean=(0.5, 0.5, 0.0), std=(0.5, 0.25, 1.0))(image)
    assert ready.shape == (1, 3, 4, 4)
    assert ready[0, :, 0, 0].tolist() == pytest.approx([1, 2, 1])


def test_shrinking_averages_instead_of_picking():
    stripes = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    stripes[..., ::2] = 200
    inner = Preprocessing(4, resize="bilinear-antialias")(stripes)[..., 1:-1]
    torch.testing.assert_close(inner, torch.full_like(inner, 100 / 127.5 - 1), rtol=0, atol=0.05)


def test_unknown_resize_rule_lists_the_rules():
    with pytest.raises(ValueError, match="resize='lanczos': choose one of bilinear"):
        Preprocessing(4, resize="lanczos")


def test_extractor_stays_frozen_whatever_its_owner_does():
    extractor = MeanColour()
    torch.nn.Sequential(extractor).train().requires_grad_(False)
    assert not extractor.training
    output = extractor(torch.zeros(1, 3, 4, 4, dtype=torch.uint8))
    assert not output.features.requires_grad


def test_weights_hash_follows_the_weights():
    assert MeanColour().weights_hash == MeanColour().weights_hash
    assert MeanColour(scale=2.0).weights_hash != MeanColour().weights_hash


@pytest.mark.parametrize(("chosen", "ratio"), [("bfloat16", 2.0), ("float32", 0.1)])
def test_auto_is_what_is_fast_here_and_is_what_it_says_of_itself(chosen, ratio, monkeypatch):
    monkeypatch.setattr(precision, "measure", lambda kind: Choice(chosen, ratio, "measured"))
    image = torch.randint(0, 256, (4, 3, 16, 16), dtype=torch.uint8)
    found, named = (SmallClassifier("digits-16", name) for name in ("auto", chosen))
    assert found.describe() == named.describe()
    assert found.describe()["precision"] == chosen
    assert torch.equal(found(image).features, named(image).features)


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="must be one of auto, float32, bfloat16, got 'float16'"):
        SmallClassifier("digits-16", "float16")
