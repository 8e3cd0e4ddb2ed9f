"""Precision is chosen by what the features lose."""

import pytest
import torch
from torch.nn.functional import cosine_similarity

from mmcgan import precision
from mmcgan.extractors.base import Extractor, ExtractorOutput, Preprocessing
from mmcgan.instance_preparation.features import (
    LEAST_COSINE,
    PASS_IMAGES,
    choose_precision,
    extract,
    unit_rows,
)
from mmcgan.precision import Choice
from mmcgan.registry import DATASETS, EXTRACTORS


@EXTRACTORS.register_module(force=True)
class CancellingExtractor(Extractor):
    """The difference of two large products, which bfloat16 loses."""

    def __init__(self, large: float = 0.0, precision: str = "float32"):
        super().__init__("cancelling", Preprocessing(4), precision)
        self.large = large
        self.feature_dim = 16
        self.freeze()

    def encode(self, pixels):
        flat = pixels[:, 0].flatten(1)
        return ExtractorOutput((flat + self.large) @ torch.eye(16) - self.large)


@pytest.fixture(scope="module")
def image():
    return DATASETS.build(dict(type="SyntheticImages", num_classes=0, image_size=4, size=8)).__getitems__(
        range(8)
    )["image"]


@pytest.mark.parametrize(("large", "chosen"), [(0.0, "bfloat16"), (100.0, "float32")])
def test_bfloat16_is_taken_where_the_features_agree(image, large, chosen, monkeypatch):
    monkeypatch.setattr(precision, "measure", lambda kind: Choice("bfloat16", 2.0, "measured"))
    assert choose_precision(CancellingExtractor(large), image, "auto") == chosen


def test_what_is_chosen_for_a_shipped_classifier_agrees():
    image = DATASETS.build(dict(type="DigitsDataset", image_size=16)).__getitems__(range(32))["image"]
    config = dict(type="SmallClassifier", weights="digits-16")
    chosen = choose_precision(EXTRACTORS.build(config), image[:16], "auto")
    pair = [EXTRACTORS.build({**config, "precision": p})(image).features for p in ("float32", chosen)]
    assert cosine_similarity(*pair).min() >= LEAST_COSINE


def test_float32_is_taken_where_bfloat16_is_slow(image, monkeypatch):
    monkeypatch.setattr(precision, "measure", lambda kind: Choice("float32", 0.1, "emulated"))
    assert choose_precision(CancellingExtractor(), image, "auto") == "float32"


def test_the_users_word_counts(image):
    assert choose_precision(CancellingExtractor(large=100.0), image, "bfloat16") == "bfloat16"
    with pytest.raises(ValueError, match="precision must be one of auto, float32, bfloat16, got 'half'"):
        choose_precision(CancellingExtractor(), image, "half")


def test_the_network_sees_few_images_at_a_time(monkeypatch):
    seen = []

    def encode(self, pixels):
        seen.append(len(pixels))
        return ExtractorOutput(pixels.flatten(1))

    def extractor():
        made = CancellingExtractor()
        made.feature_dim = 3 * 4 * 4
        return made

    monkeypatch.setattr(CancellingExtractor, "encode", encode)
    image = torch.randint(1, 256, (PASS_IMAGES * 2 + 3, 3, 4, 4), dtype=torch.uint8)
    found = extract(extractor(), image)
    assert seen == [PASS_IMAGES, PASS_IMAGES, 3]
    torch.testing.assert_close(found[-1:], extract(extractor(), image[-1:]))


@pytest.mark.parametrize("scale", [1e-30, 1e-24, 1.0, 1e19, 1e30])
def test_features_of_any_scale_have_length_one(scale):
    features = scale * torch.randn(5, 40, generator=torch.Generator().manual_seed(0))
    features[2] = 0
    unit = unit_rows(features)
    expected = torch.ones(5, dtype=torch.float64)
    expected[2] = 0
    torch.testing.assert_close(unit.double().norm(dim=1), expected, rtol=1e-6, atol=0)
