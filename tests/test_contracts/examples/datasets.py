"""Data sets with files that a test makes, as small as they can be."""

import gzip

import numpy as np
import pytest

from mmcgan.datasets.packing.pack import pack
from tests.test_datasets.image_files import class_folders, picture, save
from tests.test_datasets.test_attribute_sets import idx

DIGITS = dict(type="DigitsDataset", image_size=16)
STORE = dict(size=24, dim=6, num_classes=3)
GROUPS = dict(attribute_groups={"digit": ["0", "1"], "colour": ["red", "green", "blue"]})


def fashion_files(folder):
    """Write both splits of five images."""
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    labels = np.array([3, 1, 9, 0, 3], dtype=np.uint8)
    for split in ("t10k", "train"):
        (folder / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return str(folder)


def cifar(name, key, count):
    """Return a function that writes a set in CIFAR's format."""

    def make(folder, patch):
        import torchvision

        from tests.test_datasets.test_embedded import cifar_files

        cifar_files(folder, getattr(torchvision.datasets, name), key, [f"class {i}" for i in range(count)])
        patch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
        return dict(root=str(folder), split="test")

    return make


def mnist_svhn(folder, patch):
    """Write four images of MNIST and three of SVHN."""
    import scipy.io

    raw, random = folder / "MNIST" / "raw", np.random.default_rng(0)
    raw.mkdir(parents=True)
    for split in ("t10k", "train"):
        gray = random.integers(0, 256, (4, 28, 28), dtype=np.uint8)
        (raw / f"{split}-images-idx3-ubyte").write_bytes(idx(gray))
        (raw / f"{split}-labels-idx1-ubyte").write_bytes(idx(np.array([7, 3, 0, 3], np.uint8)))
    colour = random.integers(0, 256, (32, 32, 3, 3), dtype=np.uint8)
    scipy.io.savemat(folder / "test_32x32.mat", {"X": colour, "y": np.array([[10], [3], [5]])})
    patch.setattr("torchvision.datasets.svhn.check_integrity", lambda path, md5: True)
    return dict(root=str(folder), split="test")


def cityscapes(folder, patch):
    """Write two scenes with their annotations."""
    from tests.test_datasets.test_label_maps import write_image

    for city in ("aachen", "bochum"):
        labels = np.full((32, 64), 7)
        labels[:, 32:] = 23
        write_image(folder, city, f"{city}_000000_000019", labels, labels)
    return dict(root=str(folder), image_size=(16, 32))


def attributes(folder, patch):
    """Write images with a table."""
    class_folders(folder, {"a": 3})
    (folder / "table.csv").write_text("file,hair,Hat\na/0.png,black,1\na/1.png,blond,0\na/2.png,black,0\n")
    return dict(root=str(folder), table=str(folder / "table.csv"), image_size=8)


def folders(folder, patch):
    """Write two classes of images."""
    return dict(root=str(class_folders(folder / "set", {"cat": 3, "dog": 2})), image_size=8)


def listed(folder, patch):
    """Write images and a list of them."""
    class_folders(folder, {"a": 3})
    (folder / "names.txt").write_text("a/0.png\na/2.png\n")
    return dict(root=str(folder), names=str(folder / "names.txt"), image_size=8)


def imagenet(folder, patch):
    """Write an image a class."""
    content = save(folder / "a.jpg", picture(10, 8)).read_bytes()
    for number in range(1000):
        place = folder / "val" / f"n{number:08d}"
        place.mkdir(parents=True)
        (place / "ILSVRC.JPEG").write_bytes(content)
    return dict(root=str(folder), split="val", image_size=8)


def imagenet_lt(folder, patch):
    """Write lists and their images."""
    for split in ("train", "val"):
        names = [f"{split}/n{number % 2}/{number}.png" for number in range(3)]
        for name in names:
            save(folder / name, picture(16, 16))
        lines = "".join(f"{name} {number % 2}\n" for number, name in enumerate(names))
        (folder / f"ImageNet_LT_{split}.txt").write_text(lines)
    return dict(root=str(folder), lists=str(folder), image_size=8)


def tiny_imagenet(folder, patch):
    """Write an image a class."""
    content = save(folder / "a.jpg", picture(64, 64)).read_bytes()
    for number in range(200):
        place = folder / "train" / f"n{number:08d}" / "images"
        place.mkdir(parents=True)
        (place / "0.JPEG").write_bytes(content)
    return dict(root=str(folder))


def packed(to):
    """Return a function that packs images."""

    def make(folder, patch):
        from mmcgan.cli import main
        from mmcgan.datasets import ImageFolder

        source = folders(folder, patch)
        if to == "arrays":
            return dict(root=str(pack(ImageFolder(**source), folder / "packed").root))
        assert main(["pack-dataset", source["root"], str(folder / "shards"), "--to", "shards"]) == 0
        return dict(root=str(folder / "shards"), image_size=8)

    return make


def neighbourhood(folder, patch):
    """Write a store of instances."""
    from tests.test_instances.stores import make_store

    store, config = make_store(folder / "store")
    return dict(dataset=config, store=str(store.root))


def hub(folder, patch):
    """Write a table as the Hub's are."""
    pytest.importorskip("datasets", reason="the extra `hub` is not installed")
    pytest.importorskip("pyarrow")
    from tests.test_datasets.life import pictures
    from tests.test_datasets.test_hub import encoded, write

    patch.setattr("datasets.config.HF_DATASETS_CACHE", folder / "cache")
    patch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    images = [{"bytes": encoded(image), "path": None} for _, _, image in pictures()]
    write(folder / "set", images, [number % 2 for number in range(len(images))])
    return dict(path=str(folder / "set"), image_size=8, label="label")


#: name -> settings, or (folder, monkeypatch) -> settings
DATASETS = {
    "AttributeConditionDataset": dict(size=6, latent_dim=4, **GROUPS),
    "AttributeFolder": attributes,
    "CIFAR10": cifar("CIFAR10", "labels", 10),
    "CIFAR100": cifar("CIFAR100", "fine_labels", 100),
    "Cityscapes": cityscapes,
    "ClassSubset": dict(dataset=DIGITS, keep=[1, 2]),
    "ConditionDataset": dict(size=6, latent_dim=4, num_classes=3),
    "DrawnConditionDataset": dict(
        size=6, latent_dim=4, condition_sampler=dict(type="UniformLabel", num_classes=3)
    ),
    "FashionMNIST": lambda folder, patch: dict(root=fashion_files(folder)),
    "GarmentPairs": lambda folder, patch: dict(root=fashion_files(folder), count=4),
    "HFDataset": hub,
    "ImageFolder": folders,
    "ImageList": listed,
    "ImageNet": imagenet,
    "ImageNetLT": imagenet_lt,
    "ImbalancedDataset": dict(dataset=DIGITS, ratio=10.0),
    "InstanceConditionDataset": dict(
        size=6, latent_dim=4, condition_sampler=dict(type="AllInstances", instance_store=STORE)
    ),
    "LabelMapConditions": dict(
        dataset=dict(type="SyntheticLabelMaps", image_size=16, num_map_classes=3), latent_dim=4
    ),
    "MNISTSVHN": mnist_svhn,
    "NeighbourhoodDataset": neighbourhood,
    "PackedDataset": packed("arrays"),
    "Scenes": dict(size=3, image_size=32),
    "ShardDataset": packed("shards"),
    "StackedDigits": dict(size=20),
    "SyntheticImages": dict(num_classes=3, image_size=8),
    "SyntheticLabelMaps": dict(image_size=16, num_map_classes=3),
    "TinyImageNet": tiny_imagenet,
}
