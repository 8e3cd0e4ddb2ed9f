"""The inferencer: what it is asked for, what it returns, and that calls can be repeated."""

import numpy as np
import pytest
import torch

from mmcgan.apis.inference import CGANInferencer
from mmcgan.apis.sampling import draw
from tests.test_apis.test_sample import loaded


def test_it_returns_what_sampling_writes():
    inferencer = CGANInferencer(loaded())
    images = inferencer(["dog", 2], num=5, seed=3, return_type="tensor")
    torch.testing.assert_close(images, draw(inferencer.loaded, 5, [1, 2, 1, 2, 1], 3, None))
    assert not torch.equal(images, inferencer(["dog", 2], num=5, seed=4, return_type="tensor"))


def test_neither_the_number_nor_the_batch_size_changes_an_image():
    inferencer = CGANInferencer(loaded(), device="cpu")
    many = inferencer("dog", num=7, truncation=0.5, batch_size=2, return_type="tensor")
    few = inferencer("dog", num=3, truncation=0.5, return_type="tensor")
    torch.testing.assert_close(many[:3], few)
    assert (many - inferencer("dog", num=7, return_type="tensor")).abs().max() > 1e-5


def test_types_of_results_agree():
    inferencer = CGANInferencer(loaded())
    pictures, array = inferencer([0, 1]), inferencer([0, 1], return_type="numpy")
    assert array.dtype == np.uint8 and array.shape == (2, 8, 8, 3) and len(pictures) == 2
    assert all(np.array_equal(np.asarray(picture), own) for picture, own in zip(pictures, array, strict=True))
    tensor = inferencer([0, 1], return_type="tensor").permute(0, 2, 3, 1).numpy()
    assert np.abs(tensor - (array / 127.5 - 1)).max() <= 0.5 / 127.5 + 1e-6
    assert inferencer.classes == ("Cat", "dog", "T-shirt/top") and len(inferencer()) == 1


def test_bad_requests_are_refused():
    inferencer = CGANInferencer(loaded())
    with pytest.raises(ValueError, match="return_type='jpeg': choose one of pil, numpy, tensor"):
        inferencer(return_type="jpeg")
    with pytest.raises(ValueError, match="num and batch_size must be at least 1, got 0 and 64"):
        inferencer(num=0)
    with pytest.raises(ValueError, match="truncation must be a finite number of at least 0, got -1"):
        inferencer(truncation=-1)
    with pytest.raises(ValueError, match="pets is not conditioned on instances"):
        inferencer(instances=["photo.png"])
    with pytest.raises(ValueError, match="has no class 'bird'"):
        inferencer("bird")
    with pytest.raises(ValueError, match="no classes, so that labels cannot be chosen"):
        CGANInferencer(loaded(num_classes=0, classes=None))(labels=[0])
