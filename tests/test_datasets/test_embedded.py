"""Digits, Fashion-MNIST, CIFAR and the stand-in: what they hold and what they say of themselves."""

import gzip
import pickle
import struct

import numpy as np
import pytest
import torch
import torchvision
from sklearn.datasets import load_digits

from mmcgan.datasets import (
    CIFAR10,
    CIFAR100,
    DigitsDataset,
    FashionMNIST,
    ImageNet,
    SyntheticImages,
    TinyImageNet,
)
from mmcgan.datasets.sets.fashion_mnist import CLASSES, SYSTEM_FOLDER


def assert_facts_hold(dataset, facts):
    assert {name: dataset.metainfo[name] for name in facts} == facts


# --- digits -------------------------------------------------------------------------------------
@pytest.mark.parametrize("split", ["train", "test", "all"])
def test_digits_facts(split):
    assert_facts_hold(DigitsDataset(split, 12), DigitsDataset.facts(split, 12))


def test_digits_split_is_fixed_complete_and_stratified():
    train, test, everything = (DigitsDataset(split, 8) for split in ("train", "test", "all"))
    assert (len(train), len(test), len(everything)) == (1438, 359, 1797)
    assert DigitsDataset("test", 8).fingerprint() == test.fingerprint()
    joined = torch.cat([train.images, test.images]).flatten(1).tolist()
    assert sorted(joined) == sorted(everything.images.flatten(1).tolist())
    totals = torch.tensor(everything.metainfo["class_counts"])
    assert test.metainfo["class_counts"] == tuple((totals * 0.2).round().int().tolist())


def test_digits_keep_their_pixels_and_labels():
    data = DigitsDataset("all", 8)
    original = load_digits()
    expected = np.round(original.images * 255 / 16).astype(np.uint8)
    assert np.array_equal(data.images[:, 0].numpy(), expected)
    assert data.labels.tolist() == original.target.tolist()


def test_enlarged_digits_keep_the_picture():
    small, large = (DigitsDataset("test", size) for size in (8, 16))
    assert large[0]["image"].shape == (3, 16, 16)
    pooled = torch.nn.functional.avg_pool2d(large.images.float(), 2)
    both = torch.stack([pooled.flatten(), small.images.float().flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.98
    # smooth: more levels than the 17 of the original
    assert len(large.images.unique()) > 200


def test_digits_bad_arguments():
    with pytest.raises(ValueError, match="split must be one of train, test, all; got 'val'"):
        DigitsDataset("val")
    with pytest.raises(ValueError, match="image_size must be a positive whole number, got 0"):
        DigitsDataset(image_size=0)


# --- Fashion-MNIST ------------------------------------------------------------------------------
def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def idx_folder(tmp_path):
    """Five images in the test split, gzip-compressed, and the same uncompressed for training."""
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    labels = np.array([3, 1, 9, 0, 3], dtype=np.uint8)
    for prefix, suffix, compress in (("t10k", ".gz", gzip.compress), ("train", "", bytes)):
        (tmp_path / f"{prefix}-images-idx3-ubyte{suffix}").write_bytes(compress(idx(images)))
        (tmp_path / f"{prefix}-labels-idx1-ubyte{suffix}").write_bytes(compress(idx(labels)))
    return tmp_path, torch.from_numpy(images)


@pytest.mark.parametrize("split", ["train", "test"])
def test_fashion_mnist_reads_idx_files(idx_folder, split):
    folder, images = idx_folder
    data = FashionMNIST(str(folder), split)
    assert data.labels.tolist() == [3, 1, 9, 0, 3]
    assert data.metainfo["classes"] == CLASSES
    batch = data.__getitems__([4, 0])["image"]
    assert batch.shape == (2, 3, 32, 32)
    assert torch.equal(batch[0, 1, 2:30, 2:30], images[4])
    border = batch.clone()
    border[:, :, 2:30, 2:30] = 0
    assert not border.any()


def test_fashion_mnist_unpadded(idx_folder):
    folder, images = idx_folder
    assert torch.equal(FashionMNIST(str(folder), image_size=28).images[:, 0], images)


def test_fashion_mnist_found_where_torchvision_puts_it(idx_folder):
    folder, _ = idx_folder
    raw = folder / "data" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for path in folder.glob("*-ubyte*"):
        path.rename(raw / path.name)
    assert len(FashionMNIST(str(folder / "data"), "test")) == 5


@pytest.mark.skipif(not SYSTEM_FOLDER.is_dir(), reason="Debian package dataset-fashion-mnist not installed")
@pytest.mark.parametrize("split", ["train", "test"])
def test_real_fashion_mnist(split):
    data = FashionMNIST(split=split)
    assert_facts_hold(data, FashionMNIST.facts(split=split))
    assert len(data) == (60_000 if split == "train" else 10_000)
    # trousers are narrow: on average darker than T-shirts
    assert data.images[data.labels == 1].float().mean() < data.images[data.labels == 0].float().mean()


def test_missing_fashion_mnist_says_how_to_get_it(tmp_path):
    message = r"t10k-images-idx3-ubyte.*not found in .*nowhere.*dataset-fashion-mnist.*root.*download=True"
    with pytest.raises(FileNotFoundError, match=message):
        FashionMNIST(str(tmp_path / "nowhere"), "test")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda raw: b"\x00\x00\x0d\x03" + raw[4:],
            "not an IDX file of unsigned bytes: starts with 0x00000d03",
        ),
        (lambda raw: b"PNG?", "not an IDX file"),
        (
            lambda raw: raw[:-1],
            r"truncated IDX file: shape \[5, 28, 28\] needs 3936 bytes, the file has 3935",
        ),
        (lambda raw: raw[:9], "truncated IDX file: its header should have 16 bytes, has 9"),
        (lambda raw: raw + b"x", "bytes left over"),
        (lambda raw: gzip.compress(raw)[:-20], "truncated or damaged gzip file"),
        (
            lambda raw: idx(np.zeros((5, 20, 20), np.uint8)),
            r"expected images of 28x28, got shape \(5, 20, 20\)",
        ),
        (lambda raw: idx(np.zeros((4, 28, 28), np.uint8)), "4 images but 5 labels"),
    ],
)
def test_damaged_idx_files_are_named(idx_folder, change, message):
    folder, _ = idx_folder
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=message) as caught:
        FashionMNIST(str(folder))
    assert path.name in str(caught.value) or "labels" in message


def test_fashion_mnist_label_out_of_range(idx_folder):
    folder, _ = idx_folder
    path = folder / "train-labels-idx1-ubyte"
    path.write_bytes(idx(np.array([0, 1, 10, 2, 3], np.uint8)))
    with pytest.raises(ValueError, match=r"label 10 of image 2 is outside 0\.\.9"):
        FashionMNIST(str(folder))


def test_fashion_mnist_at_half_the_size_is_the_mean_of_four_pixels(idx_folder):
    folder, images = idx_folder
    small = FashionMNIST(str(folder), image_size=16).images[:, 0]
    assert small.shape[1:] == (16, 16) and not small[:, 0].any() and not small[:, -1].any()
    assert small[0, 1, 1] == images[0, :2, :2].float().mean().round()
    assert FashionMNIST.facts(image_size=16)["image_size"] == 16


@pytest.mark.parametrize("size", [12, 15, 29])
def test_fashion_mnist_bad_size(size):
    with pytest.raises(ValueError, match=f"even number from 14 on .* got {size}"):
        FashionMNIST(image_size=size)


# --- CIFAR --------------------------------------------------------------------------------------
def cifar_files(root, dataset, label_key, classes):
    """Write files in CIFAR's format with two images each; labels count up."""
    folder = root / dataset.base_folder
    folder.mkdir()
    label = 0
    for name, _ in [*dataset.train_list, *dataset.test_list]:
        pixels = np.arange(2 * 3072).reshape(2, 3072).astype(np.uint8)
        content = {"data": pixels, label_key: [label % 10, (label + 1) % 10]}
        (folder / name).write_bytes(pickle.dumps(content))
        label += 2
    (folder / dataset.meta["filename"]).write_bytes(pickle.dumps({dataset.meta["key"]: classes}))


@pytest.mark.parametrize(
    ("ours", "theirs", "key", "num_classes"),
    [
        (CIFAR10, torchvision.datasets.CIFAR10, "labels", 10),
        (CIFAR100, torchvision.datasets.CIFAR100, "fine_labels", 100),
    ],
)
def test_cifar_reads_the_files(tmp_path, monkeypatch, ours, theirs, key, num_classes):
    cifar_files(tmp_path, theirs, key, [f"class {i}" for i in range(num_classes)])
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *args: True)
    data = ours(str(tmp_path), "test")
    assert len(data) == 2
    image = data[0]["image"]
    assert image.shape == (3, 32, 32)
    assert image[1, 0, :3].tolist() == [0, 1, 2]  # 1024 is 0 modulo 256: planes, not interleaved
    assert image[0, 1, :3].tolist() == [32, 33, 34]
    assert data.metainfo["num_classes"] == num_classes
    assert ours.facts(split="train") == dict(
        num_classes=num_classes, image_size=32, class_counts=(50_000 // num_classes,) * num_classes
    )


@pytest.mark.parametrize(
    ("dataset", "config", "message"),
    [
        (DigitsDataset, dict(split="val"), "split must be one of train, test, all; got 'val'"),
        (FashionMNIST, dict(split="val"), "FashionMNIST: split must be one of train, test"),
        (FashionMNIST, dict(image_size=31), "got 31"),
        (CIFAR100, dict(split="val"), "CIFAR100: split must be one of train, test"),
        (ImageNet, dict(split="test"), "ImageNet: split must be one of train, val"),
        (ImageNet, dict(fit="pad"), "fit must be one of"),
        (TinyImageNet, dict(split="test"), "TinyImageNet: split must be one of train, val"),
    ],
)
def test_bad_options_are_found_before_the_data_is_needed(dataset, config, message):
    with pytest.raises(ValueError, match=message):
        dataset.facts(**config)


@pytest.mark.parametrize(
    ("dataset", "theirs"),
    [(CIFAR10, torchvision.datasets.CIFAR10), (FashionMNIST, torchvision.datasets.FashionMNIST)],
)
def test_failed_download_is_named(tmp_path, monkeypatch, dataset, theirs):
    def refuse(self):
        raise OSError("network is unreachable")

    monkeypatch.setattr(theirs, "download", refuse)
    message = f"{dataset.__name__}: the download failed: network is unreachable"
    with pytest.raises(FileNotFoundError, match=message):
        dataset(str(tmp_path), download=True)


def test_missing_cifar_says_how_to_get_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"CIFAR10: not found or damaged under .*download=True"):
        CIFAR10(str(tmp_path))


# --- stand-in -----------------------------------------------------------------------------------
def test_synthetic_images_are_a_function_of_seed_and_index():
    data = SyntheticImages(4, 16, size=10, seed=1)
    assert torch.equal(
        data[7]["image"], SyntheticImages(4, 16, size=10, seed=1).__getitems__([7])["image"][0]
    )
    assert not torch.equal(data[7]["image"], SyntheticImages(4, 16, size=10, seed=2)[7]["image"])
    assert_facts_hold(data, SyntheticImages.facts(4, 16, 10))
    assert data[9]["label"] == 1


def test_synthetic_classes_differ_in_brightness():
    data = SyntheticImages(2, 32, size=2)
    assert data[1]["image"].float().mean() > data[0]["image"].float().mean() + 50


def test_synthetic_without_labels():
    data = SyntheticImages(0, 8, size=3)
    assert "label" not in data[0]
    assert_facts_hold(data, SyntheticImages.facts(0, 8, 3))


def test_synthetic_bad_arguments():
    with pytest.raises(ValueError, match="num_classes must be 0 or more and size at least 1, got -1 and 4"):
        SyntheticImages(-1, 8, size=4)
