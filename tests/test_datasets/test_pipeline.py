import random

import numpy as np
import pytest
import torch

from mmcgan.datasets import Draw, MemoryDataset
from mmcgan.registry import TRANSFORMS


@TRANSFORMS.register_module()
class Brighten:
    """Adds what it drew from each global generator to the image."""

    def __call__(self, results):
        drawn = random.randrange(50) + np.random.randint(50) + int(torch.randint(50, ()))
        return {**results, "img": np.full_like(results["img"], drawn)}


@TRANSFORMS.register_module()
class Recorder:
    def __init__(self):
        self.seen = []

    def __call__(self, results):
        self.seen.append(results)
        return results


@TRANSFORMS.register_module()
class Dropper:
    def __call__(self, results):
        return None


def dataset(*transforms, labels=True):
    images = torch.arange(4, dtype=torch.uint8).view(4, 1, 1, 1).expand(4, 3, 6, 6).contiguous()
    images[:, 0] = 200
    labels = torch.tensor([0, 1, 0, 1]) if labels else None
    return MemoryDataset(images, labels, ("a", "b"), pipeline=transforms)


def levels(data, draws):
    return data.__getitems__(draws)["image"][:, 0, 0, 0].tolist()


def test_draws_depend_on_seed_and_position():
    data = dataset(dict(type="Brighten"))
    first = levels(data, [Draw(i, position=i, seed=1) for i in range(4)])
    assert len(set(first)) > 1
    assert levels(data, [Draw(0, position=i, seed=1) for i in (3, 2, 1, 0)]) == first[::-1]
    assert levels(data, [Draw(i, position=i + 4, seed=1) for i in range(4)]) != first
    assert levels(data, [Draw(i, position=i, seed=2) for i in range(4)]) != first


def test_global_generators_are_left_alone():
    data = dataset(dict(type="Brighten"))

    def state():
        return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()

    before = state()
    data.__getitems__([0, 1])
    assert state() == before


def test_transforms_see_rgb_images_and_labels():
    data = dataset(dict(type="Recorder"))
    assert data[1]["label"] == 1
    (seen,) = data.pipeline.transforms[0].seen
    assert seen["img"].shape == (6, 6, 3)
    assert seen["img"][0, 0].tolist() == [200, 1, 1]
    assert seen["gt_label"] == 1


def test_mmcv_transforms_run():
    flip = dict(type="RandomFlip", prob=1.0)
    crop = dict(type="CenterCrop", crop_size=(4, 4))
    data = dataset(flip, crop, dict(type="Resize", scale=(6, 6)), labels=False)
    image = data[2]["image"]
    assert image.shape == (3, 6, 6)
    assert image[:, 0, 0].tolist() == [200, 2, 2]


def test_unknown_transform_is_named():
    with pytest.raises(KeyError, match=r"no component named 'RandomFlop'.*RandomFlip"):
        dataset(dict(type="RandomFlop"))


def test_bad_results_are_named():
    with pytest.raises(ValueError, match="Dropper returned NoneType"):
        dataset(dict(type="Dropper"))[0]
    with pytest.raises(ValueError, match=r"must come out as uint8 \(6, 6, 3\), got uint8 \(3, 3, 3\)"):
        dataset(dict(type="Resize", scale=(3, 3)))[0]
    with pytest.raises(ValueError, match="leave scaling to the model"):
        dataset(dict(type="Normalize", mean=[0, 0, 0], std=[1, 1, 1]))[0]
