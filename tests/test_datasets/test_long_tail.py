"""Long-tailed sets: how many images of which class are left, and how they are read."""

import pytest
import torch

from mmcgan.datasets import ClassBalancedDraws, ImageNetLT, shot_groups
from mmcgan.datasets.class_order import CHUNK
from mmcgan.registry import DATASETS
from tests.test_datasets.image_files import picture, save

DIGITS = dict(type="DigitsDataset", image_size=8)


def imbalanced(**options):
    return DATASETS.build(dict(type="ImbalancedDataset", dataset=dict(DIGITS), **options))


def test_groups_follow_the_training_images_per_class():
    groups = shot_groups([100, 99, 21, 20, 1, 500])
    assert groups == dict(many=(0, 5), medium=(1, 2), few=(3, 4))


def test_counts_fall_exponentially():
    dataset = imbalanced(ratio=100)
    counts = dataset.metainfo["class_counts"]
    largest = max(DATASETS.build(dict(DIGITS)).metainfo["class_counts"])
    assert counts[0] >= largest - 10 and counts[-1] == largest // 100
    ratios = [counts[i + 1] / counts[i] for i in range(5)]
    assert all(abs(ratio - 100 ** (-1 / 9)) < 0.04 for ratio in ratios)
    assert dataset.facts(dict(DIGITS), ratio=100)["class_counts"] == counts
    assert dataset.metainfo["groups"] == shot_groups(counts)


def test_kept_images_are_those_of_the_whole_set_and_their_labels():
    whole, dataset = DATASETS.build(dict(DIGITS)), imbalanced(ratio=10)
    batch = dataset.__getitems__(range(0, len(dataset), 50))
    expected = whole.__getitems__(dataset.rows[::50].tolist())
    assert torch.equal(batch["image"], expected["image"]) and torch.equal(batch["label"], expected["label"])


def test_the_choice_depends_on_the_seed_and_is_part_of_the_fingerprint():
    assert torch.equal(imbalanced().rows, imbalanced().rows)
    assert not torch.equal(imbalanced().rows, imbalanced(seed=1).rows)
    assert imbalanced().fingerprint() != imbalanced(seed=1).fingerprint()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(ratio=0.5), "ratio must be at least 1"),
        (dict(dataset=dict(type="SyntheticImages", num_classes=0, image_size=8)), "has no labels"),
    ],
)
def test_impossible_imbalance(options, message):
    with pytest.raises(ValueError, match=message):
        DATASETS.build(dict(type="ImbalancedDataset", dataset=dict(DIGITS)) | options)


@pytest.fixture
def imagenet_lt(tmp_path):
    lines = {"train": [("n02", 1), ("n01", 0), ("n02", 1)], "val": [("n01", 0), ("n02", 1)]}
    for split, entries in lines.items():
        text = ""
        for number, (name, label) in enumerate(entries):
            path = tmp_path / split / name / f"{number}.png"
            save(path, picture(16, 16))
            text += f"{split}/{name}/{number}.png {label}\n"
        (tmp_path / f"ImageNet_LT_{split}.txt").write_text(text)
    return dict(root=str(tmp_path), lists=str(tmp_path), image_size=8)


def test_imagenet_lt_is_what_its_lists_say(imagenet_lt):
    dataset = ImageNetLT(**imagenet_lt)
    assert dataset.labels.tolist() == [1, 0, 1]
    assert dataset.metainfo["classes"] == ("n01", "n02")
    assert dataset.metainfo["groups"] == dict(many=(), medium=(), few=(0, 1))
    assert dataset[0]["image"].shape == (3, 8, 8)
    assert ImageNetLT.facts(**imagenet_lt) == dict(num_classes=2, image_size=8, class_counts=(1, 2))


def test_the_groups_of_validation_images_follow_the_training_images(imagenet_lt):
    dataset = ImageNetLT(**imagenet_lt, split="val")
    assert len(dataset) == 2 and dataset.training_counts == (1, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a/b.png x\n", r"line 1: expected a path and a label"),
        ("train/n01/1.png 0\ntrain/n03/1.png 2\n", "no image of class 1"),
        ("", "no image of class 0"),
    ],
)
def test_a_bad_list_is_named(imagenet_lt, tmp_path, text, message):
    (tmp_path / "ImageNet_LT_train.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        ImageNetLT(**imagenet_lt)


def test_missing_lists_are_named(imagenet_lt, tmp_path):
    with pytest.raises(FileNotFoundError, match="is missing: fetch the list files"):
        ImageNetLT(**{**imagenet_lt, "lists": str(tmp_path / "elsewhere")})
    assert ImageNetLT.facts(root="/nowhere", lists="/nowhere")["num_classes"] == 1000


def first(sampler, count):
    stream = iter(sampler)
    return [next(stream) for _ in range(count)]


@pytest.mark.parametrize(("temperature", "power"), [(None, 0.0), (1.0, 1.0), (2.0, 0.5)])
def test_classes_are_drawn_by_their_tempered_frequency(temperature, power):
    dataset = imbalanced(ratio=20)
    draws = first(ClassBalancedDraws(dataset, temperature=temperature), 20000)
    counts = torch.tensor(dataset.metainfo["class_counts"]).double()
    expected = counts**power / (counts**power).sum()
    shares = torch.bincount(dataset.labels[torch.tensor(draws)], minlength=10) / 20000
    assert ((shares - expected).abs() < 0.015).all()
    of_nine = [draw for draw in draws if dataset.labels[draw] == 9]
    assert set(of_nine) == set((dataset.labels == 9).nonzero().flatten().tolist())


def test_draws_go_on_where_they_stopped():
    dataset = imbalanced()
    whole = first(ClassBalancedDraws(dataset, seed=3), CHUNK + 20)
    sampler = ClassBalancedDraws(dataset, seed=3)
    sampler.start(CHUNK - 5)
    rest = first(sampler, 25)
    assert rest == whole[CHUNK - 5 :]
    assert [draw.position for draw in rest[:3]] == [CHUNK - 5, CHUNK - 4, CHUNK - 3]
    assert first(ClassBalancedDraws(dataset, seed=4), 50) != whole[:50]


def test_ranks_share_the_draws(monkeypatch):
    dataset = imbalanced()
    whole = first(ClassBalancedDraws(dataset), 12)
    for rank in range(3):
        monkeypatch.setattr("mmcgan.datasets.class_order.get_dist_info", lambda rank=rank: (rank, 3))
        assert first(ClassBalancedDraws(dataset), 4) == whole[rank::3]


def test_unlabelled_images_cannot_be_balanced():
    with pytest.raises(ValueError, match="no labels"):
        ClassBalancedDraws(DATASETS.build(dict(type="SyntheticImages", num_classes=0, image_size=8)))
