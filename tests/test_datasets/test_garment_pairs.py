"""A hundred classes of two garments: which image has which label, and whether the classifier agrees."""

import pytest
import torch
from torch.nn.functional import avg_pool2d

from mmcgan.datasets.sets.fashion_mnist import FashionMNIST
from mmcgan.datasets.sets.garment_pairs import GarmentPairs
from mmcgan.extractors.pair_classifier import PairClassifier

try:
    FASHION = FashionMNIST(split="test", image_size=28)
except FileNotFoundError:
    pytest.skip("Fashion-MNIST is not installed", allow_module_level=True)


def test_each_image_is_one_red_and_one_green_half_of_the_class_that_both_make():
    pairs = GarmentPairs("test")
    halves = avg_pool2d(FASHION.images[:, :1].float(), 2).round().to(torch.uint8)
    assert torch.equal(pairs.images[:, :1, 1:-1, 1:-1], halves), "red halves are in the set's order"
    assert torch.equal(pairs.labels // 10, FASHION.labels)
    green = pairs.images[:, 1, 1:-1, 1:-1].flatten(1)
    assert not torch.equal(green, halves.flatten(1))
    key = lambda rows: sorted(map(bytes, rows.numpy()))  # noqa: E731
    assert key(green) == key(halves.flatten(1)), "each image is once a green half"
    assert not pairs.images[:, 2].any()
    assert len(pairs.classes) == 100 and pairs.classes[13] == f"{FASHION.classes[1]} + {FASHION.classes[3]}"


def test_the_classifier_of_pairs_sees_both_garments():
    pairs = GarmentPairs("test", count=500)
    seen = PairClassifier()(pairs.images)
    assert seen.features.shape == (500, PairClassifier().feature_dim)
    right = (seen.logits.argmax(1) == pairs.labels).float().mean()
    assert right > 0.4, "of 100 classes, at half the resolution that the classifier was trained on"
    torch.testing.assert_close(seen.logits.exp().sum(1), torch.ones(500))


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_a_count_that_cannot_be_is_refused(count):
    with pytest.raises(ValueError, match="count must be among 1 to 10000"):
        GarmentPairs("test", count=count)
