import pytest
import torch

from mmcgan.datasets import DigitsDataset, FashionMNIST, Scenes
from mmcgan.datasets.sets.scene_layout import MAX_OVERLAP
from mmcgan.datasets.sets.scene_painting import class_colours, close_gaps


def owners(scenes, indices):
    """Return which object every pixel shows, int64 (N, H, W): 0 for the background, k for the k-th."""
    return scenes.painter(scenes.rule.draw(list(indices)))[1]


def test_a_scene_depends_on_seed_and_index_alone():
    scenes = Scenes(size=50)
    batch = scenes.__getitems__([3, 40, 7])
    assert batch["image"].shape == (3, 3, 64, 64) and batch["image"].dtype == torch.uint8
    assert batch["label_map"].shape == (3, 64, 64) and batch["label_map"].dtype == torch.int64
    alone = Scenes(size=41)[40]
    assert all(torch.equal(alone[name], batch[name][1]) for name in ("image", "label_map"))
    assert not torch.equal(Scenes(size=50, seed=1)[40]["label_map"], alone["label_map"])
    assert not torch.equal(Scenes(size=50, split="test")[40]["label_map"], alone["label_map"])


def test_every_label_is_the_class_of_the_object_that_is_on_top_there():
    """Inside an object the hue is the class's; the background is muted."""
    scenes = Scenes(size=40)
    batch = scenes.__getitems__(range(40))
    image, label = batch["image"].float(), batch["label_map"]
    assert torch.equal(label > 0, owners(scenes, range(40)) > 0)
    saturation = (image.amax(1) - image.amin(1)) / image.amax(1).clamp(min=1)
    assert saturation[label > 0].mean() > 0.75 and saturation[label == 0].mean() < 0.4
    assert set(label.unique().tolist()) == set(range(11))
    for chosen in range(1, 11):
        mean = image.permute(0, 2, 3, 1)[label == chosen].mean(dim=0)
        own = class_colours(torch.tensor([chosen - 1]), torch.full((1, 2), 0.5), 10)[0]
        assert torch.nn.functional.cosine_similarity(mean, own, dim=0) > 0.98


def test_one_object_is_the_real_image_cut_out_exactly():
    scenes = Scenes(size=30, objects=(1, 1))
    layout = scenes.rule.draw([11])
    digit = DigitsDataset("train", image_size=8).images[layout.row[0, 0]].float()[None] / 255
    side, top, left = (int(value[0, 0]) for value in (layout.side, layout.top, layout.left))
    enlarged = torch.nn.functional.interpolate(digit, (side, side), mode="bicubic", antialias=True)
    expected = torch.zeros(64, 64, dtype=torch.bool)
    expected[top : top + side, left : left + side] = enlarged[0, 0] > scenes.painter.look.threshold
    scene = scenes[11]
    assert torch.equal(scene["label_map"] > 0, expected)
    number = int(DigitsDataset("train", image_size=8).labels[layout.row[0, 0]])
    assert scene["label_map"].unique().tolist() == [0, number + 1]


def test_objects_do_not_hide_each_other_too_much():
    scenes = Scenes(size=100)
    layout = scenes.rule.draw(list(range(100)))
    whole = torch.zeros_like(layout.side)
    owner = owners(scenes, range(100))
    for k in range(layout.side.shape[1]):
        level = scenes.painter._objects(layout, k, int(layout.side.max()))
        whole[:, k] = (level > scenes.painter.look.threshold).sum(dim=(1, 2))
    seen = torch.stack([(owner == k + 1).sum(dim=(1, 2)) for k in range(layout.side.shape[1])], dim=1)
    assert torch.equal(seen > 0, layout.present)
    visible = (seen / whole.clamp(min=1))[layout.present]
    assert visible.min() > 0.3 and visible.mean() > 0.9
    assert layout.present.sum(dim=1).min() >= 1 and layout.present.sum(dim=1).double().mean() > 3
    assert MAX_OVERLAP < 0.5


def test_splits_show_other_real_images():
    assert set(Scenes(split="train").rule.order.tolist()) == set(range(len(DigitsDataset("train"))))
    assert len(Scenes(split="test").painter.images) == len(DigitsDataset("test"))


def test_other_sizes():
    scene = Scenes(image_size=(32, 64), size=4)[0]
    assert scene["image"].shape == (3, 32, 64) and scene["label_map"].shape == (32, 64)
    assert scene["label_map"].any()
    facts = Scenes.facts(image_size=(32, 64))
    assert facts["image_size"] == (32, 64) and Scenes.facts(image_size=(48, 48))["image_size"] == 48


def test_edges_separate_objects_even_of_one_class():
    scenes = Scenes(size=200, has_edges=True)
    batch = scenes.__getitems__(range(200))
    edges, label, owner = batch["edge_map"].bool(), batch["label_map"], owners(scenes, range(200))
    different, same_class = owner[:, :, 1:] != owner[:, :, :-1], label[:, :, 1:] == label[:, :, :-1]
    assert edges[:, :, 1:][different].all() and (different & same_class).any()
    assert Scenes.facts(has_edges=True)["has_edges"]


def test_facts_agree_with_the_data():
    scenes = Scenes(split="test")
    facts = Scenes.facts(split="test")
    assert len(scenes) == 1000 and scenes.metainfo["size"] == 1000
    assert {name: scenes.metainfo[name] for name in facts} == facts
    assert scenes.map_classes[:2] == ("background", "0") and facts["num_map_classes"] == 11
    assert scenes.fingerprint() == Scenes(split="test").fingerprint() != Scenes(split="train").fingerprint()


def test_fashion_mnist_is_cut_out_without_small_holes():
    try:
        FashionMNIST(split="test")
    except FileNotFoundError as error:
        pytest.skip(str(error))
    scenes = Scenes("fashion-mnist", "test", size=20)
    batch = scenes.__getitems__(range(20))
    assert scenes.map_classes[1] == "T-shirt/top"
    assert 0.1 < (batch["label_map"] > 0).double().mean() < 0.6


def test_gaps_close_and_outlines_stay():
    gray = torch.zeros(1, 1, 9, 9, dtype=torch.uint8)
    gray[..., 2:7, 2:7] = 200
    whole = gray.clone()
    gray[..., 4, 3:5] = 0
    assert torch.equal(close_gaps(gray), whole)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(source="cats"), "source must be one of digits, fashion-mnist; got 'cats'"),
        (dict(split="val"), "split must be one of train, test; got 'val'"),
        (dict(image_size=8), "image_size must be a whole number or .height, width., from 16 on; got 8"),
        (dict(image_size=(64, 64, 3)), "image_size must be"),
        (dict(size=0), "size must be at least 1, got 0"),
        (dict(objects=(4, 2)), "1 <= least <= largest; got .4, 2."),
        (dict(source="fashion-mnist", root="/nowhere"), "not found in /nowhere"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        Scenes(**options)


def test_no_such_scene():
    with pytest.raises(IndexError, match=r"has 5 images; asked for \[7\]"):
        Scenes(size=5)[7]
